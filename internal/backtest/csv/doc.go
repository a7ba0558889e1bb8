// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package csv runs CSV files through the engine, each as the only input of a collector, and writes them with
// verdicts. If the truth is known, it compares the openings with it.
package csv
