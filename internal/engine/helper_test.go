// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/snapshot"
	"github.com/auspex-otel/auspex/internal/memstorage"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// Constants of package judge.
const (
	lateBeforeRestart = 30
	silentAfter       = 5 * time.Minute
	leastGroup        = 20
	wide              = 3
)

// cadence is the distance of two points, in seconds, unless a test says otherwise.
const cadence = 10

func at(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }

func stamp(seconds float64) pcommon.Timestamp { return pcommon.NewTimestampFromTime(at(seconds)) }

var (
	shownWhereAnomalous = Output{Select: SelectAnomalous, MaxSeries: 1000}
	shownAll            = Output{Select: SelectAll, MaxSeries: 1000}
	shownNone           = Output{Select: SelectNone, MaxSeries: 1000}
)

// newEngine returns an engine whose threshold is p < 1e-6, far below anything
// that these tests' noise does and far above what their faults do.
func newEngine(change ...func(*Config)) *Engine {
	e, _ := newLoggingEngine(change...)
	return e
}

func newLoggingEngine(change ...func(*Config)) (*Engine, *observer.ObservedLogs) {
	cfg := DefaultConfig()
	cfg.FalseAlarms.Count, cfg.FalseAlarms.MaxAlpha = 1e6, 1e-4
	for _, c := range change {
		c(&cfg)
	}
	core, logs := observer.New(zapcore.DebugLevel)
	e := New(cfg, zap.New(core))
	e.Tick(start)
	return e, logs
}

// from is a batch of one resource with one scope.
func from(name string, put ...func(pmetric.MetricSlice)) pmetric.Metrics {
	md := pmetric.NewMetrics()
	addService(md, name, put...)
	return md
}

func addService(md pmetric.Metrics, name string, put ...func(pmetric.MetricSlice)) {
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr(vocabulary.ServiceName, name)
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("test")
	for _, p := range put {
		p(sm.Metrics())
	}
}

// gauge is one gauge; values are its data points, told apart by the attribute n.
func gauge(name string, seconds float64, values ...float64) func(pmetric.MetricSlice) {
	return func(ms pmetric.MetricSlice) {
		m := ms.AppendEmpty()
		m.SetName(name)
		m.SetUnit("By")
		dps := m.SetEmptyGauge().DataPoints()
		for i, v := range values {
			dp := dps.AppendEmpty()
			dp.SetTimestamp(stamp(seconds))
			dp.SetDoubleValue(v)
			dp.Attributes().PutInt("n", int64(i))
		}
	}
}

// sum is one data point of a sum.
func sum(name string, seconds, v float64, monotonic bool, temporality pmetric.AggregationTemporality) func(pmetric.MetricSlice) {
	return func(ms pmetric.MetricSlice) {
		m := ms.AppendEmpty()
		m.SetName(name)
		s := m.SetEmptySum()
		s.SetIsMonotonic(monotonic)
		s.SetAggregationTemporality(temporality)
		dp := s.DataPoints().AppendEmpty()
		dp.SetTimestamp(stamp(seconds))
		dp.SetDoubleValue(v)
	}
}

var bounds = []float64{1, 2, 5, 10}

// histogram is one data point of a delta histogram over bounds.
func histogram(name string, seconds float64, counts ...uint64) func(pmetric.MetricSlice) {
	return func(ms pmetric.MetricSlice) {
		m := ms.AppendEmpty()
		m.SetName(name)
		m.SetUnit("s")
		h := m.SetEmptyHistogram()
		h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		dp := h.DataPoints().AppendEmpty()
		dp.SetTimestamp(stamp(seconds))
		dp.SetStartTimestamp(stamp(seconds - cadence))
		dp.BucketCounts().FromRaw(counts)
		dp.ExplicitBounds().FromRaw(bounds)
		n := uint64(0)
		for _, c := range counts {
			n += c
		}
		dp.SetCount(n)
		dp.SetSum(float64(n) * 1.5)
	}
}

// world feeds an engine the noise of some services, step by step, and faults where it is told to.
type world struct {
	engine   *Engine
	out      Output
	services []string
	step     int
}

// fault is the value of a service's gauge in a fault: a thousand times its noise above its level.
const fault = 1000

// batch returns the points of all services at a step; faulty lists those with a fault.
func (w *world) batch(step int, faulty ...string) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for i, name := range w.services {
		random := rand.New(rand.NewPCG(uint64(i), uint64(step)))
		noise := func() float64 { return 100 + random.Float64() + random.Float64() }
		v := noise()
		if slices.Contains(faulty, name) {
			v += fault
		}
		addService(md, name,
			gauge("load", float64(step*cadence), v, noise()),
			histogram("latency", float64(step*cadence), uint64(50+random.IntN(5)), uint64(30+random.IntN(5)), 10, 5, uint64(random.IntN(2))))
	}
	return md
}

// run feeds n steps, in each of which the faulty services have a fault, and returns the verdicts of all.
func (w *world) run(n int, faulty ...string) (all [][]Verdict) {
	for range n {
		w.engine.Tick(at(float64(w.step * cadence)))
		all = append(all, w.engine.ObserveMetrics(w.batch(w.step, faulty...), w.out))
		w.step++
	}
	return all
}

// shortestWindow is for how many points a model's windows, the shortest of which
// holds so many, let a fault that is over be anomalous.
const shortestWindow = 8

// calm feeds steps until none of the named services' series scores 1 any more,
// and returns the verdicts of all.
func (w *world) calm(t testing.TB, services []string, faulty ...string) (all [][]Verdict) {
	t.Helper()
	for range shortestWindow {
		all = append(all, w.run(1, faulty...)...)
		top := 0.0
		for _, s := range services {
			top = max(top, w.engine.Series(SeriesQuery{Service: s, Limit: 1})[0].Score)
		}
		if top < 1 {
			return all
		}
	}
	require.Fail(t, "a fault is remembered for too long")
	return nil
}

// history is long enough that no model is still warming up.
const history = 400

func newWorld(e *Engine, services ...string) *world {
	return &world{engine: e, out: shownWhereAnomalous, services: services}
}

// statistics are the series of a service in a world: two gauges and a histogram's five.
const statistics = 2 + meter.MostSamples

// show prints verdicts so that two lists are equal exactly if their bits are.
func show(verdicts ...[]Verdict) (lines []string) {
	for i, list := range verdicts {
		for _, v := range list {
			lines = append(lines, fmt.Sprintf("%d: %d/%d/%d/%d %s %s end %t %x %x %x %x %x %x", i, v.Resource, v.Scope, v.Metric, v.Point, v.Statistic, v.Unit, v.End,
				math.Float64bits(v.Score), math.Float64bits(v.Opening), math.Float64bits(v.Observed), math.Float64bits(v.Expected), math.Float64bits(v.Lower), math.Float64bits(v.Upper)))
		}
	}
	return lines
}

// memory is a storage client that can be made to fail.
type memory struct {
	sync.Mutex
	data map[string][]byte
	fail func(operation, key string) error
}

var _ storage.Client = (*memory)(nil)

var errDisk = errors.New("disk on fire")

func newMemory() *memory { return &memory{data: map[string][]byte{}} }

func (m *memory) may(operation, key string) error {
	if m.fail == nil {
		return nil
	}
	return m.fail(operation, key)
}

func (m *memory) Get(_ context.Context, key string) ([]byte, error) {
	m.Lock()
	defer m.Unlock()
	return bytes.Clone(m.data[key]), m.may("get", key)
}

func (m *memory) Set(_ context.Context, key string, value []byte) error {
	m.Lock()
	defer m.Unlock()
	if err := m.may("set", key); err != nil {
		return err
	}
	m.data[key] = bytes.Clone(value)
	return nil
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.Lock()
	defer m.Unlock()
	if err := m.may("delete", key); err != nil {
		return err
	}
	delete(m.data, key)
	return nil
}

// Batch does the operations one by one.
func (m *memory) Batch(ctx context.Context, ops ...*storage.Operation) error {
	return memstorage.Batch(ctx, m, ops)
}
func (*memory) Close(context.Context) error { return nil }

func (m *memory) copy() *memory { return &memory{data: maps.Clone(m.data)} }

// persist gives an engine a storage that is empty.
func persist(t testing.TB, e *Engine) *memory {
	t.Helper()
	m := newMemory()
	require.NoError(t, e.Load(t.Context(), m, start))
	return m
}

// restored returns a new engine with the state in m, as of the given second.
func restored(t testing.TB, m *memory, seconds float64, change ...func(*Config)) (*Engine, *observer.ObservedLogs) {
	t.Helper()
	e, logs := newLoggingEngine(change...)
	require.NoError(t, e.Load(t.Context(), m, at(seconds)))
	e.Tick(at(seconds))
	return e, logs
}

// The framing of a snapshot, as docs/formats/snapshot.md describes it.
const (
	chunkHead = 1 + 8
	crcSize   = 4
)

func manifestKey(slot int) string { return fmt.Sprintf("snapshot/%d/manifest", slot) }

func chunkKey(slot, i int) string { return fmt.Sprintf("snapshot/%d/%d", slot, i) }

func openChunk(generation uint64) []byte {
	return binary.LittleEndian.AppendUint64([]byte{snapshot.Version}, generation)
}

func seal(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

func manifest(generation uint64, chunks uint32) []byte {
	b := binary.LittleEndian.AppendUint64(openChunk(generation), uint64(start.UnixNano()))
	return seal(binary.LittleEndian.AppendUint32(b, chunks))
}

// packed returns the entries that an engine would write now as generation 8, by key. The same state is the same bytes.
func packed(t testing.TB, e *Engine) map[string][]byte {
	t.Helper()
	m := newMemory()
	client, generation, taken := e.disk.client, e.disk.generation, e.disk.taken
	e.disk.client, e.disk.generation = m, 7
	require.NoError(t, e.Snapshot(t.Context(), start))
	e.disk.client, e.disk.generation, e.disk.taken = client, generation, taken
	return m.data
}

// untimelyField returns the log field about the timestamps of a resource.
func untimelyField(name string) zap.Field {
	for v := clock.Timely; ; v++ {
		if v.String() == name {
			return zap.Stringer("timestamps", v)
		}
	}
}
