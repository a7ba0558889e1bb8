// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testdata/windows.txt lists the open windows, by the minute. A line with cron, duration, zone,
// and time range precedes the windows in that range.
func TestWindows(t *testing.T) {
	text, err := os.ReadFile("testdata/windows.txt")
	require.NoError(t, err)
	var out strings.Builder
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, " ") {
			continue
		}
		out.WriteString(line)
		if fields := strings.Split(strings.TrimSpace(line), " | "); len(fields) == 5 && !strings.HasPrefix(line, "#") {
			w := windowOf(t, fields[0], fields[1], fields[2])
			for _, stretch := range open(w, date(t, fields[3]), date(t, fields[4])) {
				out.WriteString("  " + stretch + "\n")
			}
		}
	}
	assert.Equal(t, string(text), out.String())
}

func windowOf(t *testing.T, cron, duration, zone string) *window {
	t.Helper()
	d, err := time.ParseDuration(duration)
	require.NoError(t, err)
	w, err := (&Maintenance{Cron: cron, Duration: d, Zone: zone}).compile()
	require.NoError(t, err)
	return w
}

func date(t *testing.T, text string) time.Time {
	t.Helper()
	d, err := time.Parse("2006-01-02T15:04Z", text)
	require.NoError(t, err)
	return d
}

// open returns the times when w is open, in its zone.
func open(w *window, from, to time.Time) (stretches []string) {
	const layout = "Mon 2006-01-02 15:04 MST"
	was := false
	begin := ""
	for at := from; !at.After(to); at = at.Add(time.Minute) {
		now := w.covers(at.UnixNano())
		switch {
		case now && !was:
			begin = at.In(w.zone).Format(layout)
		case !now && was:
			stretches = append(stretches, begin+" to "+at.In(w.zone).Format(layout))
		}
		was = now
	}
	if was {
		stretches = append(stretches, begin+" to the end")
	}
	return stretches
}

// A window includes its first nanosecond and excludes the one after its last.
func TestBoundsOfAWindow(t *testing.T) {
	w := windowOf(t, "0 2 * * *", "1h30m", "UTC")
	begin := date(t, "2026-05-04T02:00Z").UnixNano()
	end := date(t, "2026-05-04T03:30Z").UnixNano()
	for _, c := range []struct {
		at   int64
		want bool
	}{{begin - 1, false}, {begin, true}, {begin + 1, true}, {end - 1, true}, {end, false}, {begin, true}, {begin - 1, false}} {
		assert.Equal(t, c.want, w.covers(c.at), time.Unix(0, c.at).UTC())
	}
}

// The results do not depend on the order of times.
func TestAnswersDoNotDependOnTheOrderOfQuestions(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	from := date(t, "2026-01-01T00:00Z")
	for _, m := range []Maintenance{
		{Cron: "30 2 * * *", Duration: 2 * time.Hour, Zone: "Europe/Berlin"},
		{Cron: "*/20 * * * *", Duration: 7 * time.Minute, Zone: "America/New_York"},
		{Cron: "0 * * * *", Duration: 3 * time.Hour, Zone: "Asia/Kathmandu"},
		{Cron: "0 0 1 * *", Duration: 26 * time.Hour, Zone: "Australia/Lord_Howe"},
		{Cron: "0 0 29 2 *", Duration: 100 * time.Hour},
	} {
		unasked, err := m.compile()
		require.NoError(t, err)
		shared := *unasked
		at := from.UnixNano()
		inside := 0
		for range 20_000 {
			if random.IntN(3) == 0 {
				at = from.UnixNano() + random.Int64N(int64(230*outlook)) // almost the range of nanoseconds
			} else {
				at += random.Int64N(int64(2*time.Hour)) - int64(time.Hour)
			}
			alone := *unasked
			want := alone.covers(at)
			require.Equal(t, want, shared.covers(at), "%+v at %v", m, time.Unix(0, at).UTC())
			if want {
				inside++
			}
		}
		assert.NotZero(t, inside, "%+v", m)
	}
}

// A year of minutes in a zone agrees with its wall clock.
func TestWindowsAgreeWithTheClock(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"} {
		w := windowOf(t, "30 4 * * 1-5", "45m", zone)
		for at := date(t, "2026-01-01T00:00Z"); at.Year() < 2027; at = at.Add(time.Minute) {
			local := at.In(w.zone)
			minute := local.Hour()*60 + local.Minute()
			want := minute >= 4*60+30 && minute < 5*60+15 && local.Weekday() >= time.Monday && local.Weekday() <= time.Friday
			require.Equal(t, want, w.covers(at.UnixNano()), local)
		}
	}
}

func TestLookingUpDoesNotAllocate(t *testing.T) {
	w := windowOf(t, "30 2 * * 0", "2h", "Europe/Berlin")
	at := date(t, "2026-01-01T00:00Z").UnixNano()
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		w.lookUp(at)
		at += int64(11 * time.Hour)
	}))
}
