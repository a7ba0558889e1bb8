// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/state"
)

// cadence is the distance between two points in seconds.
const cadence = 10

func stamp(seconds float64) pcommon.Timestamp {
	return pcommon.Timestamp(1_750_000_000e9 + seconds*1e9)
}

func written(fields func(*state.Codec)) []byte {
	c := state.Writer(nil)
	fields(c)
	return c.Bytes()
}

func read(b []byte, fields func(*state.Codec)) error {
	c := state.Reader(b)
	fields(c)
	return c.End()
}

// exponentialOf returns the point that an SDK creates from values at a scale.
func exponentialOf(seconds float64, scale int32, threshold float64, values []float64) pmetric.ExponentialHistogramDataPoint {
	dp := pmetric.NewExponentialHistogramDataPoint()
	dp.SetTimestamp(stamp(seconds))
	dp.SetScale(scale)
	dp.SetZeroThreshold(threshold)
	dp.SetCount(uint64(len(values)))
	sides := map[bool]map[int]uint64{false: {}, true: {}}
	sum := 0.0
	for _, v := range values {
		sum += v
		if math.Abs(v) <= threshold {
			dp.SetZeroCount(dp.ZeroCount() + 1)
			continue
		}
		sides[v < 0][bucketOf(v, scale)]++
	}
	dp.SetSum(sum)
	fillSide(dp.Positive(), sides[false])
	fillSide(dp.Negative(), sides[true])
	return dp
}

// bucketOf returns i with b^i < |v| <= b^(i+1).
func bucketOf(v float64, scale int32) int {
	return int(math.Ceil(math.Ldexp(math.Log2(math.Abs(v)), int(scale)))) - 1
}

func fillSide(b pmetric.ExponentialHistogramDataPointBuckets, counts map[int]uint64) {
	if len(counts) == 0 {
		return
	}
	lowest, highest := math.MaxInt, math.MinInt
	for i := range counts {
		lowest, highest = min(lowest, i), max(highest, i)
	}
	b.SetOffset(int32(lowest))
	for i := lowest; i <= highest; i++ {
		b.BucketCounts().Append(counts[i])
	}
}

// explicitOf returns an explicit histogram of values.
func explicitOf(seconds float64, bounds, values []float64) pmetric.HistogramDataPoint {
	dp := pmetric.NewHistogramDataPoint()
	dp.SetTimestamp(stamp(seconds))
	dp.ExplicitBounds().FromRaw(bounds)
	counts := make([]uint64, len(bounds)+1)
	sum := 0.0
	for _, v := range values {
		i, _ := slices.BinarySearch(bounds, v) // a bucket includes its upper bound
		counts[i]++
		sum += v
	}
	dp.BucketCounts().FromRaw(counts)
	dp.SetCount(uint64(len(values)))
	dp.SetSum(sum)
	return dp
}

func metricOf(kind pmetric.MetricType, temporality pmetric.AggregationTemporality) pmetric.Metric {
	m := pmetric.NewMetric()
	if kind == pmetric.MetricTypeHistogram {
		m.SetEmptyHistogram().SetAggregationTemporality(temporality)
	} else {
		m.SetEmptyExponentialHistogram().SetAggregationTemporality(temporality)
	}
	return m
}

// quantile returns the smallest value that a share q of the values do not exceed.
func quantile(values []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return s[max(int(math.Ceil(q*float64(len(s))))-1, 0)]
}

func statOf(t *testing.T, list []Sample, stat Statistic) float64 {
	t.Helper()
	i := slices.IndexFunc(list, func(s Sample) bool { return s.Statistic == stat })
	require.GreaterOrEqual(t, i, 0, stat.String())
	return list[i].Value
}

// TestHistogramsAgreeOnTheSameObservations compares the same observations as an explicit histogram, as an exponential
// one, and exactly. Rate and mean must be equal, and quantiles must be in the bucket of the exact one. The scale
// changes randomly, as SDKs change it with the range or at a restart.
func TestHistogramsAgreeOnTheSameObservations(t *testing.T) {
	bounds := []float64{-8, -4, -2, -1, -.5, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 100}
	for _, temporality := range []pmetric.AggregationTemporality{pmetric.AggregationTemporalityCumulative, pmetric.AggregationTemporalityDelta} {
		t.Run(temporality.String(), func(t *testing.T) {
			random := rand.New(rand.NewPCG(3, 5))
			explicitMetric, exponentialMetric := metricOf(pmetric.MetricTypeHistogram, temporality), metricOf(pmetric.MetricTypeExponentialHistogram, temporality)
			var explicit, exponential Meter
			var values []float64
			for i := range 300 {
				var fresh []float64
				for range 1 + random.IntN(200) {
					v := math.Exp(random.NormFloat64())
					switch {
					case i%3 == 1 && random.IntN(4) == 0:
						v = 0
					case i%5 == 2 && random.IntN(2) == 0:
						v = -v
					}
					fresh = append(fresh, v)
				}
				seconds, scale := float64(i*cadence), int32(random.IntN(8)-1)
				coarser := scale // of this point and the last one
				if last := exponential.exponential; last != nil {
					coarser = min(scale, last.scale)
				}
				if temporality == pmetric.AggregationTemporalityDelta {
					values = fresh
				} else {
					values = append(values, fresh...)
				}
				a, refused := explicit.histogram(explicitMetric, explicitOf(seconds, bounds, values), nil)
				require.Empty(t, refused)
				b, refused := exponential.exponentialHistogram(exponentialMetric, exponentialOf(seconds, scale, 0, values), nil)
				require.Empty(t, refused)
				if i == 0 {
					require.Empty(t, a)
					require.Empty(t, b)
					continue
				}
				require.Len(t, a, MostSamples)
				require.Len(t, b, MostSamples)
				require.Equal(t, a[:2], b[:2], "rate and mean")
				for _, s := range quantileStats {
					want := quantile(fresh, s.q)
					got := statOf(t, a, s.stat)
					at, _ := slices.BinarySearch(bounds, want)
					assert.LessOrEqual(t, got, bounds[min(at, len(bounds)-1)]+1e-12, "explicit %v of point %d", s.q, i)
					assert.GreaterOrEqual(t, got, bounds[max(at, 1)-1]-1e-12, "explicit %v of point %d", s.q, i)
					requireSameBucket(t, want, statOf(t, b, s.stat), coarser, fmt.Sprintf("exponential %v of point %d", s.q, i))
				}
			}
		})
	}
}

func requireSameBucket(t *testing.T, want, got float64, scale int32, what string) {
	t.Helper()
	if want == 0 {
		require.Zero(t, got, what)
		return
	}
	i := bucketOf(want, scale)
	lower, upper := math.Exp2(math.Ldexp(float64(i), -int(scale))), math.Exp2(math.Ldexp(float64(i+1), -int(scale)))
	require.Equal(t, math.Signbit(want), math.Signbit(got), what)
	require.GreaterOrEqual(t, math.Abs(got), lower*(1-1e-12), what)
	require.LessOrEqual(t, math.Abs(got), upper*(1+1e-12), what)
}

// TestBucketsThatAreKeptAreBounded verifies that few buckets are kept for any point, and that quantiles get coarser
// but not wrong.
func TestBucketsThatAreKeptAreBounded(t *testing.T) {
	m := metricOf(pmetric.MetricTypeExponentialHistogram, pmetric.AggregationTemporalityCumulative)
	random := rand.New(rand.NewPCG(7, 11))
	var values []float64
	more := func(n int) (fresh []float64) {
		for range n {
			fresh = append(fresh, math.Exp(8*random.NormFloat64()), -math.Exp(2*random.NormFloat64()))
		}
		values = append(values, fresh...)
		return fresh
	}
	more(5000)
	first := exponentialOf(0, 6, 0, values)
	require.Greater(t, first.Positive().BucketCounts().Len(), 2000)
	var r Meter
	_, refused := r.exponentialHistogram(m, first, nil)
	require.Empty(t, refused)
	for i := range 20 {
		require.LessOrEqual(t, len(r.exponential.positive.counts), maxExponentialBuckets)
		require.LessOrEqual(t, len(r.exponential.negative.counts), maxExponentialBuckets)
		require.Less(t, r.exponential.scale, int32(6))
		scale := r.exponential.scale
		fresh := more(500)
		list, _ := r.exponentialHistogram(m, exponentialOf(float64(10+10*i), 6, 0, values), nil)
		for _, s := range quantileStats {
			requireSameBucket(t, quantile(fresh, s.q), statOf(t, list, s.stat), scale, fmt.Sprint(s.q))
		}
	}
}

// TestBucketsOfADeltaAreNotKept verifies that no buckets are kept for delta points.
func TestBucketsOfADeltaAreNotKept(t *testing.T) {
	m := metricOf(pmetric.MetricTypeExponentialHistogram, pmetric.AggregationTemporalityDelta)
	var r Meter
	r.exponentialHistogram(m, exponentialOf(10, 2, 0, []float64{1, 2, 3}), nil)
	assert.Nil(t, r.exponential)
}

// TestMeterOfAnExponentialHistogramRoundTrip verifies that a restored meter continues like the original.
func TestMeterOfAnExponentialHistogramRoundTrip(t *testing.T) {
	m := metricOf(pmetric.MetricTypeExponentialHistogram, pmetric.AggregationTemporalityCumulative)
	var whole, resumed Meter
	values := []float64{-3, -1, 0, 1e-9, .5, 4, 4, 1e9}
	for i := range 10 {
		values = append(values, float64(i*i), -float64(i), 0)
		dp := exponentialOf(float64(i*cadence), int32(4-i%3), 1e-12, values)
		want, _ := whole.exponentialHistogram(m, dp, nil)
		got, _ := resumed.exponentialHistogram(m, dp, nil)
		require.Equal(t, want, got)
		b := written(resumed.Persist)
		for n := range b {
			require.ErrorIs(t, read(b[:n], (&Meter{}).Persist), state.Error, "%d bytes", n)
		}
		resumed = Meter{}
		require.NoError(t, read(b, resumed.Persist))
	}
}

// TestDamagedExponentialBuckets verifies that invalid state is an error: too many buckets, or an index or scale that
// OTLP does not allow.
func TestDamagedExponentialBuckets(t *testing.T) {
	good := func() *exponentialBuckets {
		return &exponentialBuckets{scale: 1, positive: exponentialSide{offset: 5, counts: []uint64{1, 2}}}
	}
	again := func(e *exponentialBuckets) error { return read(written(e.persist), (&exponentialBuckets{}).persist) }
	require.NoError(t, again(good()))
	for name, change := range map[string]func(*exponentialBuckets){
		"too many buckets": func(e *exponentialBuckets) { e.negative.counts = make([]uint64, maxExponentialBuckets+1) },
		"index too high":   func(e *exponentialBuckets) { e.positive.offset = math.MaxInt32 + 1 },
		"index too low":    func(e *exponentialBuckets) { e.positive.offset = math.MinInt32 - 1 },
	} {
		e := good()
		change(e)
		require.ErrorIs(t, again(e), state.Error, name)
	}
}

// FuzzExponentialHistogram passes two arbitrary points to a meter. A quantile must be between its neighboring
// quantiles, or absent.
func FuzzExponentialHistogram(f *testing.F) {
	f.Add(int32(0), int32(0), int32(0), int32(0), []byte{1, 2, 3}, []byte{1, 2, 4})
	f.Add(int32(20), int32(-10), int32(math.MaxInt32), int32(math.MinInt32), []byte{0, 255}, []byte{255, 255, 255})
	f.Add(int32(math.MaxInt32), int32(math.MinInt32), int32(math.MinInt32), int32(math.MaxInt32), []byte{1}, []byte{2})
	f.Add(int32(math.MinInt32), int32(math.MaxInt32), int32(-1), int32(-1), make([]byte, 400), []byte{})
	f.Fuzz(func(t *testing.T, scale1, scale2, offset1, offset2 int32, counts1, counts2 []byte) {
		m := metricOf(pmetric.MetricTypeExponentialHistogram, pmetric.AggregationTemporalityCumulative)
		var r Meter
		for i, p := range []struct {
			scale, offset int32
			counts        []byte
		}{{scale1, offset1, counts1}, {scale2, offset2, counts2}, {scale2, offset1, counts2}, {scale1, offset1, counts1}} {
			dp := pmetric.NewExponentialHistogramDataPoint()
			dp.SetTimestamp(stamp(float64(i)))
			dp.SetScale(p.scale)
			dp.SetCount(uint64(1000 * (i + 1)))
			dp.Positive().SetOffset(p.offset)
			dp.Negative().SetOffset(-p.offset)
			for j, c := range p.counts {
				dp.Positive().BucketCounts().Append(uint64(c))
				dp.Negative().BucketCounts().Append(uint64(p.counts[len(p.counts)-1-j]))
			}
			list, refused := r.exponentialHistogram(m, dp, nil)
			require.Empty(t, refused)
			last := math.Inf(-1)
			for _, s := range list {
				if s.Statistic >= P50 {
					require.False(t, math.IsNaN(s.Value))
					require.GreaterOrEqual(t, s.Value, last)
					last = s.Value
				}
			}
			require.LessOrEqual(t, len(r.exponential.positive.counts), maxExponentialBuckets)
			require.NoError(t, read(written(r.Persist), (&Meter{}).Persist), "what is written can be read")
		}
	})
}

// meterKinds returns points of each kind of histogram and of a summary, each with a function for the next one.
func meterKinds() map[string]func(r *Meter, buf []Sample) []Sample {
	random := rand.New(rand.NewPCG(1, 2))
	values := make([]float64, 2000)
	for i := range values {
		values[i] = math.Exp(random.NormFloat64())
	}
	kinds := map[string]func(r *Meter, buf []Sample) []Sample{}
	grow := func(counts pcommon.UInt64Slice) (n uint64) {
		for i := range counts.Len() {
			counts.SetAt(i, counts.At(i)+uint64(i%3))
			n += uint64(i % 3)
		}
		return n
	}
	explicit, explicitMetric := explicitOf(0, []float64{.1, .2, .5, 1, 2, 5, 10}, values), metricOf(pmetric.MetricTypeHistogram, pmetric.AggregationTemporalityCumulative)
	kinds["explicit"] = func(r *Meter, buf []Sample) []Sample {
		explicit.SetTimestamp(explicit.Timestamp() + 1e10)
		explicit.SetCount(explicit.Count() + grow(explicit.BucketCounts()))
		list, _ := r.histogram(explicitMetric, explicit, buf)
		return list
	}
	for _, temporality := range []pmetric.AggregationTemporality{pmetric.AggregationTemporalityCumulative, pmetric.AggregationTemporalityDelta} {
		dp, m := exponentialOf(0, 4, 0, values), metricOf(pmetric.MetricTypeExponentialHistogram, temporality)
		kinds["exponential "+temporality.String()] = func(r *Meter, buf []Sample) []Sample {
			dp.SetTimestamp(dp.Timestamp() + 1e10)
			dp.SetCount(dp.Count() + grow(dp.Positive().BucketCounts()))
			list, _ := r.exponentialHistogram(m, dp, buf)
			return list
		}
	}
	s := pmetric.NewSummaryDataPoint()
	for _, q := range []float64{.5, .9, .95, .99} {
		s.QuantileValues().AppendEmpty().SetQuantile(q)
	}
	kinds["summary"] = func(r *Meter, buf []Sample) []Sample {
		s.SetTimestamp(s.Timestamp() + 1e10)
		s.SetCount(s.Count() + 10)
		list, _ := r.summary(s, buf)
		return list
	}
	return kinds
}

func TestMeterDoesNotAllocateOnceWarm(t *testing.T) {
	for name, next := range meterKinds() {
		var r Meter
		var buf [MostSamples]Sample
		next(&r, buf[:0])
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			if len(next(&r, buf[:0])) != MostSamples {
				t.Error("a point without all of its samples")
			}
		}), name)
	}
}

func BenchmarkMeter(b *testing.B) {
	for name, next := range meterKinds() {
		b.Run(name, func(b *testing.B) {
			var r Meter
			var buf [MostSamples]Sample
			next(&r, buf[:0])
			b.ReportAllocs()
			for b.Loop() {
				next(&r, buf[:0])
			}
		})
	}
}
