// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine/shards"
)

// divide has an engine judge with n shards on n cores.
func divide(e *Engine, n int) { e.shards, e.cores = shards.New(n), shards.NewCores(n) }

// fleet feeds an engine everything that a batch of metrics can need: faults, more series than fit, clocks that are
// wrong, counters that begin again, late points, several points of one series, and batches that come again.
type fleet struct {
	engine   *Engine
	verdicts []string
}

const (
	fleetServices = 6
	fleetGauges   = 100
	fleetSeries   = fleetServices*(fleetGauges+5+2*5) + 60
)

func (f *fleet) observe(md pmetric.Metrics, out Output) {
	f.verdicts = append(f.verdicts, show(f.engine.ObserveMetrics(md, out))...)
}

// run feeds the steps from one to another.
func (f *fleet) run(from, to int) {
	for step := from; step < to; step++ {
		now := at(float64(step * cadence))
		switch {
		case step >= 260: // the clock of ticks was set forward
			now = now.Add(2 * time.Hour)
		case step == 240: // for one tick, it was set back
			now = now.Add(-time.Hour)
		}
		f.engine.Tick(now)
		if step%10 == 9 {
			f.observe(f.grouped(step, 5), shownWhereAnomalous)
			continue
		}
		md := f.batch(step, 0)
		if step%10 == 8 { // each stream twice
			f.batch(step, cadence/2).ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
		}
		f.observe(md, shownWhereAnomalous)
		switch step % 7 {
		case 3: // a second pipeline
			f.observe(md, shownWhereAnomalous)
		case 4: // another one, which shows all
			f.observe(md, shownAll)
		case 5:
			f.observe(f.batch(step-3, 0), shownWhereAnomalous)
		}
	}
}

// batch is the points of all services some seconds after a step.
func (f *fleet) batch(step int, after float64) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for i := range fleetServices {
		random := rand.New(rand.NewPCG(uint64(i), uint64(step)))
		values := make([]float64, fleetGauges)
		for k := range values {
			values[k] = 100 + random.Float64() + random.Float64()
			if faulty := i == step/20%fleetServices && step%20 > 12; faulty && k%3 == 0 {
				values[k] += fault
			}
		}
		second := float64(step*cadence) + after
		switch {
		case i == 3 && step >= 150 && step < 200: // a clock one hour ahead
			second += 3600
		case i == 4 && step >= 170 && step < 215: // one hour behind
			second -= 3600
		}
		values[7] = []float64{values[7], math.NaN()}[min(1, step%11/10)]
		put := []func(pmetric.MetricSlice){gauge("load", second, values...)}
		for c := range 5 {
			v := float64(step%97) * (10 + random.Float64()) // begins again
			put = append(put, sum(fmt.Sprint("count.", c), second, v, true, pmetric.AggregationTemporalityCumulative))
		}
		for h := range 2 {
			put = append(put, histogram(fmt.Sprint("latency.", h), second, uint64(50+random.IntN(5)), uint64(30+random.IntN(5)), 10, 5, uint64(random.IntN(2))))
		}
		if i == 1 { // series that come and go
			put = append(put, gauge(fmt.Sprint("pod.", step/3), second, 1, 2, 3, 4, 5))
		}
		addService(md, fmt.Sprint("service-", i), put...)
	}
	return md
}

// grouped is several steps of all gauges, the points of each series side by side.
func (f *fleet) grouped(step, steps int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for i := range fleetServices {
		random := rand.New(rand.NewPCG(uint64(i), uint64(step)))
		addService(md, fmt.Sprint("service-", i))
		ms := md.ResourceMetrics().At(i).ScopeMetrics().At(0).Metrics()
		for k := range fleetGauges {
			for s := range steps {
				second := float64(step*cadence) + float64(s*cadence)/float64(steps)
				gauge("load", second, 100+random.Float64()+random.Float64())(ms)
				ms.At(ms.Len()-1).Gauge().DataPoints().At(0).Attributes().PutInt("n", int64(k))
			}
		}
	}
	return md
}

// outcome is all that can be seen of a fleet's engine.
func (f *fleet) outcome(t *testing.T) (seen []string, state map[string][]byte) {
	t.Helper()
	status := f.engine.Status()
	require.Positive(t, status.Evicted)
	require.Positive(t, status.AnomaliesOpened)
	for _, reason := range []string{RefusedDuplicate, RefusedOutOfOrder, RefusedNotFinite} {
		require.Positive(t, status.Refused[reason], reason)
	}
	for _, kind := range []string{"ahead", "behind"} {
		require.Positive(t, status.Untimely[kind], kind)
	}
	incidents := f.engine.Incidents("")
	require.NotEmpty(t, incidents)
	for _, v := range []any{status, f.engine.PendingEvents(), f.engine.PendingGauges().Services, incidents} {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		seen = append(seen, string(text))
	}
	return append(f.verdicts, seen...), packed(t, f.engine)
}

// The number of shards and of cores has no effect on verdicts, findings, and the state, which one
// of them can load from another.
func TestNumberOfShardsHasNoEffect(t *testing.T) {
	var seen []string
	var state map[string][]byte
	for i, n := range []int{1, 2, 8} {
		f := &fleet{engine: newEngine(func(c *Config) { c.MaxSeries = fleetSeries })}
		divide(f.engine, n)
		disk := persist(t, f.engine)
		f.run(0, 180)
		require.NoError(t, f.engine.Snapshot(t.Context(), start))
		f.engine, _ = restored(t, disk, 179*cadence, func(c *Config) { c.MaxSeries = fleetSeries })
		divide(f.engine, 64/n)
		f.run(180, 300)
		alsoSeen, alsoState := f.outcome(t)
		if i == 0 {
			seen, state = alsoSeen, alsoState
			continue
		}
		require.Equal(t, seen, alsoSeen, "%d shards", n)
		require.Equal(t, state, alsoState, "%d shards", n)
	}
}

// Batches of different services are judged at the same time, beside ticks, snapshots, queries, and other signals.
// Nothing is lost, and a batch that two pipelines carry is observed once.
func TestBatchesAreJudgedConcurrently(t *testing.T) {
	e := newEngine()
	divide(e, 8)
	disk := persist(t, e)
	const senders, steps, points = 8, 40, 600
	var wait sync.WaitGroup
	for i := range senders {
		wait.Go(func() {
			for step := range steps {
				md := from(fmt.Sprint("service-", i), gauge("load", float64(step*cadence), make([]float64, points)...))
				addService(md, "service-of-all", gauge(fmt.Sprint("load.", i), float64(step*cadence), 1))
				var pipelines sync.WaitGroup
				var list [2][]string
				for k := range list {
					pipelines.Go(func() { list[k] = show(e.ObserveMetrics(md, shownAll)) })
				}
				pipelines.Wait()
				assert.Equal(t, list[0], list[1])
			}
		})
	}
	done := make(chan struct{})
	var others sync.WaitGroup
	for _, other := range []func(){
		func() { e.Tick(start) },
		func() { assert.NoError(t, e.Snapshot(t.Context(), start)) },
		func() { e.Series(SeriesQuery{Limit: 10}) },
		func() { e.Status(); e.DeliveredEvents(e.PendingEvents()); e.DeliveredGauges(e.PendingGauges()) },
	} {
		others.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
					other()
				}
			}
		})
	}
	wait.Wait()
	close(done)
	others.Wait()
	s := e.Status()
	assert.Equal(t, uint64(senders*steps*(points+1)), s.Points)
	assert.Equal(t, senders*(points+1), s.Series)
	assert.Empty(t, s.Refused)
	require.NoError(t, e.Snapshot(t.Context(), start))
	again, _ := restored(t, disk, steps*cadence)
	assert.Equal(t, packed(t, e), packed(t, again))
}

// More series than fit come at the same time. A batch continues although others evict its streams.
func TestConcurrentBatchesEvict(t *testing.T) {
	e := newEngine(func(c *Config) { c.MaxSeries = 500 })
	divide(e, 8)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for step := range 60 {
				e.ObserveMetrics(from(fmt.Sprint("service-", i),
					gauge("load", float64(step*cadence), make([]float64, 60)...),
					gauge(fmt.Sprint("pod.", step), float64(step*cadence), make([]float64, 20)...)), shownWhereAnomalous)
			}
		})
	}
	wait.Wait()
	s := e.Status()
	assert.Positive(t, s.Evicted)
	assert.LessOrEqual(t, s.Series, 500)
	assert.Equal(t, uint64(8*60*80), s.Points+s.Refused[RefusedNoRoom])
}
