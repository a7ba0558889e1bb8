// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package novelty computes the surprise of something new in a source of things that
// repeat, such as a log line that was never seen. The surprise depends on the rate of new
// things in the source, which is learned.
package novelty
