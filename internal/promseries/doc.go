// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package promseries makes data points of Prometheus series: which family a
// series belongs to, and how the parts of a classic histogram or a summary
// become one data point again. What reads a Prometheus's history and what takes
// remote writes share it.
package promseries
