// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
)

func TestSamplesOfASeriesAreSortedByTime(t *testing.T) {
	for name, msg := range messages {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil)
			e := start(t, s.URL, message(msg))
			md := gauges(5000, 5, "load")
			points := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints()
			for _, at := range []int64{2000, 4000, 1000, 3000, 2000} {
				addPoint(points, at, float64(at/1000))
			}
			require.NoError(t, e.ConsumeMetrics(t.Context(), md))
			assert.Equal(t, []sample{{1000, 1}, {2000, 2}, {3000, 3}, {4000, 4}, {5000, 5}}, s.store()[`load{job="shop"}`])
			assert.Empty(t, e.log.FilterMessageSnippet("could not").All(), "a point that is there twice is no loss")
		})
	}
}

func TestLargeBatchIsSplit(t *testing.T) {
	for name, msg := range messages {
		t.Run(name, func(t *testing.T) {
			const limit = 20_000
			s := newServer(t, nil)
			e := start(t, s.URL, with(message(msg), func(c *Config) { c.MaxBatchSizeBytes = limit }))
			require.NoError(t, e.ConsumeMetrics(t.Context(), gauges(1000, 7, numbered("load", 2000)...)))
			requests := s.seen()
			require.Greater(t, len(requests), 2)
			var last string
			for i, r := range requests {
				assert.LessOrEqual(t, r.size, limit)
				if i < len(requests)-1 {
					assert.Greater(t, r.size, limit*7/10, "requests are full")
				}
				if msg == messageV2 {
					assert.LessOrEqual(t, len(r.symbols), 2*len(r.series)+4, "only the symbols in use")
				}
				names := sortedNames(r)
				assert.Less(t, last, names[0], "one after another")
				last = names[len(names)-1]
			}
			assert.Len(t, s.store(), 2000)
		})
	}
}

func sortedNames(r received) []string {
	var names []string
	for name := range r.series {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestLargeSeriesGoesAlone(t *testing.T) {
	s := newServer(t, nil)
	e := start(t, s.URL, func(c *Config) { c.MaxBatchSizeBytes = 1 })
	require.NoError(t, e.ConsumeMetrics(t.Context(), gauges(1000, 7, "a", "b")))
	assert.Len(t, s.seen(), 2)
}

// A server that accepts one request before each 429 still receives the end of a batch.
func TestRetryGoesOnWhereItStopped(t *testing.T) {
	for name, msg := range messages {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, func(_ http.ResponseWriter, n int, _ received) (int, string) {
				if n%2 == 1 {
					return http.StatusTooManyRequests, "slower"
				}
				return 0, ""
			})
			e := start(t, s.URL, with(message(msg), retrying, func(c *Config) { c.MaxBatchSizeBytes = 5000 }))
			md := gauges(1000, 7, numbered("load", 600)...)
			untranslatable().ResourceMetrics().At(0).CopyTo(md.ResourceMetrics().AppendEmpty())
			require.NoError(t, e.ConsumeMetrics(t.Context(), md))
			store := s.store()
			assert.Len(t, store, 601)
			for name, samples := range store {
				assert.Len(t, samples, 1, name)
			}
			assert.EqualValues(t, 3, e.counter(t, "untranslated_points", deltaTemporality), "counted once, however often it was tried")
			assert.EqualValues(t, 2, e.counter(t, "untranslated_points", noTimestamp))
		})
	}
}

func TestDirectFailureSaysWhatIsLeft(t *testing.T) {
	s := newServer(t, func(_ http.ResponseWriter, n int, _ received) (int, string) {
		if n == 1 {
			return http.StatusServiceUnavailable, ""
		}
		return 0, ""
	})
	e := start(t, s.URL, func(c *Config) { c.MaxBatchSizeBytes = 5000 })
	err := e.ConsumeMetrics(t.Context(), gauges(1000, 7, numbered("load", 200)...))
	var left consumererror.Metrics
	require.ErrorAs(t, err, &left)
	assert.Equal(t, 200-len(s.store()), left.Data().MetricCount())
	assert.False(t, consumererror.IsPermanent(err))
}

func TestQueueKeepsTheOrderThroughFaults(t *testing.T) {
	s := newServer(t, func(_ http.ResponseWriter, n int, _ received) (int, string) {
		return []int{0, 503, 429, 0, 500}[n%5], ""
	})
	e := start(t, s.URL, with(retrying, func(c *Config) { c.Queue.GetOrInsertDefault() }))
	const batches = 50
	for i := range int64(batches) {
		require.NoError(t, e.ConsumeMetrics(t.Context(), gauges(1000+i, float64(i), "load")))
	}
	require.Eventually(t, func() bool { return len(s.store()[`load{job="shop"}`]) == batches }, 10*time.Second, time.Millisecond)
	for i, got := range s.store()[`load{job="shop"}`] {
		assert.Equal(t, sample{int64(1000 + i), float64(i)}, got)
	}
}

func TestShutdownDoesNotWaitForAServerThatStalls(t *testing.T) {
	stalled := make(chan struct{})
	s := newServer(t, func(http.ResponseWriter, int, received) (int, string) { <-stalled; return 0, "" })
	t.Cleanup(func() { close(stalled) })
	e := start(t, s.URL, with(retrying, func(c *Config) {
		c.Queue.GetOrInsertDefault()
		c.Client.Timeout = 300 * time.Millisecond
	}))
	require.NoError(t, e.ConsumeMetrics(t.Context(), gauges(1000, 7, "load")))
	require.Eventually(t, func() bool { return len(s.seen()) > 0 }, 5*time.Second, time.Millisecond)
	began := time.Now()
	require.NoError(t, e.Shutdown(t.Context()))
	assert.Less(t, time.Since(began), 5*time.Second)
	e.Metrics = nopExporter{}
}
