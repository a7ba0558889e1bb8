// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/state"
)

// maxExponentialBuckets bounds the kept buckets of either side of an exponential histogram. It is the default maximum
// of SDKs. If a point has more, its buckets are merged to coarser ones.
const maxExponentialBuckets = 160

// maxScaleShift is the number of scales after which all indexes, which are 32 bits wide, are in the two buckets 0 and
// -1.
const maxScaleShift = 32

// exponentialBuckets holds the last cumulative counts of an exponential histogram. Bucket i of the positive side
// counts values in (b^i, b^(i+1)], that of the negative side values in [-b^(i+1), -b^i), with b = 2^(2^-scale). The
// zero bucket is [-threshold, threshold].
type exponentialBuckets struct {
	scale     int32
	zero      uint64
	threshold float64
	positive  exponentialSide
	negative  exponentialSide
}

// exponentialSide is a run of buckets: counts[0] has the index offset.
type exponentialSide struct {
	offset int64
	counts []uint64
}

// exponentialHistogram converts an exponential histogram point like histogram does.
func (r *Meter) exponentialHistogram(m pmetric.Metric, dp pmetric.ExponentialHistogramDataPoint, buf []Sample) (_ []Sample, refused string) {
	if math.IsNaN(dp.Sum()) || math.IsInf(dp.Sum(), 0) {
		return buf, NotFinite
	}
	if threshold := dp.ZeroThreshold(); !(threshold >= 0) || math.IsInf(threshold, 0) {
		return buf, Malformed
	}
	t, start := int64(dp.Timestamp()), int64(dp.StartTimestamp())
	d := distribution{dp.Count(), dp.Sum(), dp.HasSum()}
	r.turn(m.ExponentialHistogram().AggregationTemporality())
	fell := !r.Delta && (r.exponential == nil || d.count < r.count || r.exponential.exceeds(dp))
	if seconds, since := r.span(t, start, fell); seconds > 0 {
		var some bool
		if buf, some = r.counted(d, seconds, since, buf); some {
			growth := growthOf(dp, nil)
			if since {
				growth = growthOf(dp, r.exponential)
			}
			buf = growth.quantiles(buf)
		}
	}
	r.count, r.sum = d.count, d.sum
	r.keepExponential(dp)
	r.Mark(t, start)
	return buf, ""
}

// keepExponential stores the buckets of a cumulative point in the memory of the last one.
func (r *Meter) keepExponential(dp pmetric.ExponentialHistogramDataPoint) {
	if r.Delta {
		r.exponential = nil
		return
	}
	if r.exponential == nil {
		r.exponential = &exponentialBuckets{}
	}
	e := r.exponential
	e.zero, e.threshold = dp.ZeroCount(), dp.ZeroThreshold()
	shift := max(shiftToFit(dp.Positive()), shiftToFit(dp.Negative()))
	e.positive.keep(dp.Positive(), shift)
	e.negative.keep(dp.Negative(), shift)
	e.scale = coarser(dp.Scale(), shift)
}

// coarser returns the scale that is shift lower, or the lowest scale.
func coarser(scale int32, shift int) int32 {
	return int32(max(int64(scale)-int64(shift), math.MinInt32))
}

// shiftTo returns the difference of two scales, at most maxScaleShift: a larger shift has the same effect.
func shiftTo(from, to int32) int { return int(min(int64(from)-int64(to), maxScaleShift)) }

// shiftToFit returns the number of scales by which buckets must be coarsened to be at most maxExponentialBuckets.
func shiftToFit(b pmetric.ExponentialHistogramDataPointBuckets) (shift int) {
	first, end := int64(b.Offset()), int64(b.Offset())+int64(b.BucketCounts().Len())
	if end == first {
		return 0
	}
	for (end-1)>>shift-first>>shift >= maxExponentialBuckets {
		shift++
	}
	return shift
}

// keep replaces the counts by those of b, coarsened.
func (s *exponentialSide) keep(b pmetric.ExponentialHistogramDataPointBuckets, shift int) {
	s.offset, s.counts = int64(b.Offset())>>shift, s.counts[:0]
	counts := b.BucketCounts()
	for i := range counts.Len() {
		s.add((int64(b.Offset())+int64(i))>>shift, counts.At(i))
	}
}

// add adds n to the bucket of an index, which is the last one or the next.
func (s *exponentialSide) add(index int64, n uint64) {
	if index-s.offset == int64(len(s.counts)) {
		s.counts = append(s.counts, 0)
	}
	s.counts[index-s.offset] += n
}

// coarsen merges the counts in place.
func (s *exponentialSide) coarsen(shift int) {
	first, counts := s.offset, s.counts
	s.offset, s.counts = s.offset>>shift, s.counts[:0]
	for i, n := range counts {
		// Writes are at or before the position of reads.
		if at := (first+int64(i))>>shift - s.offset; at == int64(len(s.counts)) {
			s.counts = append(s.counts, n)
		} else {
			s.counts[at] += n
		}
	}
}

func (s *exponentialSide) at(index int64) uint64 {
	if index < s.offset || index >= s.offset+int64(len(s.counts)) {
		return 0
	}
	return s.counts[index-s.offset]
}

// coarsenTo converts the buckets to a scale if theirs is finer.
func (e *exponentialBuckets) coarsenTo(scale int32) {
	if e.scale <= scale {
		return
	}
	shift := shiftTo(e.scale, scale)
	e.positive.coarsen(shift)
	e.negative.coarsen(shift)
	e.scale = scale
}

// exceeds reports whether a bucket has a greater count than in the following point, at the coarser of both scales,
// which means a reset of the source. It also returns true if the width of the zero bucket changed, because adjacent
// buckets cannot be compared then.
func (e *exponentialBuckets) exceeds(dp pmetric.ExponentialHistogramDataPoint) bool {
	if e.zero > dp.ZeroCount() || e.threshold != dp.ZeroThreshold() {
		return true
	}
	e.coarsenTo(dp.Scale())
	shift := shiftTo(dp.Scale(), e.scale)
	return e.positive.exceeds(dp.Positive(), shift) || e.negative.exceeds(dp.Negative(), shift)
}

func (s *exponentialSide) exceeds(b pmetric.ExponentialHistogramDataPointBuckets, shift int) bool {
	offset, counts := int64(b.Offset()), b.BucketCounts()
	for i, n := range s.counts {
		if n > 0 && n > coarseCount(offset, counts, s.offset+int64(i), shift) {
			return true
		}
	}
	return false
}

// coarseCount returns the count of a bucket that is shift scales coarser than counts.
func coarseCount(offset int64, counts pcommon.UInt64Slice, index int64, shift int) (n uint64) {
	from := max(index<<shift-offset, 0)
	to := min((index+1)<<shift-offset, int64(counts.Len()))
	for i := from; i < to; i++ {
		n += counts.At(int(i))
	}
	return n
}

// exponentialGrowth holds the counts since the last point. Its buckets are numbered in ascending order of values: the
// negative side, whose highest index has the lowest value, then the zero bucket, then the positive side.
type exponentialGrowth struct {
	negative, positive sideGrowth
	zeros              uint64
	threshold          float64
	scale              int32
	// zero is the number of the zero bucket. n is the number of buckets.
	zero, n int64
}

// sideGrowth is one side: its first to last bucket, coarsened by shift.
type sideGrowth struct {
	counts      pcommon.UInt64Slice
	offset      int64
	shift       int
	first, last int64
	before      *exponentialSide // nil for no subtraction
}

// growthOf returns the counts of dp since last at the scale of last, which is not finer. If last is nil, it returns
// all counts of dp.
func growthOf(dp pmetric.ExponentialHistogramDataPoint, last *exponentialBuckets) exponentialGrowth {
	g := exponentialGrowth{scale: dp.Scale(), zeros: dp.ZeroCount(), threshold: dp.ZeroThreshold()}
	shift := 0
	if last != nil {
		g.zeros -= last.zero
		g.scale, shift = last.scale, shiftTo(dp.Scale(), last.scale)
		g.negative.before, g.positive.before = &last.negative, &last.positive
	}
	g.negative.set(dp.Negative(), shift)
	g.positive.set(dp.Positive(), shift)
	g.zero = g.negative.last - g.negative.first + 1
	g.n = g.zero + 1 + g.positive.last - g.positive.first + 1
	return g
}

// set sets the buckets of a side. If it has none, the last index is less than the first.
func (s *sideGrowth) set(b pmetric.ExponentialHistogramDataPointBuckets, shift int) {
	s.counts, s.offset, s.shift, s.last = b.BucketCounts(), int64(b.Offset()), shift, -1
	if n := int64(s.counts.Len()); n > 0 {
		s.first, s.last = s.offset>>shift, (s.offset+n-1)>>shift
	}
}

func (s *sideGrowth) at(index int64) uint64 {
	n := coarseCount(s.offset, s.counts, index, s.shift)
	if s.before != nil {
		n -= s.before.at(index)
	}
	return n
}

// count returns the count of bucket k.
func (g *exponentialGrowth) count(k int64) float64 {
	switch {
	case k < g.zero:
		return float64(g.negative.at(g.negative.last - k))
	case k == g.zero:
		return float64(g.zeros)
	default:
		return float64(g.positive.at(g.positive.first + k - g.zero - 1))
	}
}

// quantiles appends three quantiles, interpolated within a bucket like Prometheus' histogram_quantile for native
// histograms.
func (g *exponentialGrowth) quantiles(buf []Sample) []Sample {
	total := 0.0
	for k := range g.n {
		total += g.count(k)
	}
	if total == 0 {
		return buf
	}
	k, c, below := int64(0), g.count(0), 0.0
	for _, s := range quantileStats {
		rank := float64(s.q * total)
		for ; below+c < rank || c == 0; c = g.count(k) {
			below += c
			k++
		}
		buf = append(buf, Sample{s.stat, g.value(k, (rank-below)/c)})
	}
	return buf
}

// value returns the value at a share f of bucket k: b^(i+f) in (b^i, b^(i+1)], and its mirror image on the negative
// side. The zero bucket is linear. It ends at 0 if only the other side has buckets.
func (g *exponentialGrowth) value(k int64, f float64) float64 {
	power := func(i float64) float64 { return exact.Exp2(math.Ldexp(i, -int(g.scale))) }
	switch {
	case k < g.zero:
		return -power(float64(g.negative.last-k) + 1 - f)
	case k > g.zero:
		return power(float64(g.positive.first+k-g.zero-1) + f)
	}
	lower, upper := -g.threshold, g.threshold
	if negative, positive := g.zero > 0, g.n > g.zero+1; positive && !negative {
		lower = 0
	} else if negative && !positive {
		upper = 0
	}
	return lower + float64(f*(upper-lower))
}

// persist writes or reads the buckets.
func (e *exponentialBuckets) persist(c *state.Codec) {
	scale := uint32(e.scale)
	c.Uint32(&scale)
	e.scale = int32(scale)
	c.Uint64(&e.zero)
	c.Bits(&e.threshold)
	for _, s := range [...]*exponentialSide{&e.negative, &e.positive} {
		c.Int64(&s.offset)
		c.Check(s.offset >= math.MinInt32 && s.offset <= math.MaxInt32)
		state.List(c, &s.counts, 8, c.Uint64)
		c.Check(len(s.counts) <= maxExponentialBuckets)
	}
}
