// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package causes

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A service that comes seldom has not vanished because it has not come for a while.
func TestVanishedGoesByWhatIsUsual(t *testing.T) {
	start := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	c := New(nil, time.Hour)
	for s := 0.0; s <= 600; s += 10 {
		c.hear("often", at(s).UnixNano())
	}
	for s := 0.0; s <= 600; s += 120 {
		c.hear("seldom", at(s).UnixNano())
	}
	for after, want := range map[float64][]string{20: nil, 40: {"often"}, 300: {"often"}, 400: {"often", "seldom"}} {
		c.reached = at(600 + after).UnixNano()
		var got []string
		for _, ev := range c.vanished(at(600 + after)) {
			got = append(got, ev.Service)
		}
		if after > blameFor.Seconds() {
			assert.Empty(t, got, "what went long before is not of this incident")
			for _, ev := range c.vanished(at(610)) {
				got = append(got, ev.Service)
			}
		}
		assert.Equal(t, want, got, after)
	}
}
