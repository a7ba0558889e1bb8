// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package promseries converts Prometheus series to data points. It finds the family of a series
// and joins the parts of a classic histogram or summary to one data point. The readers of
// Prometheus history and the remote write receiver use it.
package promseries
