// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package template mines templates from log lines, online and in bounded memory.
//
// Package scan reads a line: it replaces what has the shape of a variable by
// wildcards and returns the skeleton. The hash of service and skeleton is the id
// of the line. The id depends on the line alone, so it is the same after a restart
// and in every replica.
//
// The miner merges templates that differ in one word once that word has had many
// values: it was a variable. It also merges templates that begin with the same
// words, a family, if new ones keep coming. Merging changes lineage, not ids;
// Resolve follows the lineage.
//
// The package is pure: no clock, no telemetry types, no configuration but Config.
package template
