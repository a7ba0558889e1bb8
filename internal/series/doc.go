// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package series gives every series its identity and keeps per-series state in
// a table that is bounded and ages.
package series
