// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prefetch

import "unsafe"

const line = 64 // bytes

// Value prefetches all of *v. It does not read or change v.
func Value[T any](v *T) {
	lines(unsafe.Pointer(v), int(unsafe.Sizeof(*v)+line-1)/line) //nolint:gosec // an address, nothing is read through it
}
