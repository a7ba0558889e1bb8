// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package season

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/auspex-otel/auspex/internal/state"
)

const step = 5 * time.Minute

// monday is the start of a week.
var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// course is a daily course with a lower weekend.
func course(l Local) float64 {
	v := 100 + 40*math.Sin(2*math.Pi*float64(l.Second)/day)
	if l.Weekend() {
		v -= 30
	}
	return v
}

// through calls f at each step of some days from the given one on.
func through(from time.Time, days int, f func(t int64, l Local)) {
	var z Zone
	for i := range days * int(24*time.Hour/step) {
		t := from.Add(time.Duration(i) * step).UnixNano()
		f(t, z.At(t))
	}
}

func TestMeansLearnDailyCourse(t *testing.T) {
	var m Means
	r := rand.New(rand.NewPCG(1, 1))
	through(monday, 28, func(_ int64, l Local) { m.Observe(l, course(l)+r.NormFloat64()) })
	var half, lvl, n float64
	through(monday.AddDate(0, 0, 28), 7, func(_ int64, l Local) {
		got := m.Observe(l, course(l)+r.NormFloat64())
		if !got.Known {
			t.Fatalf("at %+v nothing is known", l)
		}
		half += got.Half * got.Half
		if !l.Weekend() && l.Weekday > 1 {
			lvl += got.Level * got.Level
		}
		n++
	})
	// The course itself has a deviation of 28 on weekdays; a half hour of it spans up to 5.
	if half, lvl = math.Sqrt(half/n), math.Sqrt(lvl/n); half > 3 || lvl > 15 {
		t.Errorf("residuals of %.1f from the half hours, %.1f from the level", half, lvl)
	}
}

// Each half hour is news until it has been seen.
func TestMeansKnown(t *testing.T) {
	var m Means
	through(monday, 14, func(at int64, l Local) {
		known := m.Observe(l, 1).Known
		since := time.Unix(0, at).Sub(monday)
		first := since < 24*time.Hour || since >= 5*24*time.Hour && since < 6*24*time.Hour // Monday, Saturday
		if want := !first || since%(30*time.Minute) >= enough*step; known != want {
			t.Fatalf("after %v: known is %v", since, known)
		}
	})
}

// What a value is above its half hour is told before the value is learned.
func TestMeansJudgeFirst(t *testing.T) {
	var m Means
	l := Local{Second: 3600, Weekday: 1}
	for range 500 {
		m.Observe(l, 10)
	}
	if got := m.Observe(l, 17); math.Abs(got.Half-7) > 1e-9 || math.Abs(got.Level-7) > 1e-9 {
		t.Errorf("got %+v, want 7", got)
	}
	if got := m.Observe(l, 10); math.Abs(got.Half+0.7) > 1e-9 {
		t.Errorf("the half hour moved by %g, want %g", -got.Half, 7*gain)
	}
}

func learned(days int) *Profile {
	p := &Profile{}
	r := rand.New(rand.NewPCG(2, 2))
	through(monday, days, func(t int64, l Local) { p.Learn(t, l, course(l)+r.NormFloat64(), 1) })
	return p
}

// What the profile expects, with its level, is the course.
func TestProfileLearnsCourse(t *testing.T) {
	p := learned(28)
	worst := 0.0
	through(monday.AddDate(0, 0, 28), 7, func(_ int64, l Local) {
		worst = max(worst, math.Abs(p.level+p.Expect(l)-course(l)))
	})
	if worst > 15 { // of a course from 30 to 140, with a weekend that is 30 lower
		t.Errorf("the profile is off by up to %.1f", worst)
	}
}

// The profile is a line between bins: it jumps nowhere but between weekday and weekend.
func TestProfileIsSmooth(t *testing.T) {
	p := learned(14)
	for s := 1; s < day; s++ {
		a, b := p.Expect(Local{Second: s - 1, Weekday: 2}), p.Expect(Local{Second: s, Weekday: 2})
		if math.Abs(a-b) > 0.02 {
			t.Fatalf("a jump of %g in second %d", b-a, s)
		}
	}
	if a, b := p.Expect(Local{Second: day - 1, Weekday: 2}), p.Expect(Local{Weekday: 3}); math.Abs(a-b) > 0.02 {
		t.Errorf("a jump of %g at midnight", b-a)
	}
}

// One strange hour does not become tomorrow's expectation.
func TestProfileIsRobust(t *testing.T) {
	p := learned(23) // up to a Wednesday
	tuesday := monday.AddDate(0, 0, 23)
	at := Local{Second: 12*3600 + 1800, Weekday: 4}
	before, scale := p.level+p.Expect(at), p.scale
	through(tuesday, 1, func(t int64, l Local) {
		v := course(l)
		if l.Second/3600 == 12 {
			v += 1000
		}
		p.Learn(t, l, v, 1)
	})
	if moved := math.Abs(p.level + p.Expect(at) - before); moved > 2*clip*binGain*scale {
		t.Errorf("an hour that was 1000 higher moved the next day's by %.1f, the scale being %.2f", moved, scale)
	}
}

// A point that is not trusted moves nothing but the scale.
func TestProfileTrust(t *testing.T) {
	p := learned(14)
	bins, lvl := p.bin, p.level
	through(monday.AddDate(0, 0, 14), 1, func(t int64, l Local) { p.Learn(t, l, 1e6, 0) })
	if p.bin != bins || p.level != lvl {
		t.Error("points without trust moved the profile")
	}
}

// A weekend that was never seen is expected to be as a weekday, hour by hour.
func TestProfileWeekendFallsBack(t *testing.T) {
	p := learned(5) // Monday to Friday
	for s := 0; s < day; s += 600 {
		if a, b := p.Expect(Local{Second: s, Weekday: 6}), p.Expect(Local{Second: s, Weekday: 3}); a != b {
			t.Fatalf("second %d: Saturday %g, Wednesday %g", s, a, b)
		}
	}
	p = learned(28)
	noon := 12 * 3600
	if a, b := p.Expect(Local{Second: noon, Weekday: 6}), p.Expect(Local{Second: noon, Weekday: 3}); a > b-10 {
		t.Errorf("Saturday %g, Wednesday %g, though Saturdays are 30 lower", a, b)
	}
}

// The gains are per time: a cadence of 15 s learns as fast per day as one of 5 min.
func TestProfileCadence(t *testing.T) {
	expect := func(cadence time.Duration) float64 {
		var p Profile
		var z Zone
		for at := monday; at.Before(monday.AddDate(0, 0, 12)); at = at.Add(cadence) {
			l := z.At(at.UnixNano())
			p.Learn(at.UnixNano(), l, course(Local{Second: l.Second, Weekday: 2}), 1)
		}
		return p.Expect(Local{Second: 6 * 3600, Weekday: 2}) - p.Expect(Local{Second: 18 * 3600, Weekday: 2})
	}
	if fast, slow := expect(time.Minute), expect(10*time.Minute); math.Abs(fast-slow) > 10 || fast < 55 {
		t.Errorf("a swing of 80 is %.1f learned by the minute, %.1f by ten", fast, slow)
	}
}

// The number of points stops at what it can hold, and nothing changes there.
func TestProfileAfterManyPoints(t *testing.T) {
	var p Profile
	var z Zone
	r := rand.New(rand.NewPCG(4, 4))
	for i := range math.MaxUint16 + 5000 {
		at := monday.Add(time.Duration(i) * step).UnixNano()
		l := z.At(at)
		if e := p.level + p.Expect(l) - course(l); i > 20000 && !(math.Abs(e) < 20) {
			t.Fatalf("point %d: off by %g", i, e)
		}
		p.Learn(at, l, course(l)+r.NormFloat64(), 1)
	}
	if p.n != math.MaxUint16 {
		t.Errorf("%d points", p.n)
	}
}

// Extreme values, repeated and backward times leave nothing that is not a number.
func TestExtremes(t *testing.T) {
	var p Profile
	var m Means
	r := rand.New(rand.NewPCG(3, 3))
	for range 30000 {
		at := r.Int64()
		l := Local{Second: r.IntN(day), Weekday: r.IntN(7)}
		v := math.Copysign([]float64{0, 1e150, 1e-300, 1}[r.IntN(4)], r.Float64()-0.5)
		p.Learn(at, l, v, r.Float64())
		got := m.Observe(l, v)
		if x := p.Expect(l) + p.level + p.scale + got.Half + got.Level; math.IsNaN(x) || math.IsInf(x, 0) {
			t.Fatalf("%g: %+v, %+v", v, p, got)
		}
	}
}

func TestStateRoundTrip(t *testing.T) {
	p := learned(9)
	var m Means
	through(monday, 9, func(_ int64, l Local) { m.Observe(l, course(l)) })
	w := state.Writer(nil)
	p.State(w)
	m.State(w)
	var q Profile
	var n Means
	c := state.Reader(w.Bytes())
	q.State(c)
	n.State(c)
	if err := c.End(); err != nil || q != *p || n != m {
		t.Errorf("%v: profile equal %v, means equal %v", err, q == *p, n == m)
	}
	for _, b := range [][]byte{nil, w.Bytes()[:len(w.Bytes())-1], bytes.Repeat([]byte{0xff}, len(w.Bytes()))} {
		c := state.Reader(b)
		q.State(c)
		n.State(c)
		if c.End() == nil {
			t.Errorf("%d bytes accepted", len(b))
		}
	}
}
