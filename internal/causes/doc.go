// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package causes gathers what spans, log lines and the use of resources tell, and
// answers who is to blame for what began at a time.
//
// It knows no thresholds and opens nothing: it ranks. The engine asks it about an
// incident, a backtest about any time.
//
// The package is pure.
package causes
