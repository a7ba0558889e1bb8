// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package template mines templates from log lines, online and in bounded memory.
//
// Package scan reads a line: it replaces variables by wildcards and returns the skeleton. The
// hash of service and skeleton is the id of the line. The id depends only on the line, so it is
// the same after a restart and in every replica.
//
// The miner merges templates that differ in one word if that word has had many values, because it
// is a variable. It also merges templates that begin with the same words, a family, if new ones
// keep arriving. Merging changes lineage, not ids; Resolve follows the lineage.
//
// The package is pure: it uses no clock, no telemetry types, and no configuration except Config.
package template
