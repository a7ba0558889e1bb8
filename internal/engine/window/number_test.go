// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package window

import "testing"

// TestNumbersThatOnlyRiseAreNotWatched verifies that a number that only rises counts as an id or counter.
func TestNumbersThatOnlyRiseAreNotWatched(t *testing.T) {
	var id, size Number
	for i := range 1000 {
		id.Add(float64(i))
		size.Add(float64(i % 7))
	}
	if id.Measures() || len(id.Values.Kept) >= trial {
		t.Errorf("a number that only rises measures: %t, %d values kept", id.Measures(), len(id.Values.Kept))
	}
	if !size.Measures() || size.Values.Seen != 1000 {
		t.Errorf("a size measures: %t, %d of 1000 values seen", size.Measures(), size.Values.Seen)
	}
	if len(size.Values.Kept) >= 1000 {
		t.Errorf("%d values kept: of many, only every second, fourth, and so on should be", len(size.Values.Kept))
	}
}
