// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prefetch

import "testing"

func TestValueChangesNothing(t *testing.T) {
	v := new([1000]byte)
	for i := range v {
		v[i] = byte(i)
	}
	Value(v)
	Value(new(byte))
	Value((*[100]byte)(nil)) // the processor ignores invalid addresses
	for i, b := range v {
		if b != byte(i) {
			t.Fatalf("byte %d is %d", i, b)
		}
	}
}

func BenchmarkValue(b *testing.B) {
	v := new([6400]byte)
	for b.Loop() {
		Value(v)
	}
}
