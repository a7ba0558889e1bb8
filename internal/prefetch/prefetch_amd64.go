// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prefetch

import "unsafe"

// lines prefetches n > 0 cache lines from p on.
//
//go:noescape
func lines(p unsafe.Pointer, n int)
