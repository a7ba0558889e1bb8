// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package csv runs CSV files through the engine, each as the only series of a
// collector, and writes them with verdicts. It compares what opens with the truth
// where that is known.
package csv
