// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package prefetch asks the processor to fetch memory that will be needed soon.
// A model of one series is some 6 KB, and a collector meets its series in no
// order: without it each point waits for memory.
package prefetch
