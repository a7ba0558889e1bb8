// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package report writes the page of a backtest: figures, tables, and plots of the
// series with the greatest scores, in one HTML file that loads nothing.
package report
