// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// specOf returns a spec of one family with a cadence of five minutes and otherwise only the options of the test.
func specOf(kind string, change func(*options)) *spec {
	o := options{
		Cadences: []period{period(5 * time.Minute)}, Phi: []float64{0}, Tails: []float64{0}, Zones: []string{"UTC"},
		Amplitude: span{10, 20},
	}
	if change != nil {
		change(&o)
	}
	return &spec{
		Seed: 7, Days: 28, Series: 1, Events: 1, Sizes: []float64{2, 4, 8}, Faults: faultNames(), Decoys: decoyNames,
		Families: []family{{Name: kind, Kind: kind, options: o}},
	}
}

func draw(sp *spec, index int) *series {
	s, _ := newSeries(sp, &sp.Families[0], index, false)
	return s
}

// spreadOf returns the mean and the standard deviation.
func spreadOf(x []float64) (m, sd float64) {
	m = mean(x)
	for _, v := range x {
		sd += (v - m) * (v - m)
	}
	return m, math.Sqrt(sd / float64(len(x)))
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %.5g, want %.5g ± %.2g", what, got, want, tolerance)
	}
}

// TestNoise verifies that the innovations of the latent have the stated σ and φ.
func TestNoise(t *testing.T) {
	for _, kind := range []string{"rate", "latency", "gauge", "sawtooth", "batch", "cache_ratio"} {
		for _, phi := range []float64{0, 0.6, 0.98} {
			for _, tail := range []float64{5, 10, 0} {
				s := draw(specOf(kind, func(o *options) { o.Phi, o.Tails = []float64{phi}, []float64{tail} }), 0)
				n := make([]float64, s.slots())
				for i := range n {
					n[i] = s.latent[i] - s.center[i]
				}
				e := make([]float64, len(n)-1)
				for i := range e {
					e[i] = n[i+1] - phi*n[i]
				}
				name := fmt.Sprintf("%s, φ %g, t%g", kind, phi, tail)
				_, sd := spreadOf(e)
				near(t, name+": σ", sd/s.sigma, 1, 0.06)
				var up, down float64
				for i := range e {
					up += n[i] * n[i+1]
					down += n[i] * n[i]
				}
				near(t, name+": φ estimated", up/down, phi, 0.03)
			}
		}
	}
}

// TestTailOfThree checks the quartile, .7649/√3, because a t with 3 degrees of freedom has no fourth moment.
func TestTailOfThree(t *testing.T) {
	r := rngOf(1, "", 0)
	inside := 0
	for range 100000 {
		if math.Abs(innovation(r, 3)) < 0.7649/math.Sqrt(3) {
			inside++
		}
	}
	near(t, "share within the quartiles", float64(inside)/100000, 0.5, 0.005)
}

func TestCounting(t *testing.T) {
	r := rngOf(1, "", 0)
	for _, m := range []float64{0.05, 2, 200} {
		x := make([]float64, 50000)
		for i := range x {
			x[i] = poisson(r.Float64(), m)
		}
		got, sd := spreadOf(x)
		near(t, "Poisson mean", got/m, 1, 0.05)
		near(t, "Poisson deviation", sd/math.Sqrt(m), 1, 0.03)
		for i := range x {
			x[i] = binomial(r.Float64(), m*100, 0.01)
		}
		got, sd = spreadOf(x)
		near(t, "binomial mean", got/m, 1, 0.05)
		near(t, "binomial deviation", sd/math.Sqrt(m*0.99), 1, 0.03)
	}
	if got := binomial(0.5, 10, 1); got != 10 {
		t.Errorf("ten certain tries gave %g", got)
	}
	if got := binomial(0.5, 10, 0); got != 0 {
		t.Errorf("ten hopeless tries gave %g", got)
	}
}

// TestValues verifies that counted values scatter by σ and stay in their range.
func TestValues(t *testing.T) {
	for kind, limits := range map[string][2]float64{
		"rate": {0, 1e9}, "latency": {0, 1e9}, "error_ratio": {0, 1}, "gauge": {0, 100}, "queue": {0, 1e9},
		"sawtooth": {0, 1e9}, "counter": {0, 1e9}, "batch": {0, 1e9}, "cache_ratio": {0, 1},
	} {
		for index := range 5 {
			s := draw(specOf(kind, func(o *options) { o.Season, o.Restarts, o.Trend = 1, 1, 1 }), index)
			for i, v := range s.value {
				if !(v >= limits[0] && v <= limits[1]) {
					t.Fatalf("%s: value %g at slot %d", kind, v, i)
				}
			}
			_, sd := spreadOf(s.value)
			switch kind {
			case "error_ratio", "counter":
				near(t, kind+": σ", sd/s.sigma, 1, 0.1)
			default:
				if sd == 0 {
					t.Errorf("%s does not move", kind)
				}
			}
		}
	}
}

func TestSeason(t *testing.T) {
	daily := draw(specOf("rate", func(o *options) { o.Season = 1 }), 0)
	low, high := math.Inf(1), 0.0
	for _, x := range daily.seasonal {
		low, high = min(low, x), max(high, x)
	}
	if high/daily.sigma < 9.9 || high/daily.sigma > 20 || low > 0.01*high {
		t.Errorf("a season from %g to %g σ, want 0 to 10 … 20", low/daily.sigma, high/daily.sigma)
	}
	near(t, "a day on", daily.season.at(epoch.UnixNano()+5*day), daily.season.at(epoch.UnixNano()+4*day), 1e-9)

	weekly := draw(specOf("rate", func(o *options) { o.Season, o.Weekly = 1, 1 }), 0)
	noon := epoch.UnixNano() + 16*int64(time.Hour)
	ratio := weekly.season.at(noon+5*day) / weekly.season.at(noon) // Saturday, Monday
	near(t, "weekend", ratio, weekly.season.weekend, 1e-9)
	if !(ratio >= 0.3 && ratio <= 0.8) {
		t.Errorf("weekends have %g of the season", ratio)
	}
	if s := draw(specOf("rate", nil), 0); s.season != nil {
		t.Error("a season where none was asked for")
	}
}

// TestDaylightSaving verifies that the season follows local time: Berlin's clocks changed on 30 March 2025.
func TestDaylightSaving(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	s := &season{zone: zone, amplitude: 1, trough: 4, power: 1, weekend: 1}
	before := time.Date(2025, time.March, 28, 9, 0, 0, 0, zone)
	after := time.Date(2025, time.March, 31, 9, 0, 0, 0, zone)
	if d := after.Sub(before); d != 71*time.Hour {
		t.Fatalf("three days of %v: the clock did not change", d)
	}
	near(t, "the same hour", s.at(after.UnixNano()), s.at(before.UnixNano()), 1e-12)
	if s.at(before.UnixNano()+3*day) == s.at(before.UnixNano()) {
		t.Error("the season went by UTC")
	}
}

func TestTimes(t *testing.T) {
	s := draw(specOf("counter", func(o *options) {
		o.Missing, o.Jitter, o.Cadences = 0.02, 0.1, []period{period(time.Minute)}
	}), 0)
	if s.slots() != maxSlot || s.warm != 7*1440 {
		t.Errorf("%d slots, %d of them warm-up", s.slots(), s.warm)
	}
	missing, early, late := 0, 0.0, 0.0
	for i, p := range s.present {
		if !p {
			missing++
		}
		d := float64(s.at[i]-s.at[0]-int64(i)*s.cadence) / float64(s.cadence)
		early, late = min(early, d), max(late, d)
	}
	near(t, "missing", float64(missing)/float64(s.slots()), 0.02, 0.002)
	near(t, "width of the jitter", late-early, 0.1, 0.001)

	s = draw(specOf("queue", func(o *options) { o.Restarts = 5 }), 0)
	restarts := 0
	for i, r := range s.restart {
		if !r {
			continue
		}
		restarts++
		if s.present[i-1] || !s.present[i] || s.latent[i] != 0 {
			t.Errorf("slot %d: a restart without a gap before it, or a queue that survived it", i)
		}
	}
	near(t, "restarts in four weeks", float64(restarts), 20, 12)
	if s = draw(specOf("rate", func(o *options) { o.Cadences, o.Season, o.Weekly = []period{period(10 * time.Second)}, 1, 1 }), 0); s.slots() != 4*8640 || s.warm != 2*8640 || s.season.weekend != 1 {
		t.Errorf("at 10 s: %d slots, %d of warm-up, weekends %g", s.slots(), s.warm, s.season.weekend)
	}
}

// TestSeeds verifies that another seed, family, or index draws other numbers, and that equal ones draw the same.
func TestSeeds(t *testing.T) {
	sp := specOf("rate", nil)
	a, b := draw(sp, 0), draw(sp, 0)
	for i := range a.value {
		if a.value[i] != b.value[i] {
			t.Fatalf("slot %d differs", i)
		}
	}
	c := draw(sp, 1)
	sp.Seed++
	if d := draw(sp, 0); c.value[0] == a.value[0] || d.value[0] == a.value[0] {
		t.Error("index or seed change nothing")
	}
}

// TestPlannedJob verifies that a planned job runs each day at the same time, from the first week on.
func TestPlannedJob(t *testing.T) {
	sp := specOf("rate", nil)
	s, windows := newSeries(sp, &sp.Families[0], 0, true)
	plain := draw(sp, 0)
	if len(windows) < 20 || len(windows) > 22 {
		t.Fatalf("%d runs in three weeks", len(windows))
	}
	for i, w := range windows {
		if i > 0 && w[0]-windows[i-1][0] != s.perDay() {
			t.Errorf("run %d begins at %d, the one before at %d", i, w[0], windows[i-1][0])
		}
		if x := (s.center[w[0]] - plain.center[w[0]]) / s.sigma; !(x >= 5 && x <= 20) {
			t.Errorf("a run of %g σ", x)
		}
		if w[1] < s.slots() && s.center[w[1]] != plain.center[w[1]] {
			t.Error("a run does not end")
		}
	}
	if first := windows[0][0] - 7*s.perDay(); s.center[first+1] == plain.center[first+1] {
		t.Error("no run in the warm-up")
	}
}
