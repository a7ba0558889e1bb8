// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// FuzzRestore has an engine load a snapshot whose records are anything at all,
// under a checksum that is right, and use what came of it.
func FuzzRestore(f *testing.F) {
	f.Add([]byte{})
	f.Add(records(f, nil))
	f.Add(records(f, func(w *world) { w.run(3) }))
	f.Add(records(f, func(w *world) { w.run(history); w.run(1, "cart") }))
	whole := string(records(f, func(w *world) { w.run(history); w.run(1, "cart"); w.run(12) }))
	f.Add([]byte(whole))
	f.Add(completeRecords(f))
	f.Fuzz(func(t *testing.T, body []byte) {
		disk := newMemory()
		disk.data[chunkKey(1, 0)] = seal(append(openChunk(1), body...))
		disk.data[manifestKey(1)] = manifest(1, 1)
		loadAndUse(t, disk)
	})
}

// FuzzChunk has an engine load a chunk and a manifest that are anything at all.
func FuzzChunk(f *testing.F) {
	m := manifest(1, 1)
	f.Add(m, seal(append(openChunk(1), records(f, func(w *world) { w.run(3) })...)))
	f.Add(m, []byte{})
	f.Add([]byte{}, []byte{})
	f.Add(m[:5], m)
	f.Add(manifest(1, 1<<31), seal(openChunk(1)))
	f.Fuzz(func(t *testing.T, head, chunk []byte) {
		disk := newMemory()
		disk.data[chunkKey(1, 0)], disk.data[manifestKey(1)] = chunk, head
		loadAndUse(t, disk)
	})
}

// records are those of the snapshot of a small engine, without the chunk's head and checksum.
func records(f *testing.F, feed func(*world)) []byte {
	f.Helper()
	w := newWorld(newEngine(), "cart")
	if feed != nil {
		feed(w)
	}
	disk := packed(f, w.engine)
	require.Len(f, disk, 2, "a chunk and the manifest")
	chunk := disk[chunkKey(0, 0)]
	return chunk[chunkHead : len(chunk)-crcSize]
}

// completeRecords are those of a complete snapshot of an engine that has observed all signals.
func completeRecords(f *testing.F) []byte {
	f.Helper()
	m := &mixed{engine: newEngine()}
	m.run(5, nil)
	disk := newMemory()
	m.engine.disk.client = disk
	require.NoError(f, m.engine.SnapshotComplete(context.Background(), start))
	chunk := disk.data[chunkKey(1, 0)]
	return chunk[chunkHead : len(chunk)-crcSize]
}

// loadAndUse does with an engine all that a collector does.
func loadAndUse(t *testing.T, disk *memory) {
	t.Helper()
	require.NotPanics(t, func() { use(t, disk) })
}

func use(t *testing.T, disk *memory) {
	t.Helper()
	e := New(DefaultConfig(), zap.NewNop())
	require.NoError(t, e.Load(context.Background(), disk, start), "damage never stops a start")
	e.Tick(start)
	w := newWorld(e, "cart")
	w.out = shownAll
	w.step = history
	w.run(2)
	w.run(1, "cart")
	e.Status()
	e.Series(SeriesQuery{})
	for _, i := range e.Incidents("") {
		e.Incident(i.ID)
	}
	events := e.PendingEvents()
	for _, a := range events.Anomalies {
		_ = vocabulary.Sentence(a)
	}
	for _, i := range events.Incidents {
		_, err := json.Marshal(i)
		require.NoError(t, err)
	}
	e.DeliveredEvents(events)
	e.Tick(start.Add(240 * time.Hour))
	e.DeliveredGauges(e.PendingGauges())
	require.NoError(t, e.Snapshot(context.Background(), start))
}

// FuzzObserve has an engine observe any batch that OTLP can carry, twice, and write its state.
func FuzzObserve(f *testing.F) {
	add := func(md pmetric.Metrics) {
		b, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(md)
		require.NoError(f, err)
		f.Add(b)
	}
	add(from("s", gauge("g", 0, 1, 2), sum("c", 0, 1, true, 2), sum("d", 0, 1, false, 1), histogram("h", 0, 1, 2, 3, 4, 5)))
	add(from("s", histogram("h", 0), histogram("h", 10, 1), gauge(strings.Repeat("x", 100), 0)))
	odd := from("s", gauge("g", 0, 1))
	odd.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0).SetTimestamp(pcommon.Timestamp(1<<63 + 5))
	add(odd)
	f.Fuzz(func(t *testing.T, b []byte) {
		md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(b)
		if err != nil {
			return
		}
		e := New(DefaultConfig(), zap.NewNop())
		disk := newMemory()
		require.NoError(t, e.Load(context.Background(), disk, start))
		e.Tick(start)
		one := e.ObserveMetrics(md, shownAll)
		two := e.ObserveMetrics(md, shownAll)
		require.Equal(t, show(one), show(two))
		require.NoError(t, e.Snapshot(context.Background(), start))
		again := New(DefaultConfig(), zap.NewNop())
		require.NoError(t, again.Load(context.Background(), disk, start))
		require.Equal(t, e.Status().Series, again.Status().Series)
	})
}
