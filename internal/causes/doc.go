// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package causes collects evidence from spans, log lines, and the use of resources, and ranks the services that may
// have caused a fault at a given time.
//
// It has no thresholds and opens no anomalies. The engine queries it about incidents, a backtest about any time.
//
// The package is pure.
package causes
