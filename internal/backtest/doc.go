// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package backtest holds what the backtests of CSV files and of recorded OTLP share:
// progress, summaries, and windows of time. A backtest runs recorded telemetry
// through the engine as a collector would have received it. Time comes from the
// data alone.
package backtest
