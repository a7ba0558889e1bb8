// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package scan reads one log line without knowing any other line.
//
// A Scanner splits a line into tokens and distinguishes variables (numbers, ids, addresses,
// paths, values of keys, quoted text) from constant words. A Skeleton is the scanned line with a
// wildcard for each variable. Cells are the words and wildcards of a skeleton. The result depends
// only on the line.
//
// The package is pure. Scanners and skeletons reuse their buffers.
package scan
