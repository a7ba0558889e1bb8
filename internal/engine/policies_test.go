// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"

	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/policy"
	"github.com/auspex-otel/auspex/internal/topology"
)

func compile(t testing.TB, rules ...policy.Rule) *policy.Set {
	t.Helper()
	s, err := policy.Compile(rules, componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	return s
}

// newPolicedWorld is a world of one service, past its history, under some rules.
func newPolicedWorld(t testing.TB, rules ...policy.Rule) *world {
	t.Helper()
	w := newWorld(newEngine(), "cart")
	w.engine.SetPolicies(compile(t, rules...))
	w.run(history)
	require.Empty(t, w.engine.Status().Held)
	return w
}

// The fault of these tests lifts one series of cart from 101 to 1101 at 13:06:40 UTC.
func TestEachKnobOfAPolicy(t *testing.T) {
	window := func(cron, zone string) []policy.Maintenance {
		return []policy.Maintenance{{Cron: cron, Duration: time.Hour, Zone: zone}}
	}
	for name, c := range map[string]struct {
		rule policy.Rule
		held string // the reason, "" if the anomaly opens
	}{
		"nothing said":          {policy.Rule{}, ""},
		"both":                  {policy.Rule{Direction: policy.DirectionBoth}, ""},
		"high":                  {policy.Rule{Direction: policy.DirectionHigh}, ""},
		"low":                   {policy.Rule{Direction: policy.DirectionLow}, policy.ReasonDirection},
		"change enough":         {policy.Rule{MinChange: 900}, ""},
		"change too small":      {policy.Rule{MinChange: 1100}, policy.ReasonMinChange},
		"share enough":          {policy.Rule{MinRelativeChange: 9}, ""},
		"share too small":       {policy.Rule{MinRelativeChange: 11}, policy.ReasonMinRelativeChange},
		"dry run":               {policy.Rule{DryRun: true}, HeldDryRun},
		"maintenance":           {policy.Rule{Maintenance: window("0 13 * * *", "")}, policy.ReasonMaintenance},
		"maintenance is over":   {policy.Rule{Maintenance: window("0 12 * * *", "")}, ""},
		"maintenance in zone":   {policy.Rule{Maintenance: window("0 15 * * *", "Europe/Berlin")}, policy.ReasonMaintenance},
		"another zone":          {policy.Rule{Maintenance: window("0 13 * * *", "Europe/Berlin")}, ""},
		"of this service":       {policy.Rule{Where: `resource.attributes["service.name"] == "cart"`, DryRun: true}, HeldDryRun},
		"of another service":    {policy.Rule{Where: `resource.attributes["service.name"] == "mail"`, DryRun: true}, ""},
		"of this kind":          {policy.Rule{Where: `metric.type == METRIC_DATA_TYPE_GAUGE and scope.name == "test"`, DryRun: true}, HeldDryRun},
		"of these attributes":   {policy.Rule{Where: `datapoint.attributes["n"] == 0 and metric.unit == "By"`, DryRun: true}, HeldDryRun},
		"of others":             {policy.Rule{Where: `datapoint.attributes["n"] == 1`, DryRun: true}, ""},
		"lasts for too short":   {policy.Rule{MinDuration: time.Hour}, HeldMinDuration},
		"lasts for long enough": {policy.Rule{MinDuration: cadence * time.Second}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPolicedWorld(t, c.rule)
			w.out = shownAll
			verdict := first(w.run(1, "cart")[0])[0]
			assert.GreaterOrEqual(t, verdict.Score, 1.0, "it is judged all the same")
			assert.GreaterOrEqual(t, verdict.Opening, 1.0)
			w.run(2, "cart")
			w.calm(t, w.services)
			s := w.engine.Status()
			if c.held == "" {
				assert.Equal(t, uint64(1), s.AnomaliesOpened)
				assert.Empty(t, s.Held)
			} else {
				assert.Zero(t, s.AnomaliesOpened)
				assert.Equal(t, map[string]uint64{c.held: 1}, s.Held)
				assert.Empty(t, w.engine.PendingEvents().Anomalies)
			}
		})
	}
}

// A series that is kept from opening is not shown where only anomalous series are shown.
func TestSeriesThatIsHeldIsNotShown(t *testing.T) {
	w := newPolicedWorld(t, policy.Rule{DryRun: true})
	for _, list := range w.run(3, "cart") {
		assert.Empty(t, list)
	}
}

// An anomaly that had to last is that of its beginning, and of its strangest point.
func TestAnomalyThatHadToLast(t *testing.T) {
	const steps = 10
	w := newPolicedWorld(t, policy.Rule{MinDuration: steps * cadence * time.Second})
	w.out = shownAll
	begun := w.step
	top := 0.0
	for i := range steps + 1 {
		assert.Zero(t, w.engine.Status().OpenAnomalies, "point %d", i)
		top = max(top, first(w.run(1, "cart")[0])[0].Score)
	}
	require.Equal(t, 1, w.engine.Status().OpenAnomalies)
	a := w.engine.PendingEvents().Anomalies[0]
	assert.Equal(t, at(float64(begun*cadence)), a.Opened)
	assert.Equal(t, at(float64((begun+steps)*cadence)), a.Updated)
	assert.InDelta(t, top, a.MaxScore, 0)
	assert.InDelta(t, 1101, a.Observed, 2)
	assert.Empty(t, w.engine.Status().Held)
}

// The strangest point of the wait is that of the anomaly, also where it lies in its middle.
func TestAnomalyThatHadToLastHasItsStrangestPoint(t *testing.T) {
	e := newEngine()
	e.SetPolicies(compile(t, policy.Rule{MinDuration: 5 * cadence * time.Second}))
	observe := func(s int, v float64) {
		e.Tick(at(float64(s * cadence)))
		e.ObserveMetrics(from("s", gauge("m", float64(s*cadence), v)), shownNone)
	}
	for s := range history {
		observe(s, 100+float64(s%7))
	}
	for i, v := range []float64{400, 400, 9000, 400, 400, 400} {
		require.Zero(t, e.Status().OpenAnomalies)
		observe(history+i, v)
	}
	require.Equal(t, 1, e.Status().OpenAnomalies)
	a := e.PendingEvents().Anomalies[0]
	assert.InDelta(t, 9000, a.Observed, 0)
	assert.Equal(t, at(history*cadence), a.Opened)
	assert.Less(t, a.Score, a.MaxScore)
}

// A wait ends where the clock turns back.
func TestClockThatTurnsBackEndsAWait(t *testing.T) {
	w := newPolicedWorld(t, policy.Rule{MinDuration: 10 * cadence * time.Second})
	waiting := func() (n int) {
		w.engine.Look(func(rows view.Rows, _ *topology.Graph) {
			for row := range rows {
				if row.Waiting {
					n++
				}
			}
		})
		return n
	}
	w.run(1, "cart")
	require.Positive(t, waiting())
	w.step = -500
	w.run(lateBeforeRestart)
	assert.Zero(t, waiting())
}

func TestHeldAnomaliesAreCountedOverARestart(t *testing.T) {
	w := newPolicedWorld(t, policy.Rule{DryRun: true})
	w.run(1, "cart")
	disk := persist(t, w.engine)
	require.NoError(t, w.engine.Snapshot(t.Context(), start))
	e, _ := restored(t, disk, float64(w.step*cadence))
	assert.Equal(t, map[string]uint64{HeldDryRun: 1}, e.Status().Held)
}

// A series that may open at most every so often decides no more often than that.
func TestMinDurationMakesFewerDecisions(t *testing.T) {
	w := newWorld(newEngine(), "cart")
	w.engine.SetPolicies(compile(t, policy.Rule{Where: `metric.name == "latency"`, MinDuration: 10 * cadence * time.Second}, policy.Rule{MinDuration: time.Second}))
	w.run(3)
	assert.InDelta(t, 2*8640+meter.MostSamples*864, w.engine.Status().Signals[SignalMetrics].DecisionsPerDay, 0)
	w.engine.Tick(start.Add(48 * time.Hour))
	assert.Zero(t, w.engine.Status().Signals[SignalMetrics].DecisionsPerDay)
}

// The wait is part of the state: a restart neither shortens nor lengthens it.
func TestRestoredEngineGoesOnWaiting(t *testing.T) {
	rules := []policy.Rule{{MinDuration: 8 * cadence * time.Second}, {Where: `metric.name == "latency"`, DryRun: true}}
	for _, stop := range []int{1, 4, 8, 9, 12} {
		t.Run(fmt.Sprint("stopped after ", stop), func(t *testing.T) {
			straight := newPolicedWorld(t, rules...)
			straight.out = shownAll
			straight.run(stop, "cart")
			disk := persist(t, straight.engine)
			require.NoError(t, straight.engine.Snapshot(t.Context(), start))
			e, logs := restored(t, disk, float64((straight.step-1)*cadence))
			assert.Empty(t, errorsIn(logs))
			e.SetPolicies(compile(t, rules...))
			assert.Equal(t, asJSON(t, straight.engine), asJSON(t, e))
			again := *straight
			again.engine = e
			assert.Equal(t, show(straight.run(15-stop, "cart")...), show(again.run(15-stop, "cart")...))
			assert.Equal(t, show(straight.run(100)...), show(again.run(100)...))
			assert.Equal(t, uint64(1), straight.engine.Status().AnomaliesOpened)
			assert.Equal(t, asJSON(t, straight.engine), asJSON(t, e))
		})
	}
}

// Other policies after a restart hold from the first point on.
func TestPoliciesMayChangeOverARestart(t *testing.T) {
	w := newPolicedWorld(t, policy.Rule{MinDuration: time.Hour})
	w.run(2, "cart")
	disk := persist(t, w.engine)
	require.NoError(t, w.engine.Snapshot(t.Context(), start))
	e, _ := restored(t, disk, float64((w.step-1)*cadence))
	w.engine = e
	w.run(1, "cart")
	assert.Equal(t, uint64(1), e.Status().AnomaliesOpened, "nothing asks it to last any more")
	assert.InDelta(t, statistics*8640, e.Status().Signals[SignalMetrics].DecisionsPerDay, 0)
}

// An anomaly goes on, whatever a policy says of opening.
func TestOpenAnomalyOutlivesTheBeginningOfMaintenance(t *testing.T) {
	w := newPolicedWorld(t, policy.Rule{Maintenance: []policy.Maintenance{{Cron: "7 13 * * *", Duration: time.Hour}}})
	w.run(1, "cart") // 13:06:40
	require.Equal(t, 1, w.engine.Status().OpenAnomalies)
	w.run(4, "cart")
	i := w.engine.Incidents("")[0]
	assert.Equal(t, incident.StateOpen, i.State)
	assert.Equal(t, at(float64((w.step-1)*cadence)), i.Updated)
}
