// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package report writes the report page of a backtest: figures, tables, and plots of the series with the greatest
// scores, in one self-contained HTML file.
package report
