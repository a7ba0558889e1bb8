// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine/shards"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// mixed returns the points of a batch at a step: 90 counters in an order that is different at each step. Some have
// several points, in odd steps apart from each other. A few are new, late, or duplicates, and some have a fault.
func mixed(step int) (points []Point) {
	random := rand.New(rand.NewPCG(1, uint64(step)))
	resource := pcommon.NewResource()
	resource.Attributes().PutStr(vocabulary.ServiceName, "mixed")
	add := func(name string, second int, v float64) {
		m := pmetric.NewMetric()
		m.SetName(name)
		m.SetEmptySum().SetIsMonotonic(true)
		m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		dp := m.Sum().DataPoints().AppendEmpty()
		dp.SetTimestamp(pcommon.NewTimestampFromTime(at(second)))
		dp.SetDoubleValue(v)
		points = append(points, Point{
			ID: series.Text(name), Time: at(second).UnixNano(), Attributes: dp.Attributes(), Resource: resource,
			Scope: pcommon.NewInstrumentationScope(), Metric: m,
		})
	}
	several := func(k, from, to int) {
		rate := 100 + random.Float64()
		if step > 140 && k%5 == 0 {
			rate *= 100
		}
		for second := from; second < min(to, 1+k%3); second++ {
			add(fmt.Sprint("count.", k), step*cadence+second, float64(step)*rate)
		}
	}
	for _, k := range random.Perm(90) {
		if step%2 == 0 {
			several(k, 0, 3)
			continue
		}
		several(k, 0, 1)
		if k == 0 {
			add("count.0", step*cadence, 1) // a duplicate
			add("count.0", (step-2)*cadence, 1)
			add(fmt.Sprint("new.", step), step*cadence, 1)
		}
	}
	if step%2 == 1 {
		for _, k := range random.Perm(90) {
			several(k, 1, 3)
		}
	}
	return points
}

// backward does work in reverse order when all of it was added.
type backward struct{ works []shards.Work }

func (b *backward) Add(w shards.Work) { b.works = append(b.works, w) }

func (b *backward) Finish() {
	for _, w := range slices.Backward(b.works) {
		w.Do()
	}
	b.works = nil
}

// The results are those of points that are judged one by one.
func TestMeasuringAheadHasNoEffect(t *testing.T) {
	one, ahead := newJudge(), newJudge()
	batch := &Batch{}
	for step := range 160 {
		var want []Verdict
		tick(one, at(step*cadence))
		one.BeginBatch()
		for _, p := range mixed(step) {
			want = append(want, one.Points(&Batch{Points: []Point{p}}, Output{Select: SelectAll}, alone{})...)
		}
		one.EndBatch()

		tick(ahead, at(step*cadence))
		ahead.BeginBatch()
		batch.Points = append(batch.Points, mixed(step)...)
		got := ahead.Points(batch, Output{Select: SelectAll}, &backward{})
		ahead.EndBatch()
		batch.Release()
		require.Equal(t, want, got, "step %d", step)
	}
	assert.Positive(t, openAnomalies(one))
	assert.Equal(t, one.PendingEvents(), ahead.PendingEvents())
	assert.Equal(t, one.refused, ahead.refused)
	assert.Equal(t, one.points, ahead.points)
}
