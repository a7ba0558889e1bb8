// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package meter turns the data points of metrics into samples: values, rates,
// means and quantiles. It handles both temporalities, counter resets, explicit
// and exponential histograms, and summaries.
package meter
