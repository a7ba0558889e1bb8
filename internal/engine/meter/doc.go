// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package meter converts the data points of metrics to samples: values, rates, means, and quantiles. It handles both
// temporalities, counter resets, explicit and exponential histograms, and summaries.
package meter
