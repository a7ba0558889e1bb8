// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"fmt"
	"testing"
)

func TestLossOfTheCoreIsTold(t *testing.T) {
	start := func(written, dispatched int) string {
		return fmt.Sprintf("2026-11-22T10:00:00Z\tinfo\tqueue\tLoaded queue metadata\t{\"readIndex\": 7, \"writeIndex\": %d, \"itemsSize\": 0, \"bytesSize\": 0, \"dispatchedItems\": %d}\n", written, dispatched)
	}
	gone := "2026-11-22T10:00:00Z\twarn\tqueue\tFailed retrieving item\t{\"key\": \"6\"}\n"
	for name, test := range map[string]struct {
		log  string
		want int
	}{
		"nothing in flight":           {start(9, 0) + start(20, 1), 0},
		"killed before the deletion":  {start(9, 1) + start(9, 1) + start(10, 0), 0},
		"killed after the deletion":   {start(9, 1) + start(9, 1) + gone + start(9, 0), 1},
		"killed once it is written":   {start(9, 1) + start(10, 1) + gone + start(30, 1), 0},
		"killed between two of three": {start(9, 3) + start(11, 3) + gone + gone + gone, 1},
	} {
		got, proof := LostByCore(test.log)
		if got != test.want || len(proof) != 2*test.want {
			t.Errorf("%s: %d requests lost, want %d: %v", name, got, test.want, proof)
		}
	}
}
