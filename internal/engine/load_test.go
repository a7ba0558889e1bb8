// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/auspex-otel/auspex/internal/memstorage"
)

const manySeries = 100_000

// crowded returns an engine with 100,000 series of 1,000 services, which have seen a few points each.
func crowded(tb testing.TB) *Engine {
	tb.Helper()
	e := newEngine()
	for step := range 3 {
		e.Tick(at(float64(step * cadence)))
		for s := range 1000 {
			e.ObserveMetrics(from(fmt.Sprint("service-", s), gauge("m", float64(step*cadence), make([]float64, manySeries/1000)...)), shownNone)
		}
	}
	require.Equal(tb, manySeries, e.Status().Series)
	return e
}

// sink is a storage client that keeps nothing and counts the bytes.
type sink struct{ bytes int }

func (*sink) Get(context.Context, string) ([]byte, error) { return nil, nil }

func (s *sink) Set(_ context.Context, _ string, value []byte) error {
	s.bytes += len(value)
	return nil
}
func (*sink) Delete(context.Context, string) error { return nil }

// Batch does the operations one by one.
func (s *sink) Batch(ctx context.Context, ops ...*storage.Operation) error {
	return memstorage.Batch(ctx, s, ops)
}
func (*sink) Close(context.Context) error { return nil }

// BenchmarkSnapshotPause writes the state of 100,000 series while batches of ten
// points arrive without a break. It reports the longest time that one of them took,
// and that of one without a snapshot within the same time: what the machine adds.
func BenchmarkSnapshotPause(b *testing.B) {
	e, disk := crowded(b), &sink{}
	require.NoError(b, e.Load(b.Context(), disk, start))
	second := float64(3 * cadence)
	observe := func() time.Duration {
		second += cadence
		md := from("service-0", gauge("m", second, make([]float64, 10)...))
		began := time.Now()
		e.ObserveMetrics(md, shownNone)
		return time.Since(began)
	}
	var idle, longest time.Duration
	for b.Loop() {
		began := time.Now()
		done := make(chan error)
		go func() { done <- e.Snapshot(b.Context(), start) }()
		for running := true; running; {
			select {
			case err := <-done:
				require.NoError(b, err)
				running = false
			default:
				longest = max(longest, observe())
			}
		}
		for end := time.Now().Add(time.Since(began)); time.Now().Before(end); {
			idle = max(idle, observe())
		}
	}
	b.ReportMetric(float64(longest.Microseconds())/1000, "ms/longest-wait")
	b.ReportMetric(float64(idle.Microseconds())/1000, "ms/longest-wait-idle")
	b.ReportMetric(float64(disk.bytes)/float64(b.N)/manySeries, "B/series")
}

// BenchmarkSeriesQuery asks for the strangest of 100,000 series.
func BenchmarkSeriesQuery(b *testing.B) {
	e := crowded(b)
	b.ReportAllocs()
	for b.Loop() {
		require.Len(b, e.Series(SeriesQuery{Limit: 1}), 1)
	}
}
