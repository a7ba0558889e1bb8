// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package novelty says how strange it is that something new has come, in a
// source of things that repeat: a log line that was never seen. What is strange
// depends on how settled the source's vocabulary is, which is learned.
package novelty
