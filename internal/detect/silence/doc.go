// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package silence computes the surprise of the absence of a stream's points while its
// source is alive. It learns the longest usual gap and the share of missing points of
// each stream.
package silence
