// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package prometheusremotewritereceiver receives metrics from clients of Prometheus remote write
// 1.0 and 2.0. It confirms exactly the points that the next consumer has accepted.
package prometheusremotewritereceiver
