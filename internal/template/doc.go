// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package template turns log lines into templates, online and in bounded memory.
//
// Three steps. A line is scanned: what has the shape of a variable (a number, an
// id, an address, a path, the value of a key, a quoted word) is told from what a
// programmer wrote. What is left is the line's skeleton, and the hash of service
// and skeleton is the id that the line carries. It depends on nothing but the
// line, so it is the same after a restart and in every replica. Last, templates
// that differ in one word, and have done so for many different words, become one:
// that word was a variable. So do those of a family, which begin with the same
// words, if ever new ones come. This is lineage only; Resolve follows it.
//
// The package is pure: no clock, no telemetry types, no configuration but Config.
package template
