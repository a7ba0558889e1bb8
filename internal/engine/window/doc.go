// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package window aggregates log records and spans in windows of event time: the closing of windows, values and their
// quantiles, and the share of errors.
package window
