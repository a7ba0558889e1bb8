// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/policy"
)

// choir is one resource of four metrics, each of which sends at the steps at which sings says so.
type choir struct {
	engine *Engine
	step   int
	sings  func(voice, step int) bool
}

const voices = 4

func (c *choir) run(to int) {
	for ; c.step < to; c.step++ {
		second := float64(c.step * cadence)
		c.engine.Tick(at(second))
		var put []func(pmetric.MetricSlice)
		for v := range voices {
			if c.sings(v, c.step) {
				random := rand.New(rand.NewPCG(uint64(v), uint64(c.step)))
				put = append(put, gauge(string(rune('a'+v)), second, 100+random.Float64()+random.Float64()))
			}
		}
		if len(put) > 0 {
			c.engine.ObserveMetrics(from("choir", put...), shownWhereAnomalous)
		}
	}
}

func silentAnomalies(e *Engine) (list []incident.Anomaly) {
	for _, i := range e.Incidents("") {
		for _, a := range i.Anomalies {
			if a.Kind == "silent" {
				list = append(list, a)
			}
		}
	}
	return list
}

// What has gone silent, and what has not.
func TestGoneSilent(t *testing.T) {
	const stop, end = 400, 1200
	dice := func(s int) float64 { return rand.New(rand.NewPCG(9, uint64(s))).Float64() }
	stops := func(which string) func(v, s int) bool {
		return func(v, s int) bool { return s < stop || !strings.ContainsRune(which, rune('a'+v)) }
	}
	for _, c := range []struct {
		name  string
		sings func(v, s int) bool
		want  string // the metrics that have gone silent
	}{
		{"all go on", stops(""), ""},
		{"one stops", stops("b"), "b"},
		{"two of four stop", stops("bc"), "bc"},
		{"most stop, as of a target that is down", stops("bcd"), ""},
		{"the resource stops", stops("abcd"), ""},
		{"the collector was down", func(_, s int) bool { return s < stop || s > stop+200 }, ""},
		{"it was down, and one has not come back", func(v, s int) bool { return s < stop || s > stop+200 && v != 1 }, "b"},
		{"it was down again and again", func(_, s int) bool { return s%100 < 90 }, ""},
		{"one comes now and then", func(v, s int) bool { return v != 1 || dice(s) < 0.35 }, ""},
		{"one has always had gaps as long", func(v, s int) bool { return v != 1 || s%50 < 25 }, ""},
		{"one has too short a past", func(v, s int) bool { return v != 1 || s > stop-150 && s < stop }, ""},
		{"one misses a few points", func(v, s int) bool { return v != 1 || s < stop || s > stop+3 }, ""},
		{"one is slow", func(v, s int) bool { return v != 1 || s%5 == 0 }, ""},
		{"a slow one stops", func(v, s int) bool { return v != 1 || s%5 == 0 && s < 1100 }, "b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEngine()
			(&choir{engine: e, sings: c.sings}).run(end)
			got := []string{}
			for _, a := range silentAnomalies(e) {
				got = append(got, a.Metric)
			}
			slices.Sort(got)
			assert.Equal(t, c.want, strings.Join(got, ""))
			assert.Equal(t, uint64(len(c.want)), e.Status().AnomaliesOpened)
		})
	}
}

// A silence from its beginning until the series is back.
func TestSilenceOpensOnceAndEndsWithTheReturn(t *testing.T) {
	const stop, back = 400, 1000
	e := newEngine()
	c := &choir{engine: e, sings: func(v, s int) bool { return v != 1 || s < stop || s >= back }}
	opened := 0
	for opened == 0 {
		c.run(c.step + 1)
		opened = e.Status().OpenAnomalies
		require.Less(t, c.step, stop+20, "it was not found")
	}
	a := e.PendingEvents().Anomalies[0]
	assert.Equal(t, "silent", a.Kind)
	assert.Equal(t, "b", a.Metric)
	assert.Equal(t, at((stop-1)*cadence), a.SilentSince)
	assert.Equal(t, at(float64(c.step-2)*cadence), a.Opened, "the watermark of its resource when the tick came")
	assert.GreaterOrEqual(t, a.Score, 1.0)
	for _, v := range []float64{a.Observed, a.Expected, a.Lower, a.Upper} {
		assert.InDelta(t, 101, v, 2, "what it said last")
	}
	assert.Greater(t, e.PendingGauges().Services[0].MaxScore, 1.0)
	assert.Equal(t, int64(1), e.PendingGauges().Services[0].Open)

	c.run(back)
	assert.Equal(t, 1, e.Status().OpenAnomalies, "it goes on, however long")
	assert.Len(t, silentAnomalies(e), 1, "once")
	c.run(back + 2)
	assert.Equal(t, 1, e.Status().OpenAnomalies)
	c.run(back + 3)
	assert.Zero(t, e.Status().OpenAnomalies, "it closes as every anomaly does, after three quiet points")
	closed := silentAnomalies(e)[0]
	assert.Equal(t, a.ID, closed.ID)
	assert.Equal(t, at((back+2)*cadence), closed.Closed)
	assert.Equal(t, uint64(1), e.Status().AnomaliesOpened)
}

func TestSilentSeriesAgesOut(t *testing.T) {
	e := newEngine(func(c *Config) { c.SeriesTTL = time.Hour })
	c := &choir{engine: e, sings: func(v, s int) bool { return v != 1 || s < history }}
	c.run(history + 300)
	require.Equal(t, 1, e.Status().OpenAnomalies)
	c.run(history + 400)
	assert.Zero(t, e.Status().OpenAnomalies)
	assert.Equal(t, voices-1, e.Status().Series)
	assert.Equal(t, incident.StateClosed, silentAnomalies(e)[0].State)
}

// A series that was anomalous and then stops has one anomaly, which stays open until points return.
func TestAnomalyThatGoesSilent(t *testing.T) {
	e := newEngine()
	c := &choir{engine: e, sings: func(v, s int) bool { return v != 1 || s < history }}
	c.run(history)
	second := float64(history * cadence)
	e.ObserveMetrics(from("choir", gauge("b", second, 1e4)), shownWhereAnomalous)
	require.Equal(t, 1, e.Status().OpenAnomalies)
	c.run(history + 200)
	assert.Equal(t, 1, e.Status().OpenAnomalies)
	a := e.Incidents("")[0].Anomalies[0]
	assert.Equal(t, "high", a.Kind, "that was its strangest point")
	assert.Equal(t, at(second), a.SilentSince)
	assert.Equal(t, uint64(1), e.Status().AnomaliesOpened)
}

// However regular a series is, it has a minute to come.
func TestSilenceIsNotJudgedAtOnce(t *testing.T) {
	e := newEngine(func(c *Config) { c.FalseAlarms.MaxAlpha = 0.1 })
	c := &choir{engine: e, sings: func(v, s int) bool { return v != 1 || s < history }}
	c.run(history - 1 + 60/cadence)
	assert.Empty(t, silentAnomalies(e))
	c.run(c.step + 1)
	assert.Len(t, silentAnomalies(e), 1)
}

// The less is accepted, the longer a series must be silent.
func TestAlphaDecidesWhenSilenceIsAnomalous(t *testing.T) {
	found := func(alpha float64) int {
		e := newEngine(func(c *Config) { c.FalseAlarms.MaxAlpha = alpha })
		c := &choir{engine: e, sings: func(v, s int) bool { return v != 1 || s < history }}
		for e.Status().OpenAnomalies == 0 {
			c.run(c.step + 1)
			require.Less(t, c.step, 2*history)
		}
		return c.step
	}
	assert.Less(t, found(1e-6), found(1e-16))
}

func TestPoliciesHoldForSilence(t *testing.T) {
	for name, c := range map[string]struct {
		rule policy.Rule
		held string // "" if it opens
	}{
		"change can't be told": {policy.Rule{MinChange: 1e9, Direction: policy.DirectionHigh}, ""},
		"dry run":              {policy.Rule{DryRun: true}, HeldDryRun},
		"maintenance":          {policy.Rule{Maintenance: []policy.Maintenance{{Cron: "0 13 * * *", Duration: 3 * time.Hour}}}, policy.ReasonMaintenance},
		"lasts long enough":    {policy.Rule{MinDuration: 30 * time.Minute}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine()
			e.SetPolicies(compile(t, c.rule))
			ch := &choir{engine: e, sings: func(v, s int) bool { return v != 1 || s < history }}
			ch.run(history + 100)
			if c.rule.MinDuration > 0 {
				assert.Zero(t, e.Status().AnomaliesOpened, "not yet")
			}
			ch.run(history + 200)
			if c.held == "" {
				assert.Equal(t, uint64(1), e.Status().AnomaliesOpened)
				assert.Empty(t, e.Status().Held)
				return
			}
			assert.Zero(t, e.Status().AnomaliesOpened)
			assert.Equal(t, map[string]uint64{c.held: 1}, e.Status().Held, "counted once")
		})
	}
}

// What is known of gaps, and the silence that is open, are part of the state.
func TestRestoredEngineKnowsOfSilence(t *testing.T) {
	const stop, back, end = 400, 500, 600
	sings := func(v, s int) bool { return v != 1 || s < stop && s%7 != 0 || s >= back }
	for _, cut := range []int{399, 420, 470, 502} {
		straight := &choir{engine: newEngine(), sings: sings}
		straight.run(cut)
		disk := persist(t, straight.engine)
		require.NoError(t, straight.engine.Snapshot(t.Context(), start))
		e, logs := restored(t, disk, float64((cut-1)*cadence))
		assert.Empty(t, errorsIn(logs))
		again := &choir{engine: e, step: cut, sings: sings}
		straight.run(end)
		again.run(end)
		require.Len(t, silentAnomalies(straight.engine), 1, "cut after %d", cut)
		one, two := packed(t, straight.engine), packed(t, e)
		assert.Len(t, two, len(one))
		if cut != 420 { // a restart resets the idle timeout of a stream, so this one is found later
			assert.Equal(t, one, two, "cut after %d", cut)
		}
	}
}
