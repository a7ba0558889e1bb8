// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package prometheusremotewritereceiver takes metrics from whatever speaks
// Prometheus remote write, 1.0 or 2.0. It says that it has written what the next
// consumer has accepted, and nothing else.
package prometheusremotewritereceiver
