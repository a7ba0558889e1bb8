// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package prometheusremotewriteexporter writes metrics to Prometheus, and to
// whatever else speaks remote write 1.0 or 2.0. A batch becomes one or a few
// requests of bounded size, sent one after another. What the server refuses for
// good goes into a dead letter, what it can't take now is tried again.
package prometheusremotewriteexporter
