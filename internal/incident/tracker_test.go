// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/state"
)

// after returns a point of a series with a cadence of ten seconds.
func after(series uint64, seconds int, score float64) Point {
	return Point{
		Series: series, Time: start.Add(time.Duration(seconds) * time.Second).UnixNano(), Cadence: int64(10 * time.Second),
		Score: score, Surprise: 10 * score, Kind: "high",
	}
}

func of(service string, series uint64) func() Subject {
	return func() Subject {
		return Subject{Series: fmt.Sprintf("%016x", series), Service: service, Metric: "m", Statistic: "value"}
	}
}

func TestActiveSeriesAreBounded(t *testing.T) {
	tracker := NewTracker()
	for i := range uint64(maxActive) {
		require.Equal(t, PhaseExposed, tracker.Observe(after(i, 0, 2), of("s", i)))
	}
	assert.Equal(t, PhaseNone, tracker.Observe(after(maxActive, 0, 2), of("s", maxActive)))
	assert.Len(t, tracker.Followed(), maxActive)
	assert.Equal(t, uint64(maxActive), tracker.Opened)
	assert.Equal(t, uint64(1), tracker.Refused)
	assert.False(t, tracker.Follows(maxActive))
	assert.Equal(t, PhaseExposed, tracker.Observe(after(7, 10, 2), of("s", 7)), "those that are followed go on")

	tracker.Silence(3, SeriesGone)
	assert.Equal(t, PhaseExposed, tracker.Observe(after(maxActive, 10, 2), of("s", maxActive)), "there is room again")
}

func TestAnomaliesListedInAnIncidentAreBounded(t *testing.T) {
	tracker := NewTracker()
	const n = maxListed + 50
	for i := range uint64(n) {
		tracker.Observe(after(i, 0, 2), of("s", i))
	}
	assert.Equal(t, map[string]int{"s": n}, tracker.OpenBy())
	require.Len(t, tracker.Incidents(""), 1)
	assert.Len(t, tracker.Incidents("")[0].Anomalies, maxListed)
	tracker.News()

	// The anomaly that is not listed closes as well, and so does the incident.
	for i := range uint64(n) {
		for s := 10; s <= 150; s += 10 {
			tracker.Observe(after(i, s, 0), of("s", i))
		}
	}
	anomalies, incidents := tracker.News()
	assert.Len(t, anomalies, n)
	assert.Equal(t, n, incidents[0].Count)
	require.Len(t, incidents, 1)
	assert.Equal(t, StateClosed, incidents[0].State)
	assert.Empty(t, tracker.OpenBy())
}

func TestClosedIncidentsAreBounded(t *testing.T) {
	tracker := NewTracker()
	const n = maxClosed + 20
	var ids []string
	for i := range n {
		tracker.Observe(after(1, i*1000, 2), of("s", 1))
		ids = append(ids, tracker.Incidents(StateOpen)[0].ID)
		tracker.Silence(1, SeriesGone)
	}
	list := tracker.Incidents(StateClosed)
	require.Len(t, list, maxClosed)
	assert.Equal(t, ids[n-1], list[0].ID, "the latest first")
	assert.Equal(t, ids[20], list[maxClosed-1].ID, "the oldest are forgotten")
	_, ok := tracker.Incident(ids[19])
	assert.False(t, ok)
	assert.Empty(t, tracker.Incidents(StateOpen))
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(ids))), n, "every id is its own")
}

func TestIDsFollowFromSeriesAndTime(t *testing.T) {
	open := func(service string, series uint64, seconds int) (string, string) {
		tracker := NewTracker()
		tracker.Observe(after(series, seconds, 2), of(service, series))
		anomalies, incidents := tracker.News()
		return anomalies[0].ID, incidents[0].ID
	}
	anomaly, incident := open("s", 1, 0)
	again, incidentAgain := open("s", 1, 0)
	assert.Equal(t, anomaly, again)
	assert.Equal(t, incident, incidentAgain)
	assert.Len(t, anomaly, 16)
	assert.NotEqual(t, anomaly, incident)
	seen := map[string]bool{anomaly: true}
	for _, other := range []struct {
		service string
		series  uint64
		seconds int
	}{{"s", 2, 0}, {"s", 1, 1}, {"s", 1, -1}, {"s", 1, 1000}} {
		id, _ := open(other.service, other.series, other.seconds)
		assert.False(t, seen[id])
		seen[id] = true
	}
}

func TestNewsIsToldOnce(t *testing.T) {
	tracker := NewTracker()
	tracker.Observe(after(1, 0, 2), of("s", 1))
	anomalies, incidents := tracker.News()
	require.Len(t, anomalies, 1)
	require.Len(t, incidents, 1)

	// Reported values are copies that do not change later.
	tracker.Observe(after(1, 10, 9), of("s", 1))
	assert.InDelta(t, 2, anomalies[0].MaxScore, 0)
	assert.InDelta(t, 2, incidents[0].Anomalies[0].MaxScore, 0)
	tracker.News()
	anomalies, incidents = tracker.News()
	assert.Empty(t, anomalies)
	assert.Empty(t, incidents)
}

func TestFollowing(t *testing.T) {
	tracker := NewTracker()
	assert.False(t, tracker.Follows(1))
	assert.False(t, tracker.Open(1))
	tracker.Observe(after(1, 0, 2), of("s", 1))
	assert.True(t, tracker.Follows(1))
	assert.True(t, tracker.Open(1))
	for s := 10; s <= 30; s += 10 {
		tracker.Observe(after(1, s, 0), of("s", 1))
	}
	assert.True(t, tracker.Follows(1), "in its cooldown")
	assert.False(t, tracker.Open(1))
	assert.Equal(t, []uint64{1}, tracker.Followed())
}

// TestExposedSeriesIsEndedAfterAGap verifies that the end of a series is reported if the anomaly is followed by a gap
// longer than the cooldown.
func TestExposedSeriesIsEndedAfterAGap(t *testing.T) {
	for _, quiet := range []int{3, 5, 8} { // just closed, in the tail, at its end
		tracker := NewTracker()
		tracker.Observe(after(1, 0, 2), of("s", 1))
		for i := range quiet {
			require.Equal(t, PhaseExposed, tracker.Observe(after(1, 10+10*i, 0), of("s", 1)))
		}
		assert.Equal(t, PhaseEnd, tracker.Observe(after(1, 2000, 0), of("s", 1)), "after %d quiet points", quiet)
		assert.Equal(t, PhaseNone, tracker.Observe(after(1, 2010, 0), of("s", 1)))
	}
}

// TestSilenceDoesNotMoveTheEndOfAnIncidentBack verifies that an incident lasts as long as any of its anomalies, even
// if the last one to close is a silent series that stopped much earlier.
func TestSilenceDoesNotMoveTheEndOfAnIncidentBack(t *testing.T) {
	tracker := NewTracker()
	tracker.Observe(after(2, 0, 2), of("s", 2)) // a single point
	for s := 0; s <= 100; s += 10 {
		tracker.Observe(after(1, s, 2), of("s", 1))
	}
	for s := 110; s <= 130; s += 10 {
		tracker.Observe(after(1, s, 0), of("s", 1))
	}
	before := tracker.Incidents("")[0]
	tracker.Silence(2, SeriesGone)
	tracker.Observe(after(1, 250, 0), of("s", 1))
	i := tracker.Incidents("")[0]
	assert.Equal(t, StateClosed, i.State)
	assert.Equal(t, "+130", clock(i.Closed), "one of its anomalies was open until then")
	assert.False(t, i.Updated.Before(before.Updated), "an update never lies before an earlier one: %s before %s", clock(i.Updated), clock(before.Updated))
}

// TestAnomaliesAreListedByTheTimeOfOpening verifies the order if event times of sources differ.
func TestAnomaliesAreListedByTheTimeOfOpening(t *testing.T) {
	tracker := NewTracker()
	tracker.Observe(after(1, 100, 2), of("s", 1))
	tracker.Observe(after(2, 50, 2), of("s", 2))
	list := tracker.Incidents("")[0].Anomalies
	assert.Equal(t, []string{"+50", "+100"}, []string{clock(list[0].Opened), clock(list[1].Opened)})
}

func TestSavedStateThatContradictsItselfIsRefused(t *testing.T) {
	tracker := NewTracker()
	tracker.Observe(after(1, 0, 2), of("s", 1))
	tracker.Observe(after(2, 0, 2), of("t", 2))
	tracker.Silence(2, SeriesGone)
	tracker.Changes.See("s", ChangeVersion, "1", start)
	tracker.Changes.Happened("s", ChangeConfig, "a", start)
	tracker.Changes.Happened("s", ChangeConfig, "b", start)
	whole, err := tracker.AppendBinary(nil)
	require.NoError(t, err)
	require.NoError(t, NewTracker().UnmarshalBinary(whole))

	edit := func(f func(s *saved)) []byte {
		var s saved
		s.state(state.Reader(whole))
		f(&s)
		c := state.Writer(nil)
		s.state(c)
		return c.Bytes()
	}
	for name, b := range map[string][]byte{
		"cut":                       whole[:len(whole)-1],
		"longer":                    append(bytes.Clone(whole), 0),
		"no incident":               edit(func(s *saved) { s.Incidents = nil }),
		"incident of another":       edit(func(s *saved) { s.Followed[1].Anomaly.Incident = "x" }),
		"closed one is missing":     edit(func(s *saved) { s.Closed = append(s.Closed, "x") }),
		"incident has no anomalies": edit(func(s *saved) { s.Incidents[0].Members = nil }),
		"incident has no services":  edit(func(s *saved) { s.Incidents[0].Until = nil }),
		"changes out of order":      edit(func(s *saved) { s.Changes["s"].List[0].Time = start.Add(time.Hour) }),
		"too many changes": edit(func(s *saved) {
			s.Changes["s"].List = slices.Repeat(s.Changes["s"].List[:1], maxChanges+1)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			n := NewTracker()
			n.Observe(after(9, 0, 2), of("u", 9))
			require.NotPanics(t, func() { err = n.UnmarshalBinary(b) })
			require.Error(t, err)
			assert.True(t, n.Follows(9), "what was there stays")
		})
	}
}

// TestSavedStateIsStable verifies that the saved state contains everything except unreported news.
func TestSavedStateIsStable(t *testing.T) {
	tracker := NewTracker()
	for i := range uint64(30) {
		tracker.Observe(after(i, int(i), 1+float64(i)), of(fmt.Sprint("s", i%4), i))
	}
	first, err := tracker.AppendBinary(nil)
	require.NoError(t, err)
	restored := NewTracker()
	require.NoError(t, restored.UnmarshalBinary(first))
	second, err := restored.AppendBinary(nil)
	require.NoError(t, err)
	assert.Equal(t, first, second)
}

func BenchmarkObserve(b *testing.B) {
	b.ReportAllocs()
	tracker := NewTracker()
	subject := of("s", 1)
	i := 0
	for b.Loop() {
		tracker.Observe(after(1, i*10, 2), subject)
		i++
	}
}

// TestNoNewsCostsNothing verifies that News without changes, which is the usual case, does not allocate.
func TestNoNewsCostsNothing(t *testing.T) {
	tracker := NewTracker()
	assert.Zero(t, testing.AllocsPerRun(100, func() { tracker.News() }))
}
