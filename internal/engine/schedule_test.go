// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
)

const (
	scheduledSteps  = 3000
	scheduledSeries = 30
)

// scheduledBatch is one of the two batches of a step: a half of the series of two services, or only one of them. The
// senders of the first service differ in time, and one series has a fault at the end.
func scheduledBatch(step, half, only int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for s, service := range []string{"shop", "bank"} {
		for i := range scheduledSeries {
			random := rand.New(rand.NewPCG(uint64(1000*s+i), uint64(step)))
			v := 100 + random.ExpFloat64() // more extreme than a model expects at first
			if random.IntN(50) == 0 {
				v += 20 * random.Float64()
			}
			if i == 7 && step > scheduledSteps-50 {
				v += 1000
			}
			if i%2 != half || only >= 0 && only != s*scheduledSeries+i {
				continue
			}
			after := float64(i%2*(1-s)) * 2.5
			addService(md, service, gauge(fmt.Sprintf("m%d", i), float64(step*cadence)+after, v))
		}
	}
	return md
}

// runScheduled feeds all series or only one, and returns the verdicts by series.
func runScheduled(e *Engine, from, to, only int) map[string][]Verdict {
	got := map[string][]Verdict{}
	for step := from; step < to; step++ {
		e.Tick(at(float64(step * cadence)))
		for half := range 2 {
			md := scheduledBatch(step, half, only)
			for _, v := range e.ObserveMetrics(md, shownAll) {
				rm := md.ResourceMetrics().At(v.Resource)
				service, _ := rm.Resource().Attributes().Get("service.name")
				key := service.Str() + "/" + rm.ScopeMetrics().At(v.Scope).Metrics().At(v.Metric).Name()
				v.Resource, v.Scope, v.Metric, v.Point = 0, 0, 0, 0
				got[key] = append(got[key], v)
			}
		}
	}
	return got
}

// written returns the schedule as text.
func written(t *testing.T, records []ScheduleRecord) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	for _, r := range records {
		require.NoError(t, e.Encode(r))
	}
	return b.Bytes()
}

// TestSchedule verifies that a series alone gets the verdicts that it got among others, if it is judged by the schedule
// of the others, and others without.
func TestSchedule(t *testing.T) {
	cfg := DefaultConfig()
	fleet := New(cfg, zap.NewNop())
	fleet.Tick(start)
	text := written(t, fleet.Published(true))
	among := runScheduled(fleet, 0, scheduledSteps, -1)
	text = append(text, written(t, fleet.Published(false))...)
	t.Logf("%d lines, %d bytes", bytes.Count(text, []byte("\n")), len(text))
	schedule, err := ReadSchedule(bytes.NewReader(text))
	require.NoError(t, err)

	for _, only := range []int{0, 7, 8, scheduledSeries, scheduledSeries + 7} {
		alone := func(s *Schedule) map[string][]Verdict {
			cfg.Schedule = s
			e := New(cfg, zap.NewNop())
			e.Tick(start)
			return runScheduled(e, 0, scheduledSteps, only)
		}
		got := alone(schedule)
		require.Len(t, got, 1)
		for key, verdicts := range got {
			require.NotEmpty(t, verdicts)
			assert.Equal(t, show(among[key]), show(verdicts), key)
			assert.NotEqual(t, show(among[key]), show(alone(nil)[key]), "%s without a schedule", key)
		}
	}
	require.NoError(t, schedule.Err())
}

// TestScheduleAfterRestart verifies that a collector that restarts continues its schedule.
func TestScheduleAfterRestart(t *testing.T) {
	cfg, only := DefaultConfig(), 8
	fleet := New(cfg, zap.NewNop())
	fleet.Tick(start)
	text := written(t, fleet.Published(true))
	storage := persist(t, fleet)
	among := runScheduled(fleet, 0, scheduledSteps/2, -1)
	text = append(text, written(t, fleet.Published(false))...)
	require.NoError(t, fleet.Snapshot(t.Context(), at(cadence*scheduledSteps/2)))
	restarted := New(cfg, zap.NewNop())
	require.NoError(t, restarted.Load(t.Context(), storage, at(cadence*scheduledSteps/2)))
	text = append(text, written(t, restarted.Published(true))...)
	for key, list := range runScheduled(restarted, scheduledSteps/2, scheduledSteps, -1) {
		among[key] = append(among[key], list...)
	}
	text = append(text, written(t, restarted.Published(false))...)
	schedule, err := ReadSchedule(bytes.NewReader(text))
	require.NoError(t, err)
	cfg.Schedule = schedule
	e := New(cfg, zap.NewNop())
	e.Tick(start)
	for key, verdicts := range runScheduled(e, 0, scheduledSteps, only) {
		assert.Equal(t, show(among[key]), show(verdicts), key)
	}
	require.NoError(t, schedule.Err())
}

func TestScheduleIsChecked(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "the schedule is empty",
		"{}":                             "line 1: the schedule has version 0, this build reads version 1",
		"{\"version\":1}\nx":             "line 2: invalid character",
		"{\"version\":1}\n{}":            "line 2: must have a version, a table, or an alpha between 0 and 1",
		"{\"version\":1}\n{\"alpha\":2}": "line 2: must have",
		"{\"version\":1}\n{\"alpha\":0.1,\"signal\":\"smells\"}": "line 2: unknown signal \"smells\"",
		"{\"version\":1}\n{\"table\":{\"excess\":[1e9]}}":        "line 2: the table is not one of surprises",
	} {
		_, err := ReadSchedule(bytes.NewReader([]byte(text)))
		assert.ErrorContains(t, err, want)
	}
	schedule, err := ReadSchedule(bytes.NewReader([]byte(`{"version":1}`)))
	require.NoError(t, err)
	cfg := DefaultConfig()
	cfg.Schedule = schedule
	e := New(cfg, zap.NewNop())
	e.Tick(start)
	e.ObserveMetrics(from("shop", gauge("m", 0, 1)), shownAll)
	assert.ErrorContains(t, schedule.Err(), `"service shop"`)
}
