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

// course is a daily season with a lower weekend.
func course(l Local) float64 {
	v := 100 + 40*math.Sin(2*math.Pi*float64(l.Second)/day)
	if l.Weekend() {
		v -= 30
	}
	return v
}

// through calls f at each step of the given number of days.
func through(from time.Time, days int, f func(t int64, l Local)) {
	var z Zone
	for i := range days * int(24*time.Hour/step) {
		t := from.Add(time.Duration(i) * step).UnixNano()
		f(t, z.At(t))
	}
}

func learned(days int) *Profile {
	p := &Profile{}
	r := rand.New(rand.NewPCG(2, 2))
	through(monday, days, func(t int64, l Local) { p.Learn(t, p.At(t, l), course(l)+r.NormFloat64(), 1) })
	return p
}

// TestProfileLearnsCourse verifies that the prediction of profile and level is the course.
func TestProfileLearnsCourse(t *testing.T) {
	p := learned(28)
	worst := 0.0
	through(monday.AddDate(0, 0, 28), 7, func(_ int64, l Local) {
		worst = max(worst, math.Abs(p.level+p.At(0, l).Offset-course(l)))
	})
	if worst > 15 { // of a course from 30 to 140, with a weekend that is 30 lower
		t.Errorf("the profile is off by up to %.1f", worst)
	}
}

// TestProfileIsSmooth verifies that the profile is a line between bins, with jumps only between weekday and weekend.
func TestProfileIsSmooth(t *testing.T) {
	p := learned(14)
	for s := 1; s < day; s++ {
		a, b := p.At(0, Local{Second: s - 1, Weekday: 2}).Offset, p.At(0, Local{Second: s, Weekday: 2}).Offset
		if math.Abs(a-b) > 0.02 {
			t.Fatalf("a jump of %g in second %d", b-a, s)
		}
	}
	if a, b := p.At(0, Local{Second: day - 1, Weekday: 2}).Offset, p.At(0, Local{Weekday: 3}).Offset; math.Abs(a-b) > 0.02 {
		t.Errorf("a jump of %g at midnight", b-a)
	}
}

// TestProfileIsRobust verifies that an anomalous hour does not become the expectation of the next day.
func TestProfileIsRobust(t *testing.T) {
	p := learned(23) // up to a Wednesday
	tuesday := monday.AddDate(0, 0, 23)
	at := Local{Second: 12*3600 + 1800, Weekday: 4}
	before, scale := p.level+p.At(0, at).Offset, p.scale
	through(tuesday, 1, func(t int64, l Local) {
		v := course(l)
		if l.Second/3600 == 12 {
			v += 1000
		}
		p.Learn(t, p.At(t, l), v, 1)
	})
	if moved := math.Abs(p.level + p.At(0, at).Offset - before); moved > 2*clip*binGain*scale {
		t.Errorf("an hour that was 1000 higher moved the next day's by %.1f, the scale being %.2f", moved, scale)
	}
}

// TestProfileTrust verifies that a point without trust changes only the scale, while the level continues by its
// slope.
func TestProfileTrust(t *testing.T) {
	p := learned(14)
	bins, lvl := p.bin, p.level+p.slope*float64(24*time.Hour)
	through(monday.AddDate(0, 0, 14), 1, func(t int64, l Local) { p.Learn(t, p.At(t, l), 1e6, 0) })
	if p.bin != bins || math.Abs(p.level-lvl) > 0.01 {
		t.Error("points without trust moved the profile")
	}
}

// TestProfileWeekendFallsBack verifies that the prediction of a first weekend equals that of weekdays.
func TestProfileWeekendFallsBack(t *testing.T) {
	p := learned(5) // Monday to Friday
	for s := 0; s < day; s += 600 {
		if a, b := p.At(0, Local{Second: s, Weekday: 6}).Offset, p.At(0, Local{Second: s, Weekday: 3}).Offset; a != b {
			t.Fatalf("second %d: Saturday %g, Wednesday %g", s, a, b)
		}
	}
	p = learned(28)
	noon := 12 * 3600
	if a, b := p.At(0, Local{Second: noon, Weekday: 6}).Offset, p.At(0, Local{Second: noon, Weekday: 3}).Offset; a > b-10 {
		t.Errorf("Saturday %g, Wednesday %g, though Saturdays are 30 lower", a, b)
	}
}

// TestProfileCadence verifies that the speed of learning does not depend on the cadence.
func TestProfileCadence(t *testing.T) {
	expect := func(cadence time.Duration) float64 {
		var p Profile
		var z Zone
		for at := monday; at.Before(monday.AddDate(0, 0, 12)); at = at.Add(cadence) {
			l := z.At(at.UnixNano())
			p.Learn(at.UnixNano(), p.At(at.UnixNano(), l), course(Local{Second: l.Second, Weekday: 2}), 1)
		}
		return p.At(0, Local{Second: 6 * 3600, Weekday: 2}).Offset - p.At(0, Local{Second: 18 * 3600, Weekday: 2}).Offset
	}
	if fast, slow := expect(time.Minute), expect(10*time.Minute); math.Abs(fast-slow) > 10 || fast < 55 {
		t.Errorf("a swing of 80 is %.1f learned by the minute, %.1f by ten", fast, slow)
	}
}

// TestProfileAfterManyPoints verifies that the number of points saturates without an effect.
func TestProfileAfterManyPoints(t *testing.T) {
	var p Profile
	var z Zone
	r := rand.New(rand.NewPCG(4, 4))
	for i := range math.MaxUint16 + 5000 {
		at := monday.Add(time.Duration(i) * step).UnixNano()
		l := z.At(at)
		if e := p.level + p.At(0, l).Offset - course(l); i > 20000 && !(math.Abs(e) < 20) {
			t.Fatalf("point %d: off by %g", i, e)
		}
		p.Learn(at, p.At(at, l), course(l)+r.NormFloat64(), 1)
	}
	if p.n != math.MaxUint16 {
		t.Errorf("%d points", p.n)
	}
}

// TestExtremes verifies that extreme values, repeated times, and backward times leave no NaN in the state.
func TestExtremes(t *testing.T) {
	var p Profile
	var m Spread
	r := rand.New(rand.NewPCG(3, 3))
	for range 30000 {
		at := r.Int64()
		l := Local{Second: r.IntN(day), Weekday: r.IntN(7)}
		v := math.Copysign([]float64{0, 1e150, 1e-300, 1}[r.IntN(4)], r.Float64()-0.5)
		p.Learn(at, p.At(at, l), v, r.Float64())
		m.Learn(at, l, min(10, math.Abs(v)), r.Float64())
		if x := p.At(0, l).Offset + p.level + p.scale + m.Ratio(l); math.IsNaN(x) || math.IsInf(x, 0) {
			t.Fatalf("%g: %+v, %+v", v, p, m)
		}
	}
}

// TestProfileMatures verifies that the profile matures by time, and only for hours that it has seen on a day of the
// same kind.
func TestProfileMatures(t *testing.T) {
	var p Profile
	for at := range 8 * 24 {
		when := monday.Add(time.Duration(at) * time.Hour)
		l := (&Zone{}).At(when.UnixNano())
		want := at >= 36 && (at < 5*24 || at >= 6*24)
		if at > 36+24 && at%24 < 23 && at/24 != 5 && at/24 != 6 && p.At(when.UnixNano(), l).Mature != want {
			t.Fatalf("after %d hours mature is %v", at, !want)
		}
		if at < 36 && p.At(when.UnixNano(), l).Mature {
			t.Fatalf("mature after %d hours", at)
		}
		if l.Weekend() && at < 5*24+1 && p.At(when.UnixNano(), l).Mature {
			t.Fatalf("mature on a weekend that was never seen")
		}
		p.Learn(when.UnixNano(), p.At(when.UnixNano(), l), 100, 1)
	}
}

// TestProfileShiftAndFollow verifies that Shift and Follow change only the level.
func TestProfileShiftAndFollow(t *testing.T) {
	p := learned(9)
	before := *p
	if p.Shift(25); p.level != before.level+25 || p.bin != before.bin || p.scale != before.scale {
		t.Error("Shift moved more than the level")
	}
	*p = before
	through(monday.AddDate(0, 0, 9), 3, func(t int64, l Local) { p.Follow(t, p.At(t, l), course(l)+50) })
	if p.bin != before.bin || p.scale != before.scale || p.level < before.level+2 {
		t.Errorf("Follow: level %g, was %g; bins equal %v", p.level, before.level, p.bin == before.bin)
	}
}

// TestSpreadByHour verifies that a nightly job widens the interval only at night, at any cadence.
func TestSpreadByHour(t *testing.T) {
	for _, cadence := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute} {
		var s Spread
		var z Zone
		r := rand.New(rand.NewPCG(5, 5))
		for at := monday; at.Before(monday.AddDate(0, 0, 14)); at = at.Add(cadence) {
			l := z.At(at.UnixNano())
			size := 1.0
			if l.Second/3600 == 2 {
				size = 5
			}
			s.Learn(at.UnixNano(), l, size*2*r.Float64(), 1)
		}
		if night, noon := s.Ratio(Local{Second: 2*3600 + 600}), s.Ratio(Local{Second: 15 * 3600}); night < 3 || night > 6 || noon < 0.8 || noon > 1.2 {
			t.Errorf("every %v: ratio %.2f at 2 h and %.2f at 15 h, want about 5 and 1", cadence, night, noon)
		}
	}
}

// TestSpreadBounds verifies that a spread with little data has the same size in all hours, and that it is bounded.
func TestSpreadBounds(t *testing.T) {
	var s Spread
	noon := Local{Second: 12 * 3600}
	if got := s.Ratio(noon); got != 1 {
		t.Errorf("the ratio of a new spread is %g", got)
	}
	at := monday.UnixNano()
	for _, c := range []struct{ z, least, most float64 }{{1000, mostRatio, mostRatio}, {0, leastRatio, leastRatio}} {
		for range 24 * 20 {
			at += int64(time.Hour) / 4
			s.Learn(at, noon, c.z, 1)
		}
		if got := s.Ratio(noon); got < c.least || got > c.most {
			t.Errorf("after errors of %g the ratio is %g", c.z, got)
		}
	}
	before := s
	s.Learn(at+int64(time.Hour), noon, 5, 0)
	if s.ratio != before.ratio {
		t.Error("a point without trust was learned")
	}
}

func TestStateRoundTrip(t *testing.T) {
	p := learned(9)
	var m Spread
	through(monday, 9, func(t int64, l Local) { m.Learn(t, l, math.Abs(course(l)-100)/20, 1) })
	w := state.Writer(nil)
	p.State(w)
	m.State(w)
	var q Profile
	var n Spread
	c := state.Reader(w.Bytes())
	q.State(c)
	n.State(c)
	if err := c.End(); err != nil || q != *p || n != m {
		t.Errorf("%v: profile equal %v, spread equal %v", err, q == *p, n == m)
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

// TestProfileOfNoise verifies from the first day on that the season of noise is not larger than the noise allows, at
// any cadence.
func TestProfileOfNoise(t *testing.T) {
	for _, cadence := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute} {
		worst := 0.0
		for seed := range uint64(5) {
			var p Profile
			var z Zone
			r := rand.New(rand.NewPCG(seed, 6))
			for at := monday; at.Before(monday.AddDate(0, 0, 3)); at = at.Add(cadence) {
				l := z.At(at.UnixNano())
				worst = max(worst, math.Abs(p.At(0, l).Offset))
				p.Learn(at.UnixNano(), p.At(at.UnixNano(), l), 100+r.NormFloat64(), 1)
			}
		}
		if worst > 3 {
			t.Errorf("every %v: the season of noise of size 1 reaches %.1f", cadence, worst)
		}
	}
}
