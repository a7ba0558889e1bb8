// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package warmup

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/promseries"
)

// raw returns a series with samples at the given milliseconds.
func raw(l map[string]string, samples ...promseries.Sample) *rawSeries {
	return &rawSeries{Labels: l, Samples: samples}
}

func TestHistogramIsMadeAgain(t *testing.T) {
	m := promseries.Member{Kind: promseries.Histogram, Base: "latency"}
	r := &replica{}
	for _, s := range []*rawSeries{
		raw(labeled("__name__", "latency_bucket", "le", "+Inf"), promseries.Sample{T: 1000, V: 7}, promseries.Sample{T: 2000, V: 9}, promseries.Sample{T: 3000, V: 9}, promseries.Sample{T: 4000, V: 2}, promseries.Sample{T: 5000, V: 3}),
		raw(labeled("__name__", "latency_bucket", "le", "0.5"), promseries.Sample{T: 1000, V: 3}, promseries.Sample{T: 2000, V: 4}, promseries.Sample{T: 4000, V: 1}, promseries.Sample{T: 5000, V: 4}),
		raw(labeled("__name__", "latency_bucket", "le", "10"), promseries.Sample{T: 1000, V: 7}, promseries.Sample{T: 2000, V: 8}, promseries.Sample{T: 3000, V: 8}, promseries.Sample{T: 4000, V: 2}, promseries.Sample{T: 5000, V: 3}),
		raw(labeled("__name__", "latency_count"), promseries.Sample{T: 1000, V: 7}, promseries.Sample{T: 2000, V: 9}, promseries.Sample{T: 3000, V: 10}, promseries.Sample{T: 4000, V: 2}, promseries.Sample{T: 5000, V: 3}),
		raw(labeled("__name__", "latency_sum"), promseries.Sample{T: 1000, V: 1.5}, promseries.Sample{T: 2000, V: 30}),
	} {
		require.True(t, r.add(m, s))
	}
	assert.False(t, r.add(m, raw(labeled("__name__", "latency_bucket", "le", "much"))))
	md := metricOf(promseries.Histogram, "x", r.Points(promseries.Histogram))
	h := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Histogram()
	assert.Equal(t, pmetric.AggregationTemporalityCumulative, h.AggregationTemporality())
	var got []string
	for _, dp := range h.DataPoints().All() {
		got = append(got, fmt.Sprint(dp.Timestamp().AsTime().UnixMilli(), dp.Count(), dp.HasSum(), dp.Sum(), dp.ExplicitBounds().AsRaw(), dp.BucketCounts().AsRaw()))
	}
	assert.Equal(t, []string{
		"1000 7 true 1.5 [0.5 10] [3 4 0]",
		"2000 9 true 30 [0.5 10] [4 4 1]",
		// At 3000 the count exceeds its buckets, at 5000 they decrease: such points are omitted.
		"4000 2 false 0 [0.5 10] [1 1 0]",
	}, got)
}

func TestSummaryIsMadeAgain(t *testing.T) {
	m := promseries.Member{Kind: promseries.Summary, Base: "pause"}
	r := &replica{}
	for _, s := range []*rawSeries{
		raw(labeled("__name__", "pause", "quantile", "0.99"), promseries.Sample{T: 1000, V: 5}),
		raw(labeled("__name__", "pause", "quantile", "0.5"), promseries.Sample{T: 1000, V: 2}, promseries.Sample{T: 2000, V: 3}),
		raw(labeled("__name__", "pause_count"), promseries.Sample{T: 1000, V: 7}, promseries.Sample{T: 2000, V: 9}, promseries.Sample{T: 3000, V: math.NaN()}),
		raw(labeled("__name__", "pause_sum"), promseries.Sample{T: 1000, V: 14}, promseries.Sample{T: 2000, V: 20}, promseries.Sample{T: 3000, V: 1}),
	} {
		require.True(t, r.add(m, s))
	}
	md := metricOf(promseries.Summary, "x", r.Points(promseries.Summary))
	var got []string
	for _, dp := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Summary().DataPoints().All() {
		texts := []string{fmt.Sprint(dp.Timestamp().AsTime().UnixMilli(), dp.Count(), dp.Sum())}
		for _, q := range dp.QuantileValues().All() {
			texts = append(texts, fmt.Sprint(q.Quantile(), q.Value()))
		}
		got = append(got, strings.Join(texts, " "))
	}
	assert.Equal(t, []string{"1000 7 14 0.5 2 0.99 5", "2000 9 20 0.5 3"}, got)
}

// copyOf returns a copy of a gauge with points at the given seconds, and the name as value.
func copyOf(name rune, at ...int64) *replica {
	r := &replica{labels: string(name)}
	var samples rawSamples
	for _, t := range at {
		samples = append(samples, promseries.Sample{T: t * 1000, V: float64(name)})
	}
	r.Parts = []promseries.Part{{Samples: samples}}
	return r
}

func TestCopiesAreOneStream(t *testing.T) {
	for name, c := range map[string]struct {
		copies []*replica
		after  int64
		want   string
	}{
		"one":                           {[]*replica{copyOf('a', 1, 2)}, 0, "a1 a2"},
		"the same twice":                {[]*replica{copyOf('b', 10, 20, 30), copyOf('a', 10, 20, 30)}, 0, "a10 a20 a30"},
		"beside each other":             {[]*replica{copyOf('a', 10, 20, 30), copyOf('b', 14, 24, 34)}, 0, "a10 a20 a30"},
		"the longer one leads":          {[]*replica{copyOf('a', 10, 20), copyOf('b', 11, 21, 31, 41)}, 0, "b11 b21 b31 b41"},
		"a gap":                         {[]*replica{copyOf('a', 10, 20, 30, 80, 90, 100), copyOf('b', 12, 42, 52, 62, 72)}, 0, "a10 a20 a30 b42 b52 b62 a80 a90 a100"},
		"the end":                       {[]*replica{copyOf('a', 10, 20, 30), copyOf('b', 45, 55)}, 0, "a10 a20 a30 b45 b55"},
		"three":                         {[]*replica{copyOf('a', 10, 20, 30), copyOf('b', 45, 55), copyOf('c', 66, 76)}, 0, "a10 a20 a30 b45 b55 c66 c76"},
		"too near to the window before": {[]*replica{copyOf('a', 13, 23, 33), copyOf('b', 24)}, 10_000, "a23 a33"},
		"near enough":                   {[]*replica{copyOf('a', 16, 26, 36), copyOf('b', 24)}, 10_000, "a16 a26 a36"},
	} {
		var got []string
		for _, p := range merged(promseries.Value, c.copies, c.after) {
			got = append(got, fmt.Sprintf("%c%d", rune(p.V), p.T/1000))
		}
		assert.Equal(t, c.want, strings.Join(got, " "), name)
	}
}

func TestSamplesAreRead(t *testing.T) {
	var s rawSamples
	require.NoError(t, json.Unmarshal([]byte(` [ [1435781430.781,"1"], [1435781460,"-2.5e3"] ,[1435781490.001,"+Inf"],[2,"NaN"]]`), &s))
	require.Len(t, s, 4)
	assert.Equal(t, rawSamples{{T: 1435781430781, V: 1}, {T: 1435781460000, V: -2500}, {T: 1435781490001, V: math.Inf(1)}}, s[:3])
	assert.True(t, math.IsNaN(s[3].V))
	require.NoError(t, json.Unmarshal([]byte(`[]`), &s))
	assert.Empty(t, s)
}

// Any input gives an error or the samples that a JSON decoder reads.
func FuzzSamples(f *testing.F) {
	for _, seed := range []string{`[[1,"2"]]`, `[]`, `null`, `0`, `[[1]]`, `[["a","b"]]`, `[[1,"2",3]]`, `{"a":[1,"2"]}`, `[[1,"2"],[`, `[[[1,"2"]]]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var fast rawSamples
		if json.Unmarshal([]byte(text), &fast) != nil {
			return
		}
		var slow [][]any
		require.NoError(t, json.Unmarshal([]byte(text), &slow))
		require.Len(t, fast, len(slow))
	})
}
