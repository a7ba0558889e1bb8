// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"math"
	"slices"
	"testing"
)

// kindOf returns a fault by name.
func kindOf(t *testing.T, name string) faultKind {
	t.Helper()
	i := slices.Index(faultNames(), name)
	if i < 0 {
		t.Fatalf("no fault %q", name)
	}
	return faultKinds[i]
}

func everything(o *options) { o.Season, o.Trend, o.Missing, o.Restarts = 1, 1, 0.02, 0.5 }

// TestNoChange verifies that a change without an effect returns the series, in every family.
func TestNoChange(t *testing.T) {
	for kind := range kinds {
		s := draw(specOf(kind, everything), 0)
		value, present := newChange(5000, 300).apply(s)
		if !slices.Equal(value, s.value[5000:5300]) || !slices.Equal(present, s.present[5000:5300]) {
			t.Errorf("%s: differs without a change", kind)
		}
	}
}

// TestEveryFaultChanges verifies that every fault of a family changes the series from its stated start.
func TestEveryFaultChanges(t *testing.T) {
	for kind := range kinds {
		sp := specOf(kind, everything)
		made := map[string]bool{}
		for index := range 8 {
			s := draw(sp, index)
			for _, tr := range s.trials(sp, index) {
				if tr.fault < 0 {
					continue
				}
				name := sp.Faults[tr.fault]
				n := len(tr.value)
				if tr.start < s.warm || tr.start+n > s.slots() {
					t.Fatalf("%s, %s: slots %d to %d of %d", kind, name, tr.start, tr.start+n, s.slots())
				}
				if !slices.Equal(tr.value, s.value[tr.start:tr.start+n]) || !slices.Equal(tr.present, s.present[tr.start:tr.start+n]) {
					made[name] = true
				}
			}
		}
		for _, name := range faultNames() {
			able := !slices.Contains(kinds[kind].not, name)
			switch name {
			case "season phase", "season shape":
				able = kinds[kind].seasons
			case "missing peak":
				able = kinds[kind].seasons || kind == "batch"
			case "trend break":
				able = kinds[kind].trends
			}
			if made[name] != able {
				t.Errorf("%s, %s: made %v, want %v", kind, name, made[name], able)
			}
		}
	}
}

// moved returns the deviation of the latent of a rate in σ, by slot.
func moved(s *series, c *change) []float64 {
	value, _ := c.apply(s)
	for j := range value {
		value[j] = (value[j] - s.value[c.start+j]) / s.sigma
	}
	return value
}

func TestSizes(t *testing.T) {
	s := draw(specOf("rate", everything), 3)
	r := rngOf(1, "", 0)
	farthest := func(x []float64) float64 {
		return slices.MaxFunc(x, func(a, b float64) int { return int(1e9 * (math.Abs(a) - math.Abs(b))) })
	}
	at := s.warm
	for _, k := range []float64{2, 4, 8} {
		for _, name := range []string{"spike", "level up", "level down", "season phase", "season shape", "missing peak"} {
			c := kindOf(t, name).make(s, r, at, k, 1)
			for later := at; c == nil && later < at+s.perDay(); later++ { // some hours do not have enough of a season
				c = kindOf(t, name).make(s, r, later, k, 1)
			}
			if c == nil {
				t.Fatalf("%s of %g σ is not made", name, k)
			}
			want := k
			if name == "level down" || name == "missing peak" {
				want = -k
			}
			if x := farthest(moved(s, c)); math.Abs(math.Abs(x)-k) > 0.05*k || want < 0 && x > 0 {
				t.Errorf("%s of %g σ: %g", name, want, x)
			}
		}
		leak := moved(s, kindOf(t, "slow leak").make(s, r, at, k, 1))
		near(t, "leak after 60 points", leak[59], k, 1e-6)
		near(t, "leak after 240 points", leak[239], 4*k, 1e-6)
		turn := moved(s, kindOf(t, "trend break").make(s, r, at, k, 1))
		near(t, "trend after 30 points", turn[29], -k*math.Copysign(1, s.trend), 1e-6)
		burst := moved(s, kindOf(t, "burst").make(s, r, at, k, -1))
		for j, x := range burst {
			if inside := j < 8; inside && !(x <= -k/2+1e-9 && x >= -1.5*k) || !inside && x != 0 {
				t.Errorf("burst of %g σ: %g at its point %d", k, x, j)
			}
		}
	}
}

// TestPhaseIsLate verifies that a delayed phase returns the values that were due earlier.
func TestPhaseIsLate(t *testing.T) {
	s := draw(specOf("rate", everything), 3)
	c := kindOf(t, "season phase").make(s, nil, s.warm+s.perDay()/3, 4, 1)
	late := int64(0)
	for d := int64(0); d < 6*day/24; d += day / 1440 {
		off := 0.0
		for j, x := range c.add {
			i := c.start + j
			off = max(off, math.Abs(s.season.at(s.at[i]-d)-s.seasonal[i]-x))
		}
		if off < 0.2*s.sigma {
			late = d
			break
		}
	}
	if late == 0 {
		t.Error("the season is not that of some minutes before")
	}
}

func TestVariance(t *testing.T) {
	for _, kind := range []string{"rate", "queue"} {
		s := draw(specOf(kind, func(o *options) { o.Phi = []float64{0.6} }), 0)
		for _, gain := range []float64{4, 0.25} {
			c := spread(s.warm, gain)
			out := make([]float64, 120)
			s.signal.latent(s, c.start, c.end, c.gain, out)
			if kind == "queue" {
				if _, sd := spreadOf(out); gain > 1 && sd < 2*s.sigma {
					t.Errorf("queue: deviation %g σ", sd/s.sigma)
				}
				continue
			}
			before := s.noise[c.start-1]
			e := make([]float64, 120)
			for j := range e {
				n := (out[j] - s.center[c.start+j]) / s.sigma
				e[j] = n - s.phi*before
				before = n
			}
			_, sd := spreadOf(e)
			_, was := spreadOf(s.eps[c.start:c.end])
			near(t, "deviation over the usual", sd/was, gain, 1e-9*gain+1e-9)
		}
	}
}

func TestFlatAndSilent(t *testing.T) {
	s := draw(specOf("rate", everything), 0)
	at := s.nextPresent(s.warm + 17)
	flat := kindOf(t, "flat line").make(s, nil, at, 0, 1)
	value, present := flat.apply(s)
	last := at - 1
	for !s.present[last] {
		last--
	}
	for j, v := range value {
		if v != s.value[last] {
			t.Errorf("flat line: %g at its slot %d, last value %g", v, j, s.value[last])
		}
	}
	if len(value) != 60 || !slices.Equal(present, s.present[at:at+60]) {
		t.Errorf("flat line of %d slots", len(value))
	}
	if _, present = kindOf(t, "silence").make(s, nil, at, 0, 1).apply(s); len(present) != 60 || slices.Contains(present, true) {
		t.Error("a silence has points")
	}
}

// TestTrials verifies that the sizes of one fault begin together at a slot with a point, and that faults without
// sizes are created once.
func TestTrials(t *testing.T) {
	sp := specOf("rate", everything)
	sp.Events = 2
	s := draw(sp, 0)
	starts := map[[2]int]int{}
	count := map[string]int{}
	last := 0
	for _, tr := range s.trials(sp, 0) {
		if tr.start < last {
			t.Error("not in order")
		}
		last = tr.start
		if tr.fault < 0 {
			count[sp.Decoys[tr.decoy]]++
			continue
		}
		name := sp.Faults[tr.fault]
		count[name]++
		if name == "missing peak" {
			continue // a greater cut begins earlier
		}
		if !s.present[tr.start] {
			t.Errorf("%s begins at a slot without a point", name)
		}
		id := [2]int{tr.fault, tr.event}
		if at, ok := starts[id]; ok && at != tr.start {
			t.Errorf("%s begins at %d and %d", name, at, tr.start)
		}
		starts[id] = tr.start
	}
	for name, want := range map[string]int{"spike": 6, "incident": 6, "flat line": 2, "silence": 2, scaleOutShare: 2, trafficDoubled: 0} {
		if count[name] != want {
			t.Errorf("%s: %d trials, want %d", name, count[name], want)
		}
	}
}

// TestDecoys verifies that doubled traffic keeps the ratio and halves its variance, and that a new instance takes its
// share.
func TestDecoys(t *testing.T) {
	s := draw(specOf("error_ratio", nil), 0)
	var was, now []float64
	for event := range 100 {
		c := s.decoyOf(trafficDoubled, rngOf(uint64(event), "", 0))
		value, _ := c.apply(s)
		was, now = append(was, s.value[c.start:c.end]...), append(now, value...)
	}
	m, sd := spreadOf(was)
	m2, sd2 := spreadOf(now)
	near(t, "mean over the usual", m2/m, 1, 0.05)
	near(t, "variance over the usual", sd2*sd2/(sd*sd), 0.5, 0.1)

	s = draw(specOf("rate", nil), 0)
	c := s.decoyOf(scaleOutShare, rngOf(1, "", 0))
	if share := -c.add[60] / s.center[c.start+60]; !(share >= 1.0/16 && share <= 1.0/5) || c.add[0] < c.add[4] {
		t.Errorf("an instance more takes %g, at first %g", share, -c.add[0]/s.center[c.start])
	}
}
