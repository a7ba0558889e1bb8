// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package replay drives an engine with stored data in event time: one series, or everything of a shard. Its state can
// be stored between two inputs, so that other programs can run it.
package replay
