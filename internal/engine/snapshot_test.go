// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/snapshot"
	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// warningsIn are errors and warnings.
func warningsIn(logs *observer.ObservedLogs) []string {
	var messages []string
	for _, l := range logs.FilterLevelExact(zapcore.WarnLevel).All() {
		messages = append(messages, l.Message)
	}
	return append(messages, errorsIn(logs)...)
}

func errorsIn(logs *observer.ObservedLogs) (messages []string) {
	for _, l := range logs.FilterLevelExact(zapcore.ErrorLevel).All() {
		messages = append(messages, l.Message)
	}
	return messages
}

// asJSON returns the engine's findings and status as a findings receiver and the console would see them.
func asJSON(t *testing.T, e *Engine) string {
	t.Helper()
	s := e.Status()
	s.Persisted, s.Generation, s.SnapshotTime = false, 0, time.Time{}
	gauges := e.PendingGauges()
	var stale []string
	for _, st := range gauges.Companions {
		stale = append(stale, fmt.Sprint(st.Series, st.Resource.AsRaw(), st.Scope.Name(), st.Attributes.AsRaw(), st.Metric, st.Unit, st.Statistic, st.Time))
	}
	b, err := json.MarshalIndent([]any{s, e.Series(SeriesQuery{Limit: 1000}), e.Incidents(""), e.PendingEvents(), gauges.Services, stale}, "", " ")
	require.NoError(t, err)
	return string(b)
}

// An engine that is restored goes on as if it had never stopped, to the bit, wherever it was stopped.
func TestRestoredEngineGoesOnToTheBit(t *testing.T) {
	script := map[int][]string{ // step: who has a fault
		400: {"cart"}, 401: {"cart", "payment"}, 402: {"payment"}, 410: {"cart"}, 430: {"payment"},
	}
	play := func(w *world, to int) (all [][]Verdict) {
		for w.step < to {
			all = append(all, w.run(1, script[w.step]...)...)
		}
		return all
	}
	const end = 540
	for _, stop := range []int{0, 1, 2, 50, 99, 100, 101, 399, 401, 402, 403, 406, 411, 412, 425, 500} {
		t.Run(fmt.Sprint("stopped at ", stop), func(t *testing.T) {
			straight := newWorld(newEngine(), "cart", "payment")
			straight.out = shownAll
			play(straight, stop)
			disk := persist(t, straight.engine)
			require.NoError(t, straight.engine.Snapshot(t.Context(), at(1e6)))

			e, logs := restored(t, disk, float64(max(0, stop-1)*cadence))
			assert.Empty(t, errorsIn(logs))
			assert.Equal(t, asJSON(t, straight.engine), asJSON(t, e))
			again := newWorld(e, "cart", "payment")
			again.step, again.out = stop, shownAll

			assert.Equal(t, show(play(straight, end)...), show(play(again, end)...))
			assert.Equal(t, asJSON(t, straight.engine), asJSON(t, e))
			assert.Equal(t, packed(t, straight.engine), packed(t, e), "the same state has the same bytes")
		})
	}
}

// Every kind of stream, in the middle of its counting.
func TestRestoredMetersGoOn(t *testing.T) {
	feed := func(e *Engine, s float64) {
		md := from("s", gauge("g", s, s), sum("c", s, s*s, true, 2), sum("d", s, s, true, 1), histogram("h", s, 1, uint64(s), 3, 4, 5))
		cumulative := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().AppendEmpty()
		histogram("hc", s, 10*uint64(s), 20*uint64(s), 1, 1, 1)(md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics())
		cumulative.SetName("empty")
		h := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(5).Histogram()
		h.SetAggregationTemporality(2)
		h.DataPoints().At(0).SetStartTimestamp(stamp(-1))
		rich := md.ResourceMetrics().At(0).Resource().Attributes()
		require.NoError(t, rich.PutEmpty("nested").FromRaw(map[string]any{"a": []any{int64(1), 2.5, true, nil, []byte{1}}, "b": map[string]any{"c": "d"}}))
		e.ObserveMetrics(md, shownNone)
	}
	e := newEngine()
	feed(e, 10)
	feed(e, 20)
	disk := persist(t, e)
	require.NoError(t, e.Snapshot(t.Context(), at(20)))
	r, logs := restored(t, disk, 20)
	assert.Empty(t, errorsIn(logs))
	feed(e, 30)
	feed(r, 30)
	assert.Equal(t, asJSON(t, e), asJSON(t, r))
	assert.Equal(t, uint64(0), r.Status().Evicted)
}

// A point that was seen before the restart is not observed again after it.
func TestRestoredEngineKnowsWhatItSaw(t *testing.T) {
	w := newWorld(newEngine(), "cart")
	w.run(history)
	want := w.run(1, "cart")
	disk := persist(t, w.engine)
	require.NoError(t, w.engine.Snapshot(t.Context(), at(1e6)))
	e, _ := restored(t, disk, history*cadence)
	points := e.Status().Points
	assert.Equal(t, show(want...), show(e.ObserveMetrics(w.batch(w.step-1, "cart"), shownWhereAnomalous)))
	assert.Equal(t, points, e.Status().Points)
}

// What waits for the findings receiver waits over a restart: events and stale markers.
func TestPendingFindingsAreInTheSnapshot(t *testing.T) {
	w := newWorld(newEngine(), "cart", "payment")
	w.run(history)
	w.run(2, "cart", "payment")
	w.engine.Tick(at(history * cadence).Add(2 * silentAfter))
	require.Len(t, w.engine.PendingGauges().Companions, 2)
	require.Len(t, w.engine.PendingEvents().Anomalies, 2)
	disk := persist(t, w.engine)
	require.NoError(t, w.engine.Snapshot(t.Context(), at(1e6)))
	e, _ := restored(t, disk, history*cadence)
	assert.Equal(t, w.engine.PendingEvents(), e.PendingEvents())
	stale := e.PendingGauges().Companions
	require.Len(t, stale, 2, "or the companions of a silent series never end")
	assert.Equal(t, w.engine.PendingGauges().Companions[0].Series, stale[0].Series)
}

// An open anomaly outlives a restart and closes by itself if its series never comes back.
func TestSilenceAfterARestart(t *testing.T) {
	w := newWorld(newEngine(), "cart")
	w.run(history)
	w.run(1, "cart")
	id := w.engine.Incidents("")[0].ID
	disk := persist(t, w.engine)
	require.NoError(t, w.engine.Snapshot(t.Context(), at(1e6)))
	e, _ := restored(t, disk, history*cadence)
	assert.Equal(t, 1, e.Status().OpenAnomalies)
	e.Tick(at(history * cadence).Add(silentAfter + time.Second))
	assert.Zero(t, e.Status().OpenAnomalies)
	assert.Len(t, e.PendingGauges().Companions, 1)
	i, ok := e.Incident(id)
	require.True(t, ok)
	assert.Equal(t, incident.StateClosed, i.State)
}

func TestGenerationsAlternate(t *testing.T) {
	w := newWorld(newEngine(), "cart")
	disk := persist(t, w.engine)
	for generation := uint64(1); generation <= 5; generation++ {
		w.run(1)
		require.NoError(t, w.engine.Snapshot(t.Context(), at(float64(generation))))
		assert.Contains(t, disk.data, manifestKey(int(generation%2)))
		s := w.engine.Status()
		assert.True(t, s.Persisted)
		assert.Equal(t, generation, s.Generation)
		assert.Equal(t, at(float64(generation)), s.SnapshotTime)
	}
	assert.Len(t, disk.data, 4, "two slots of a manifest and a chunk")
	e, _ := restored(t, disk, 0)
	assert.Equal(t, uint64(5), e.Status().Generation)
	assert.Equal(t, at(5), e.Status().SnapshotTime)
	assert.Equal(t, uint64(5*statistics), e.Status().Points)
}

func TestWithoutStorage(t *testing.T) {
	e := newEngine()
	require.NoError(t, e.Snapshot(t.Context(), start))
	assert.False(t, e.Status().Persisted)
	assert.Zero(t, e.Status().Generation)
}

func TestEmptyStorageIsAFreshStart(t *testing.T) {
	e, logs := restored(t, newMemory(), 0)
	assert.Zero(t, logs.Len())
	assert.True(t, e.Status().Persisted)
	assert.Zero(t, e.Status().Generation)
}

func TestNoChunkIsLargerThanAMebibyte(t *testing.T) {
	check := func(t *testing.T, e *Engine, atLeast int) {
		t.Helper()
		disk := persist(t, e)
		require.NoError(t, e.Snapshot(t.Context(), start))
		assert.GreaterOrEqual(t, len(disk.data)-1, atLeast, "chunks")
		for key, b := range disk.data {
			assert.LessOrEqual(t, len(b), 1<<20, key)
		}
		r, logs := restored(t, disk, 0)
		assert.Empty(t, errorsIn(logs))
		assert.Equal(t, e.Status().Series, r.Status().Series)
		assert.Equal(t, e.Status().PendingFindings, r.Status().PendingFindings)

		// Where the state has shrunk, nothing is left of the larger one.
		e.Tick(start.Add(1000 * time.Hour))
		e.reset()
		require.NoError(t, e.Snapshot(t.Context(), start))
		require.NoError(t, e.Snapshot(t.Context(), start))
		assert.Len(t, disk.data, 4)
	}
	t.Run("many series", func(t *testing.T) {
		e := newEngine()
		e.ObserveMetrics(from("s", gauge("m", 0, make([]float64, 3000)...)), shownNone)
		check(t, e, 3)
	})
	t.Run("many findings", func(t *testing.T) {
		e := newEngine()
		for i := range 3000 {
			id := fmt.Sprintf("%016x", i)
			p := incident.Point{Series: uint64(i), Time: start.UnixNano(), Cadence: 1, Score: 2, Surprise: 20, Kind: "high"}
			e.judge.Tracker().Observe(p, func() incident.Subject { return incident.Subject{Series: id, Service: strings.Repeat("x", 500)} })
		}
		check(t, e, 3)
	})
	t.Run("one huge attribute", func(t *testing.T) {
		e := newEngine()
		md := from("s", gauge("m", 0, 1), gauge("n", 0, 1))
		md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0).Attributes().PutStr("stack", strings.Repeat("x", 3<<19))
		e.ObserveMetrics(md, shownNone)
		disk := persist(t, e)
		require.NoError(t, e.Snapshot(t.Context(), start))
		for key, b := range disk.data {
			assert.LessOrEqual(t, len(b), 1<<20, key)
		}
		r, logs := restored(t, disk, 0)
		assert.Empty(t, errorsIn(logs))
		assert.NotEmpty(t, r.Series(SeriesQuery{Metric: "n"}), "the rest of the state is not lost over it")
	})
}

// Values at the edge of a float64 must not keep the state from being written or read.
func TestExtremeValuesCanBeWrittenAndRead(t *testing.T) {
	e := newEngine()
	for i := range history {
		e.Tick(at(float64(i * cadence)))
		v := math.MaxFloat64
		if i%2 == 0 {
			v = -v
		}
		e.ObserveMetrics(from("s", gauge("m", float64(i*cadence), v, 1e300*float64(i%3), math.SmallestNonzeroFloat64*float64(i%2), 1e-300*float64(i%5))), shownAll)
	}
	for i, v := range []float64{math.MaxFloat64, -math.MaxFloat64, 0, 1e308, 5e-324} {
		e.ObserveMetrics(from("s", gauge("m", float64((history+i)*cadence), v, v, v, v)), shownWhereAnomalous)
	}
	disk := persist(t, e)
	require.NoError(t, e.Snapshot(t.Context(), start))
	r, logs := restored(t, disk, 0)
	assert.Empty(t, errorsIn(logs))
	assert.Equal(t, asJSON(t, e), asJSON(t, r))
}

// twoGenerations is a storage with generation 1 of 10 points a series and generation 2 of 20, each of several chunks.
func twoGenerations(t *testing.T) *memory {
	t.Helper()
	e := newEngine()
	disk := persist(t, e)
	w := newWorld(e, "cart")
	e.ObserveMetrics(from("many", gauge("m", 0, make([]float64, 1500)...)), shownNone)
	for range 2 {
		w.run(10)
		require.NoError(t, e.Snapshot(t.Context(), start))
	}
	require.GreaterOrEqual(t, len(disk.data), 2+2*2, "several chunks, or this proves little")
	return disk
}

const pointsOfOther = 1500

func loaded(e *Engine) int { return (int(e.Status().Points) - pointsOfOther) / statistics }

func TestDamage(t *testing.T) {
	whole := twoGenerations(t)
	reseal := func(b []byte, f func(body []byte) []byte) []byte { return seal(f(bytes.Clone(b[:len(b)-crcSize]))) }
	flip := func(i int) func(d map[string][]byte, key string) {
		return func(d map[string][]byte, key string) {
			b := d[key]
			b[(i+len(b))%len(b)] ^= 4
		}
	}
	damages := map[string]func(d map[string][]byte, key string){
		"missing":         func(d map[string][]byte, key string) { delete(d, key) },
		"empty":           func(d map[string][]byte, key string) { d[key] = []byte{} },
		"one byte":        func(d map[string][]byte, key string) { d[key] = d[key][:1] },
		"cut by a byte":   func(d map[string][]byte, key string) { d[key] = d[key][:len(d[key])-1] },
		"cut in half":     func(d map[string][]byte, key string) { d[key] = d[key][:len(d[key])/2] },
		"longer":          func(d map[string][]byte, key string) { d[key] = append(d[key], 0) },
		"zeroed":          func(d map[string][]byte, key string) { clear(d[key]) },
		"tail zeroed":     func(d map[string][]byte, key string) { clear(d[key][len(d[key])/2:]) },
		"first bit":       flip(0),
		"bit of 2nd byte": flip(1),
		"bit of the head": flip(9),
		"bit at the end":  flip(-1),
		"bit before it":   flip(-5),
		"later version": func(d map[string][]byte, key string) {
			d[key] = reseal(d[key], func(b []byte) []byte { b[0]++; return b })
		},
		"earlier version": func(d map[string][]byte, key string) {
			d[key] = reseal(d[key], func(b []byte) []byte { b[0]--; return b })
		},
		"other generation": func(d map[string][]byte, key string) {
			d[key] = reseal(d[key], func(b []byte) []byte { binary.LittleEndian.PutUint64(b[1:], 7); return b })
		},
		"sealed but cut": func(d map[string][]byte, key string) {
			d[key] = reseal(d[key], func(b []byte) []byte { return b[:len(b)-1] })
		},
		"sealed but longer": func(d map[string][]byte, key string) {
			d[key] = reseal(d[key], func(b []byte) []byte { return append(b, 9) })
		},
		"unknown record": func(d map[string][]byte, key string) {
			d[key] = reseal(d[key], func(b []byte) []byte { return append(b, 99, 0, 0, 0, 0) })
		},
	}
	clone := func() *memory {
		m := newMemory()
		for k, v := range whole.data {
			m.data[k] = bytes.Clone(v)
		}
		return m
	}
	e, logs := restored(t, clone(), 0)
	require.Equal(t, 20, loaded(e))
	require.Empty(t, errorsIn(logs))

	// goesOn has the engine write a state that is read again.
	goesOn := func(t *testing.T, e *Engine, disk *memory) {
		t.Helper()
		newWorld(e, "payment").run(3)
		require.NoError(t, e.Snapshot(t.Context(), start))
		again, _ := restored(t, disk, 0)
		assert.Equal(t, e.Status().Points, again.Status().Points)
	}
	for name, damage := range damages {
		for _, key := range []string{manifestKey(0), chunkKey(0, 0), chunkKey(0, 1)} {
			// A slot that is being written has no manifest: nothing to be said of that.
			silent := key == manifestKey(0) && name == "missing"
			t.Run(name+" "+key, func(t *testing.T) {
				disk := clone()
				damage(disk.data, key)
				e, logs := restored(t, disk, 0)
				assert.Equal(t, 10, loaded(e), "the older generation is whole")
				assert.Equal(t, silent, len(warningsIn(logs)) == 0, "it is said: %q", warningsIn(logs))
				goesOn(t, e, disk)
			})
			t.Run("both "+name+" "+key, func(t *testing.T) {
				disk := clone()
				other := strings.Replace(key, "snapshot/0", "snapshot/1", 1)
				damage(disk.data, key)
				damage(disk.data, other)
				e, logs := restored(t, disk, 0)
				assert.Zero(t, e.Status().Points)
				assert.Zero(t, e.Status().Series)
				assert.Zero(t, e.Status().Signals[SignalMetrics].DecisionsPerDay)
				assert.Equal(t, silent, len(warningsIn(logs)) == 0, "it is said: %q", warningsIn(logs))
				goesOn(t, e, disk)
			})
		}
	}
}

// While the newest whole generation is the older one, the next snapshot must not be written over it.
func TestSnapshotAfterDamageSparesTheOneThatIsWhole(t *testing.T) {
	for _, key := range []string{manifestKey(0), chunkKey(0, 1)} {
		disk := twoGenerations(t)
		disk.data[key] = disk.data[key][1:]
		e, _ := restored(t, disk, 0)
		require.Equal(t, 10, loaded(e))
		disk.fail = func(operation, key string) error { // killed before it is whole
			if operation == "set" && strings.HasSuffix(key, "manifest") {
				return errDisk
			}
			return nil
		}
		require.Error(t, e.Snapshot(t.Context(), start))
		disk.fail = nil
		e, _ = restored(t, disk, 0)
		assert.Equal(t, 10, loaded(e), "damaged %s", key)
	}
}

// A write that is cut off anywhere leaves the generation before it.
func TestSnapshotThatIsCutOff(t *testing.T) {
	for cut := range 20 {
		disk := twoGenerations(t)
		e, _ := restored(t, disk, 0)
		newWorld(e, "payment").run(1)
		n := 0
		disk.fail = func(operation, key string) error {
			if operation == "get" {
				return nil
			}
			if n++; n > cut {
				return fmt.Errorf("%s %s: %w", operation, key, errDisk)
			}
			return nil
		}
		err := e.Snapshot(t.Context(), start)
		again, logs := restored(t, disk.copy(), 0)
		if err == nil {
			assert.Equal(t, e.Status().Points, again.Status().Points)
			assert.Greater(t, cut, 3)
			return
		}
		require.ErrorIs(t, err, errDisk)
		assert.ErrorContains(t, err, "write snapshot 3")
		assert.Equal(t, 20, loaded(again), "cut after %d operations", cut)
		assert.Empty(t, errorsIn(logs))

		disk.fail = nil
		require.NoError(t, e.Snapshot(t.Context(), start), "the next attempt succeeds")
		again, _ = restored(t, disk, 0)
		assert.Equal(t, e.Status().Points, again.Status().Points)
	}
	t.Fatal("it never succeeded")
}

func TestStorageThatCannotBeRead(t *testing.T) {
	for _, key := range []string{manifestKey(0), manifestKey(1), chunkKey(0, 0), chunkKey(0, 1)} {
		disk := twoGenerations(t)
		before := maps.Clone(disk.data)
		disk.fail = func(operation, k string) error {
			if operation == "get" && k == key {
				return errDisk
			}
			return nil
		}
		e, _ := newLoggingEngine()
		err := e.Load(t.Context(), disk, start)
		require.ErrorIs(t, err, errDisk, "%s: it is whole for all one knows, and must not be taken for damaged", key)
		require.ErrorContains(t, err, key)

		// A shutdown after that must not overwrite it with an empty state.
		disk.fail = nil
		require.NoError(t, e.Snapshot(t.Context(), start))
		assert.Equal(t, before, disk.data)
	}
}

func TestRestoreIntoASmallerTable(t *testing.T) {
	w := newWorld(newEngine(), "a", "b", "c")
	w.run(history)
	w.run(1, "a", "b", "c")
	disk := persist(t, w.engine)
	require.NoError(t, w.engine.Snapshot(t.Context(), start))
	e, logs := restored(t, disk, 0, func(c *Config) { c.MaxSeries = statistics })
	assert.Empty(t, errorsIn(logs))
	s := e.Status()
	assert.LessOrEqual(t, s.Series, statistics)
	assert.LessOrEqual(t, s.OpenAnomalies, 3)
	assert.InDelta(t, s.Series*8640, s.Signals[SignalMetrics].DecisionsPerDay, 0)
	assert.LessOrEqual(t, s.Warming, s.Series)
	assert.Equal(t, uint64(3*statistics-s.Series), s.Evicted, "what did not fit is counted")
	w.engine = e
	require.NotPanics(t, func() { w.run(20, "b") })
}

// A resource's record and a stream's, of a state as small as it gets, field by field.
func TestLayoutOfRecords(t *testing.T) {
	e := newEngine()
	e.ObserveMetrics(from("s", gauge("m", 0, 1)), shownNone)
	disk := newMemory()
	disk.data = packed(t, e)
	found, rejected, err := snapshot.Find(t.Context(), disk)
	require.NoError(t, err)
	require.Empty(t, rejected)
	require.Len(t, found, 1)
	var tags []byte
	require.NoError(t, found[0].Read(t.Context(), disk, func(tag byte, c *state.Codec) error {
		tags = append(tags, tag)
		r := layout{t, c}
		switch tag {
		case snapshot.TagResource:
			assert.Equal(t, resourceID("s"), series.ID(r.uint64()))
			assert.Equal(t, start.UnixNano(), r.int64(), "watermark")
			assert.Zero(t, r.int64(), "life: time")
			assert.Zero(t, r.int64(), "life: longest usual step")
			assert.Equal(t, map[string]any{"service.name": "s"}, r.attributes())
		case snapshot.TagStream:
			layoutOfStream(t, r, e)
		case snapshot.TagBudget:
			for range budget.Signals {
				assert.Zero(t, r.float64(), "rare points")
				assert.Zero(t, r.float64(), "runs of them")
			}
			r.zero(8+2*(8+(65+5+2*65)*8), "pool of all")
			assert.Equal(t, uint32(1), r.uint32(), "pools")
			assert.Equal(t, uint64(series.Text("m").Join(series.Number(uint64(meter.Value)))), r.uint64())
			r.zero(8+2*(8+(65+5+2*65)*8), "pool")
		default:
			return e.restoreRecord(tag, c) // reads to the end
		}
		return nil
	}))
	assert.Equal(t, []byte{snapshot.TagResource, snapshot.TagStream, snapshot.TagBudget, snapshot.TagEngine}, tags)
}

func resourceID(service string) series.ID {
	m := pcommon.NewMap()
	m.PutStr(vocabulary.ServiceName, service)
	return series.Attributes(m)
}

func layoutOfStream(t *testing.T, r layout, e *Engine) {
	t.Helper()
	assert.Equal(t, resourceID("s"), series.ID(r.uint64()))
	r.uint64()
	assert.Equal(t, uint8(SignalMetrics), r.uint8())
	assert.Equal(t, "test", r.text(), "scope")
	assert.Empty(t, r.text(), "scope version")
	assert.Empty(t, r.attributes(), "scope attributes")
	assert.Equal(t, "m", r.text())
	assert.Equal(t, "By", r.text())
	assert.Equal(t, map[string]any{"n": int64(0)}, r.attributes())
	r.zero(8+8+8+8+1, "cadence, late, patience, when it came, silent")
	r.zero(3*4, "gaps")
	assert.Equal(t, uint8(1), r.uint8(), "seen")
	r.zero(1+8, "delta, start")
	assert.Equal(t, start.UnixNano(), r.int64(), "time")
	r.zero(8+8+8+4+4+1, "value, count, sum, buckets, bounds, exponential: none for a gauge")
	assert.Equal(t, uint32(1), r.uint32(), "series")
	assert.Equal(t, uint8(meter.Value), r.uint8())
	assert.Equal(t, uint64(1), r.uint64(), "points")
	assert.Equal(t, start.UnixNano(), r.int64(), "time of the verdict")
	r.zero(8+8, "last rare point, point that opened")
	r.zero(8+8, "score, opening score")
	assert.InDelta(t, 1, r.float64(), 0, "observed")
	for range 3 {
		assert.True(t, math.IsNaN(r.float64()), "expected, lower, upper")
	}
	r.zero(1+1, "phase, shown")
	assert.Equal(t, uint32(1), r.uint32(), "rule of openings: points seen")
	r.zero(8, "rule of openings: the peak")
	r.zero(1, "waits for its policy")
	r.c.Part(ensemble.New(&ensemble.Options{Zone: e.cfg.zone(), Accept: e.cfg.AcceptAfter}))
}

// layout reads values one by one.
type layout struct {
	t *testing.T
	c *state.Codec
}

func (l layout) uint8() (v uint8)     { l.c.Uint8(&v); return v }
func (l layout) uint32() (v uint32)   { l.c.Uint32(&v); return v }
func (l layout) uint64() (v uint64)   { l.c.Uint64(&v); return v }
func (l layout) int64() (v int64)     { l.c.Int64(&v); return v }
func (l layout) float64() (v float64) { l.c.Bits(&v); return v }
func (l layout) text() (v string)     { l.c.String(&v); return v }

func (l layout) attributes() map[string]any {
	m := pcommon.NewMap()
	snapshot.Attributes(l.c, m)
	return m.AsRaw()
}

func (l layout) zero(n int, what string) {
	l.t.Helper()
	for range n {
		require.Zero(l.t, l.uint8(), what)
	}
}

// The chunks of another generation are whole by themselves, and still wrong.
func TestChunkOfAnotherGenerationIsRefused(t *testing.T) {
	disk := twoGenerations(t)
	disk.data[chunkKey(0, 1)] = disk.data[chunkKey(1, 1)]
	e, logs := restored(t, disk, 0)
	assert.Equal(t, 10, loaded(e))
	assert.NotEmpty(t, errorsIn(logs))
}

// After an upgrade learning starts over, which is logged once for each snapshot, and not as damage.
func TestSnapshotsOfAnotherVersionAreSkipped(t *testing.T) {
	disk := newMemory()
	for slot := range 2 { // the manifest of version 5 was big endian, its checksum too
		b := []byte{5, 0, 0, 0, 0, 0, 0, 0, byte(slot), 0, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0, 5}
		disk.data[manifestKey(slot)] = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	}
	e, logs := restored(t, disk, 0)
	assert.Empty(t, errorsIn(logs))
	var warnings []string
	for _, l := range logs.FilterLevelExact(zapcore.WarnLevel).All() {
		warnings = append(warnings, fmt.Sprint(l.Message, ": ", l.ContextMap()["error"]))
	}
	assert.Equal(t, []string{
		"skipping a snapshot of another version: snapshot/0/manifest: unsupported version of the format: the snapshot has version 5, this build reads version 9",
		"skipping a snapshot of another version: snapshot/1/manifest: unsupported version of the format: the snapshot has version 5, this build reads version 9",
		"no usable snapshot: learning starts over: <nil>",
	}, warnings)
	newWorld(e, "cart").run(1)
	require.NoError(t, e.Snapshot(t.Context(), start))
	again, _ := restored(t, disk, 0)
	assert.Equal(t, e.Status().Points, again.Status().Points)
}

// Batches arrive between the slices of a snapshot, in which anomalies open and
// close. What is restored does not contradict itself, and goes on.
func TestSnapshotBetweenBatches(t *testing.T) {
	var services []string
	for i := range 40 { // so many that some are written before the first batch, and some after it
		services = append(services, fmt.Sprint("service ", i))
	}
	for name, c := range map[string]struct{ before, during []string }{
		"anomalies open":  {nil, services},
		"anomalies close": {services, nil},
		"all at once":     {services[:20], services[20:]},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(newEngine(), services...)
			w.engine.ObserveMetrics(from("many", gauge("m", 0, make([]float64, 3000)...)), shownNone)
			w.run(history)
			w.run(2, c.before...)
			disk := persist(t, w.engine)
			steps := 0
			disk.fail = func(operation, _ string) error {
				if operation == "set" { // between two slices
					for range 3 {
						w.run(1, c.during...)
						steps++
					}
				}
				return nil
			}
			require.NoError(t, w.engine.Snapshot(t.Context(), start))
			require.Greater(t, steps, 3*5, "several chunks, or this proves little")
			e, logs := restored(t, disk, float64(w.step*cadence))
			assert.Empty(t, warningsIn(logs))
			e.Look(func(rows view.Rows, _ *topology.Graph) {
				for row := range rows {
					assert.Equal(t, e.judge.Tracker().Open(uint64(row.ID)), row.Open, "a series knows whether it is anomalous")
				}
			})
			w.engine = e
			w.run(history)
			assert.Zero(t, e.Status().OpenAnomalies, "what was open closes")
		})
	}
}
