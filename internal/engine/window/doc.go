// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package window counts log records and spans in windows of event time: when a
// window closes, the values in it and their quantiles, and the share of errors.
package window
