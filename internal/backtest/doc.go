// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package backtest provides the shared parts of the backtests of CSV files and of recorded OTLP: progress, summaries,
// and time windows. A backtest runs recorded telemetry through the engine in the order in which a collector would
// have received it. Time comes only from the data.
package backtest
