// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/shards"
	"github.com/auspex-otel/auspex/internal/prefetch"
	"github.com/auspex-otel/auspex/internal/series"
)

// Place leads to a data point: indexes into its batch.
type Place struct{ Resource, Scope, Metric, Point int }

// Point is one data point of a batch. It is read within the batch only.
type Point struct {
	Place      Place
	ID         series.ID // of its stream
	Time       int64     // event time in nanoseconds, above 0
	Attributes pcommon.Map
	Resource   pcommon.Resource
	Scope      pcommon.InstrumentationScope
	Metric     pmetric.Metric

	found *series.Entry[stream] // nil until it has been looked up, and if it was not there
}

// Batch holds the data points of one batch of metrics, and the working memory to judge them. Batches can be reused.
type Batch struct {
	Points []Point

	out      Output
	verdicts []Verdict
	measured []measured // in the order of the batch
	chunks   []*chunk   // of their samples
	used     int        // chunks in use. All but the last are given to the crew.
	since    uint64     // chunks of the judge before these
	buffer   [meter.MostSamples]meter.Sample
}

// measured is a point that its meter has taken and its models have not.
type measured struct {
	point    *Point
	refused  string // reason why it has no samples, or empty
	samples  *chunk // that holds its samples, from one index to another
	from, to int
	first    bool  // it is the first of its stream, or the first after a restart
	gap      int64 // event time since the point before, in nanoseconds
	restart  int64 // event time at which its counter began again, or 0
}

// chunk holds samples that one goroutine has their models judge.
type chunk struct{ samples []sample }

// sample is the next value of a series, and then the judgment of its model.
type sample struct {
	series   *tracked
	model    *ensemble.Model
	t        int64
	v        float64
	judgment detect.Judgment
}

// finite reports whether a model can judge the sample. Two finite values can lie further apart than a float64 reaches.
func (s *sample) finite() bool { return !math.IsInf(s.v, 0) && !math.IsNaN(s.v) }

// Do has the models judge and learn the samples. It may run beside everything but the models of its samples.
func (c *chunk) Do() {
	for i := range c.samples {
		if k := i + modelAhead; k < len(c.samples) {
			prefetch.Value(c.samples[k].model)
		}
		if s := &c.samples[i]; s.finite() {
			s.judgment = observe(s.model, s.t, s.v)
		}
	}
}

// Crew does work of a batch, on several goroutines.
type Crew interface {
	// Add gives work to the crew, which may begin it at once.
	Add(w shards.Work)
	// Finish returns when all work is done. The lock that serializes all other calls of the judge may be released meanwhile.
	Finish()
}

const (
	// mostMeasured and mostChunks bound what is measured before it is followed.
	mostMeasured, mostChunks = 1024, 32
	// chunkSamples is the least number of samples of a chunk, apart from the last one.
	chunkSamples = 32
	// fewMeasured is the number of points for which it is not worth to release the lock.
	fewMeasured = 8
)

// Points judges the data points of a batch in their order, and learns them. It returns the verdicts that out selects.
//
// It measures points until one needs more than its meter and its models, has the crew run the models, and then follows
// these points in their order. Each model runs on one goroutine, so that neither the number of goroutines nor their timing
// has an effect on the results. See docs/adr/011-shards.md.
func (j *Judge) Points(b *Batch, out Output, crew Crew) []Verdict {
	b.out, b.since, b.used = out, j.chunks, 0
	for i := -findAhead; i < len(b.Points); i++ {
		j.fetch(b.Points, i)
		if i < 0 {
			continue
		}
		p := &b.Points[i]
		if plain := j.plain(p); !plain || len(b.measured) == mostMeasured || b.used == mostChunks || j.elsewhere(b, p) {
			j.settle(b, crew)
			if !plain && !j.meet(b, p) {
				continue
			}
		}
		j.measure(b, p, crew)
	}
	j.settle(b, crew)
	return b.verdicts
}

// elsewhere reports whether the stream of a point has samples in a chunk that was given to the crew.
func (j *Judge) elsewhere(b *Batch, p *Point) bool {
	n := p.found.Value.chunk
	return n > b.since && n != j.chunks
}

// Release forgets the points and the verdicts. Afterwards, nothing leads to them or to their streams.
func (b *Batch) Release() {
	clear(b.Points)
	b.Points, b.verdicts = b.Points[:0], nil
	b.clear()
}

func (b *Batch) clear() {
	clear(b.measured)
	b.measured = b.measured[:0]
	for _, c := range b.chunks[:b.used] {
		clear(c.samples)
		c.samples = c.samples[:0]
	}
	b.used = 0
}

// How many points ahead a stream is looked up and its series are fetched, and how many samples ahead the
// model: each is found through the one before, and by then that is there.
const (
	findAhead   = 8
	seriesAhead = 4
	modelAhead  = 2
)

// fetch has the processor fetch what the points after point i need while that one
// is measured: a collector meets its series in no order, and would wait for memory.
func (j *Judge) fetch(points []Point, i int) {
	if k := i + findAhead; k < len(points) {
		if found := j.streams.Find(points[k].ID); found != nil {
			points[k].found = found
			prefetch.Value(found)
		}
	}
	if k := i + seriesAhead; k >= 0 && k < len(points) && points[k].found != nil {
		prefetch.Value(&points[k].found.Value.series[0])
	}
}

// measure makes samples of a data point.
func (j *Judge) measure(b *Batch, p *Point, crew Crew) {
	st := &p.found.Value
	c := j.chunkOf(b, st, crew)
	st.late = 0
	m := measured{point: p, samples: c, from: len(c.samples), first: !st.meter.Seen}
	start, last := st.meter.Start, st.meter.Time
	var samples []meter.Sample
	samples, m.refused = st.meter.Observe(p.Metric, p.Place.Point, b.buffer[:0])
	if m.gap = st.meter.Time - last; !m.first && !st.meter.Delta && start > 0 && st.meter.Start > last {
		m.restart = st.meter.Start
	}
	for _, one := range samples {
		for i := range st.series {
			if s := &st.series[i]; s.stat == one.Statistic {
				c.samples = append(c.samples, sample{series: s, model: s.model, t: p.Time, v: one.Value})
			}
		}
	}
	m.to = len(c.samples)
	b.measured = append(b.measured, m)
}

// chunkOf returns the chunk for the next samples of a stream: the last one, or if that is full a new one. All samples
// of a stream are in one chunk.
func (j *Judge) chunkOf(b *Batch, st *stream, crew Crew) *chunk {
	if b.used > 0 && (len(b.chunks[b.used-1].samples) < chunkSamples || st.chunk == j.chunks) {
		st.chunk = j.chunks
		return b.chunks[b.used-1]
	}
	if b.used > 0 {
		crew.Add(b.chunks[b.used-1])
	}
	if b.used == len(b.chunks) {
		b.chunks = append(b.chunks, &chunk{})
	}
	b.used++
	j.chunks++
	st.chunk = j.chunks
	return b.chunks[b.used-1]
}

// settle has the models judge the measured points, and follows these in their order.
func (j *Judge) settle(b *Batch, crew Crew) {
	switch {
	case b.used == 0:
		return
	case len(b.measured) < fewMeasured:
		b.chunks[0].Do()
	default:
		crew.Add(b.chunks[b.used-1])
		crew.Finish()
	}
	for i := range b.measured {
		j.follow(b, &b.measured[i])
	}
	b.clear()
	b.since = j.chunks
}
