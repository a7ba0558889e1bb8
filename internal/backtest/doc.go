// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package backtest runs recorded telemetry through the engine, as a collector
// would have met it, and says what would have been found: verdicts per point,
// anomalies and incidents, a report to look at, and, where the truth is known,
// how well it was found. Time comes from the data alone.
package backtest
