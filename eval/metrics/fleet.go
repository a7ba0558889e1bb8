// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	cadence    = 5 * time.Minute
	perService = 100  // series
	perBatch   = 2000 // data points
	stepsADay  = int(24 * time.Hour / cadence)
)

// epoch is the start of every generated fleet: a Monday at midnight.
var epoch = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// fleet holds n series of alternating families, as batches that are created once and get new times and values at
// every step.
type fleet struct {
	layout
	sources []source
	kinds   int
	random  *rand.Rand
	rho     float64
	shocks  []float64 // by family at this step
}

// layout locates the data points of a fleet's series.
type layout struct {
	batches []pmetric.Metrics
	points  []pmetric.NumberDataPoint // by series
}

// newFleet returns a fleet with services named after it. rho is the correlation between the innovations of any two
// series of one family.
func newFleet(name string, n int, kinds []family, seed uint64, rho float64) *fleet {
	f := &fleet{random: rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)), kinds: len(kinds), rho: rho, shocks: make([]float64, len(kinds))}
	for i := range n {
		f.sources = append(f.sources, kinds[i%f.kinds].start(f.random))
	}
	f.layout = arrange(name, kinds, byFamily(n, f.kinds))
	return f
}

// byFamily orders n series by service, then by family.
func byFamily(n, kinds int) []int {
	order := make([]int, 0, n)
	for from := 0; from < n; from += perService {
		for k := range kinds {
			for i := from; i < min(from+perService, n); i++ {
				if i%kinds == k {
					order = append(order, i)
				}
			}
		}
	}
	return order
}

// arrange builds the batches in the given order of series. Adjacent series of one service share a resource, and those
// of one family also a metric.
func arrange(name string, kinds []family, order []int) layout {
	l := layout{points: make([]pmetric.NumberDataPoint, len(order))}
	var resource pmetric.ResourceMetrics
	var metric pmetric.Metric
	for n, i := range order {
		fresh := n%perBatch == 0
		if fresh {
			l.batches = append(l.batches, pmetric.NewMetrics())
		}
		if fresh || order[n-1]/perService != i/perService {
			resource = l.batches[len(l.batches)-1].ResourceMetrics().AppendEmpty()
			resource.Resource().Attributes().PutStr(vocabulary.ServiceName, fmt.Sprintf("%s-%d", name, i/perService))
			resource.ScopeMetrics().AppendEmpty().Scope().SetName("eval")
			fresh = true
		}
		if fresh || order[n-1]%len(kinds) != i%len(kinds) {
			metric = resource.ScopeMetrics().At(0).Metrics().AppendEmpty()
			metric.SetName(kinds[i%len(kinds)].metric)
			metric.SetEmptyGauge()
		}
		l.points[i] = metric.Gauge().DataPoints().AppendEmpty()
		l.points[i].Attributes().PutInt("n", int64(i))
	}
	return l
}

// step gives every data point the time t and its next value. An innovation is √ρ · the family's shock + √(1−ρ) · the
// series' own noise.
func (f *fleet) step(t time.Time) {
	for k := range f.shocks {
		f.shocks[k] = math.Sqrt(f.rho) * f.random.NormFloat64()
	}
	own, second, stamp := math.Sqrt(1-f.rho), t.Unix(), pcommon.NewTimestampFromTime(t)
	for i, dp := range f.points {
		dp.SetTimestamp(stamp)
		dp.SetDoubleValue(f.sources[i](second, f.shocks[i%f.kinds]+own*f.random.NormFloat64()))
	}
}

// add adds a fault to the value of a series at this step.
func (f *fleet) add(i int, v float64) { f.points[i].SetDoubleValue(f.points[i].DoubleValue() + v) }
