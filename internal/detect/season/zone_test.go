// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package season

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata" // the test must not depend on the machine's time zones
)

// zones lists zones with rules of the northern and southern hemisphere, with half hours, and without rules.
var zones = []string{
	"UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "America/Sao_Paulo",
	"Africa/Casablanca", "Asia/Kathmandu", "Etc/GMT+12", "Pacific/Kiritimati",
}

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// want returns the result of the standard library.
func want(at time.Time) Local {
	return Local{Second: at.Hour()*3600 + at.Minute()*60 + at.Second(), Weekday: int(at.Weekday())}
}

func TestZoneAtRandom(t *testing.T) {
	from, to := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for _, name := range zones {
		loc := location(t, name)
		z := NewZone(loc)
		r := rand.New(rand.NewPCG(1, 1))
		for range 20000 {
			at := time.Unix(from+r.Int64N(to-from), r.Int64N(1e9))
			if got := z.At(at.UnixNano()); got != want(at.In(loc)) {
				t.Fatalf("%s: at %v: %+v, want %+v", name, at.In(loc), got, want(at.In(loc)))
			}
		}
	}
}

// TestZoneOverChanges compares minute by minute across clock changes and ends of years, in both directions, to verify
// that cached offsets are not used outside their validity. The library's own bounds are wrong on the last day of leap
// years from 2040 on.
func TestZoneOverChanges(t *testing.T) {
	for _, name := range zones {
		loc := location(t, name)
		z := NewZone(loc)
		for _, middle := range []time.Time{
			time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC), // Berlin
			time.Date(2026, 3, 8, 5, 30, 0, 0, time.UTC), time.Date(2026, 11, 1, 4, 30, 0, 0, time.UTC), // St. John's
			time.Date(2026, 4, 4, 15, 0, 0, 0, time.UTC), time.Date(2026, 10, 3, 15, 30, 0, 0, time.UTC), // Lord Howe
			time.Date(2039, 12, 31, 12, 0, 0, 0, time.UTC), time.Date(2040, 12, 31, 12, 0, 0, 0, time.UTC),
			time.Date(2044, 12, 31, 12, 0, 0, 0, time.UTC), time.Date(2096, 12, 31, 12, 0, 0, 0, time.UTC),
			time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC),
		} {
			for _, step := range []time.Duration{time.Minute, -time.Minute} {
				at := middle.Add(-1440 * step)
				for range 2880 {
					if got := z.At(at.UnixNano()); got != want(at.In(loc)) {
						t.Fatalf("%s: at %v: %+v, want %+v", name, at.In(loc), got, want(at.In(loc)))
					}
					at = at.Add(step)
				}
			}
		}
	}
}

// TestZoneLengthOfDay verifies that days have 23, 24, or 25 hours.
func TestZoneLengthOfDay(t *testing.T) {
	loc := location(t, "Europe/Berlin")
	z := NewZone(loc)
	for date, hours := range map[string]int{"2026-03-28": 24, "2026-03-29": 23, "2026-10-25": 25} {
		start, err := time.ParseInLocation(time.DateOnly, date, loc)
		if err != nil {
			t.Fatal(err)
		}
		weekday, n := z.At(start.UnixNano()).Weekday, 0
		for z.At(start.Add(time.Duration(n)*time.Hour).UnixNano()).Weekday == weekday {
			n++
		}
		if n != hours {
			t.Errorf("%s has %d hours, want %d", date, n, hours)
		}
	}
}

// TestZoneZeroValue verifies that the zero value is UTC, and that extreme times are valid.
func TestZoneZeroValue(t *testing.T) {
	var z Zone
	if got := z.At(0); got != (Local{Second: 0, Weekday: 4}) || got.Weekend() {
		t.Errorf("1970-01-01: %+v", got)
	}
	if got := z.At(-1e9); got != (Local{Second: day - 1, Weekday: 3}) {
		t.Errorf("the second before: %+v", got)
	}
	for d, weekend := range []bool{true, false, false, false, false, false, true} {
		if (Local{Weekday: d}).Weekend() != weekend {
			t.Errorf("day %d: weekend is not %v", d, weekend)
		}
	}
	for _, name := range zones {
		for _, at := range []int64{math.MinInt64, -1, 0, math.MaxInt64} {
			if l := NewZone(location(t, name)).At(at); l.Second < 0 || l.Second >= day || l.Weekday < 0 || l.Weekday > 6 {
				t.Errorf("%s: at %d: %+v", name, at, l)
			}
		}
	}
}
