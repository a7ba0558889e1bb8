// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package novelty computes the surprise of a new item from a source of repeating items, such as a new log template.
// The surprise depends on the learned rate of new items of the source.
package novelty
