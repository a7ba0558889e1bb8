// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package prefetch makes the processor fetch memory that will be needed soon. A model of one series is about 6 KB,
// and points of different series alternate. Without prefetching, each point waits for memory.
package prefetch
