// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package engine is the one engine of a collector: it owns the series, their
// models, the false-alarm budget, the anomalies and incidents, and their state
// on disk. Components are adapters that find it with Find.
package engine
