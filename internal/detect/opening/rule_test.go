// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package opening

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/auspex-otel/auspex/internal/state"
)

// next passes quiet points to the rule, then the score.
func next(r *Rule, quiet int, score float64) float64 {
	for range quiet {
		r.Next(0, false)
	}
	return r.Next(score, false)
}

func TestRule(t *testing.T) {
	for name, c := range map[string]struct {
		score []float64
		want  []float64
	}{
		"a lone peak":            {[]float64{0, 2, 0}, []float64{0, 2, 0}},
		"the first point":        {[]float64{3}, []float64{3}},
		"as strange":             {[]float64{2, 2}, []float64{2, 0}},
		"less strange":           {[]float64{2, 1.5}, []float64{2, 0}},
		"stranger":               {[]float64{2, 2.5, 2.4, 2.6}, []float64{2, 2.5, 0, 2.6}},
		"below the floor":        {[]float64{0.5, 0.51}, []float64{0, 0.51}},
		"below the threshold":    {[]float64{0.7, 0.6, 0.9}, []float64{0.7, 0, 0.9}},
		"a low peak hides lower": {[]float64{0.9, 0.8, 1.1}, []float64{0.9, 0, 1.1}},
		"not a number":           {[]float64{math.NaN(), 2}, []float64{0, 2}},
		"negative":               {[]float64{-1, 2}, []float64{0, 2}},
	} {
		var r Rule
		for i, s := range c.score {
			if got := r.Next(s, false); got != c.want[i] {
				t.Errorf("%s: point %d: %g, want %g", name, i, got, c.want[i])
			}
		}
	}
}

// TestCooldown verifies that a peak lasts exactly for the cooldown.
func TestCooldown(t *testing.T) {
	var r Rule
	next(&r, 10, 2)
	if got := next(&r, Cooldown-1, 1.5); got != 0 {
		t.Errorf("a lower peak %d points later opens with %g", Cooldown, got)
	}
	r = Rule{}
	next(&r, 10, 2)
	if got := next(&r, Cooldown, 1.5); got != 1.5 {
		t.Errorf("a lower peak %d points later: %g, want 1.5", Cooldown+1, got)
	}
}

// TestLesserScoresDoNotProlong verifies that scores that do not open do not prolong the peak, so that a lasting
// episode opens again.
func TestLesserScoresDoNotProlong(t *testing.T) {
	var r Rule
	openings := 0
	for range 10 * Cooldown {
		if r.Next(2, false) > 0 {
			openings++
		}
	}
	if openings < 9 || openings > 10 {
		t.Errorf("%d openings in ten cooldowns at one score, want one in each", openings)
	}
}

// openingsOf counts the openings at score 1, while the series is held.
func openingsOf(r *Rule, scores ...float64) (n int) {
	for _, s := range scores {
		if r.Next(s, true) >= 1 {
			n++
		}
	}
	return n
}

// TestHeldOpensOnce verifies that a lasting change opens once while the series is held, and without the hold once per
// cooldown.
func TestHeldOpensOnce(t *testing.T) {
	scores := slices.Repeat([]float64{2}, 10*Cooldown)
	var held Rule
	if n := openingsOf(&held, scores...); n != 1 {
		t.Errorf("%d openings in ten cooldowns while held, want 1", n)
	}
	// Quiet points of a held series prolong the peak as well.
	var fading Rule
	if n := openingsOf(&fading, slices.Concat([]float64{2}, make([]float64, 5*Cooldown), []float64{2})...); n != 1 {
		t.Errorf("%d openings around quiet points while held, want 1", n)
	}
}

// TestHeldOpensAgainWhereItGrows verifies that a held series opens again only at a score that is greater by a
// quarter.
func TestHeldOpensAgainWhereItGrows(t *testing.T) {
	for _, c := range []struct {
		second float64
		want   int
	}{{2.1, 1}, {2 * grown, 1}, {2*grown + 0.01, 2}, {6, 2}} {
		var r Rule
		if n := openingsOf(&r, 2, 0, c.second); n != c.want {
			t.Errorf("2, then %g: %d openings, want %d", c.second, n, c.want)
		}
	}
}

// TestHeldLeak verifies that growth in small steps counts from the latest opening, so that a leak does not open at
// every step.
func TestHeldLeak(t *testing.T) {
	var r Rule
	var scores []float64
	for s := 2.0; s < 20; s *= 1.01 {
		scores = append(scores, s)
	}
	// ln 10 / ln 1.26 = 10 steps of a quarter.
	if n := openingsOf(&r, scores...); n < 9 || n > 11 {
		t.Errorf("a tenfold growth opens %d times, want about 10", n)
	}
}

// TestHeldAfterTheCooldown verifies that a hold that starts after the end of a peak does not revive it.
func TestHeldAfterTheCooldown(t *testing.T) {
	var r Rule
	next(&r, 0, 3)
	for range Cooldown {
		r.Next(0, false)
	}
	if got := r.Next(2, true); got != 2 {
		t.Errorf("%d points after a peak of 3, held: %g, want 2", Cooldown+1, got)
	}
}

// TestAfterTheHold verifies that a peak lasts for one more cooldown after the hold.
func TestAfterTheHold(t *testing.T) {
	for _, c := range []struct {
		quiet int
		want  float64
	}{{Cooldown - 1, 0}, {Cooldown, 1.5}} {
		var r Rule
		openingsOf(&r, slices.Repeat([]float64{2}, 3*Cooldown)...)
		if got := next(&r, c.quiet, 1.5); got != c.want {
			t.Errorf("%d points after the hold: %g, want %g", c.quiet+1, got, c.want)
		}
	}
}

// TestTurnOver verifies that the overflow of the number of points after 4 billion is harmless.
func TestTurnOver(t *testing.T) {
	r := Rule{points: math.MaxUint32 - 5}
	next(&r, 0, 2)
	if got := next(&r, 20, 1.5); got != 0 {
		t.Errorf("20 points later, over the end: %g, want 0", got)
	}
	if got := next(&r, Cooldown, 1.5); got != 1.5 {
		t.Errorf("%d points later, over the end: %g, want 1.5", Cooldown+21, got)
	}
}

func TestStateRoundTrip(t *testing.T) {
	var r, again Rule
	next(&r, 7, 2.25)
	next(&r, 3, 1)
	c := state.Writer(nil)
	r.State(c)
	whole := c.Bytes()
	c = state.Reader(whole)
	if again.State(c); c.End() != nil || again != r {
		t.Errorf("%v: %+v, want %+v", c.End(), again, r)
	}
	for _, bad := range [][]byte{nil, whole[:len(whole)-1], append(slices.Clip(whole), 0), bytes.Repeat([]byte{0xff}, len(whole)), bytes.Repeat([]byte{0xbf}, len(whole))} {
		c = state.Reader(bad)
		if again.State(c); c.End() == nil {
			t.Errorf("%d bytes accepted", len(bad))
		}
	}
}

// TestPass verifies that points that were not recorded count toward the cooldown.
func TestPass(t *testing.T) {
	for _, c := range []struct {
		missed uint32
		want   float64
	}{{Cooldown - 2, 0}, {Cooldown, 2}} {
		var r Rule
		r.Next(3, false)
		r.Pass(c.missed)
		if got := r.Next(2, false); got != c.want {
			t.Errorf("%d missed points after a peak of 3: the opening score of 2 is %v, not %v", c.missed, got, c.want)
		}
	}
}

// TestHeldPeakBelowThreshold verifies that a peak below the threshold does not prevent a held series from opening.
func TestHeldPeakBelowThreshold(t *testing.T) {
	var r Rule
	if got := r.Next(0.99, false); got != 0.99 {
		t.Fatalf("%g", got)
	}
	for range 300 {
		if got := r.Next(0.4, true); got != 0 {
			t.Fatalf("%g", got)
		}
	}
	if got := r.Next(1.1, true); got != 1.1 {
		t.Errorf("%g, want an opening", got)
	}
	if got := r.Next(1.2, true); got != 0 {
		t.Errorf("%g, want none: it has opened", got)
	}
}
