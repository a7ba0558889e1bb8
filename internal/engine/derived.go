// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/detect/opening"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/pace"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// derived is a stream whose points the engine derives from telemetry. It is judged as
// every other stream. Its companion gauges leave by the findings receiver, because no
// batch carries its points.
type derived struct {
	signal       Signal
	service      string
	metric, unit string
	attributes   []attribute // in the order of their keys
	stats        []meter.Statistic
	exemplars    exemplars // of its next point
}

// valueStats are the statistics of a stream that has plain values.
var valueStats = []meter.Statistic{meter.Value}

type attribute struct{ key, value string }

// derivedOutput selects the companion gauges of derived series.
var derivedOutput = Output{Select: SelectAnomalous, MaxSeries: 1000}

func (d *derived) id() series.ID {
	id := series.Number(uint64(d.signal)).Join(series.Text(d.service)).Join(series.Text(d.metric)).Join(series.Text(d.unit))
	for _, a := range d.attributes {
		id = id.Join(series.Text(a.key)).Join(series.Text(a.value))
	}
	return id
}

// derive judges the next point of a derived stream at event time t: a value for
// each of its statistics, NaN where there is none. A point at or before the latest is
// passed over. It returns nil if there is no room for the stream.
func (e *Engine) derive(d *derived, t int64, values ...float64) *stream {
	st, fresh := e.next(d, t)
	if !fresh {
		return st
	}
	for i, v := range values {
		if math.IsNaN(v) {
			continue
		}
		e.judge(st, &st.series[i], t, v, derivedOutput, d.exemplars)
		e.showDerived(st, &st.series[i])
	}
	return st
}

// next finds or makes a derived stream, nil if there is no room for it. Its next point is at event time t; it is
// not fresh if there was one already.
func (e *Engine) next(d *derived, t int64) (st *stream, fresh bool) {
	id := d.id()
	if st = e.streams.Get(id, e.now); st == nil {
		st = e.addDerived(id, d)
	}
	if st == nil {
		return nil, false
	}
	e.wake(st)
	if !st.asked {
		e.askDerived(st)
	}
	if st.meter.Seen && t <= st.meter.Time {
		if st.late++; st.late < lateBeforeRestart {
			return st, false
		}
		e.restart(st)
	}
	st.late = 0
	e.arrive(st, t)
	return st, true
}

// bareSeries counts the next point of the series of a bare stream, which has no model to do so.
func (e *Engine) bareSeries(st *stream) *tracked {
	s := &st.series[0]
	s.n++
	if s.warming() {
		e.warming--
	}
	return s
}

// showDerived hands the companions of a derived series to the findings receiver, if they are to be shown.
func (e *Engine) showDerived(st *stream, s *tracked) {
	if s.last.shown {
		e.findings.addCompanions(st.companions(s))
	}
}

// arrive notes the time of a derived stream's next point.
func (e *Engine) arrive(st *stream, t int64) {
	if st.meter.Seen {
		e.uncount(st)
		st.cadence = pace.Learn(st.cadence, t-st.meter.Time)
		e.count(st)
		if missed := (t-st.meter.Time)/st.cadence - 1; missed > 0 { // windows that were not recorded
			for i := range st.series {
				st.series[i].rule.Pass(uint32(min(missed, opening.Cooldown)))
			}
		}
	}
	st.meter.Mark(t, 0)
	st.timing = e.admit(st.resource, t)
}

func (e *Engine) addDerived(id series.ID, d *derived) *stream {
	resource, scope := pcommon.NewMap(), pcommon.NewInstrumentationScope()
	resource.PutStr(vocabulary.ServiceName, d.service)
	scope.SetName(vocabulary.Scope)
	st := stream{id: id, signal: d.signal, scope: scope, metric: d.metric, unit: d.unit, attributes: pcommon.NewMap()}
	for _, a := range d.attributes {
		st.attributes.PutStr(a.key, a.value)
	}
	return e.addStream(st, d.stats, resource)
}

// askDerived has the policies say what holds for a derived stream. To them it is a gauge.
func (e *Engine) askDerived(st *stream) {
	resource, m := pcommon.NewResource(), pmetric.NewMetric()
	st.resource.attributes.CopyTo(resource.Attributes())
	m.SetName(st.metric)
	m.SetUnit(st.unit)
	m.SetEmptyGauge()
	e.ask(&ref{resource: resource, scope: st.scope, metric: m, attributes: st.attributes}, st)
}
