// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !amd64

package prefetch

import "unsafe"

// lines does nothing on other processors.
func lines(unsafe.Pointer, int) {}
