// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/opening"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/pace"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Derived identifies a stream whose points a signal derives from telemetry, and holds the
// source of its next point. It is judged as every other stream. Its companion gauges leave
// by the findings receiver, because no batch carries its points.
type Derived struct {
	Signal       budget.Signal
	Service      string
	Metric, Unit string
	Attributes   []Attribute // in the order of their keys
	Statistics   []meter.Statistic
	Context      Context // of the next point, nil if there is none
}

// Attribute is an attribute of a derived stream.
type Attribute struct{ Key, Value string }

// derivedOutput selects the companion gauges of derived series.
var derivedOutput = Output{Select: SelectAnomalous, MaxSeries: 1000}

// ID returns the identity of the stream.
func (d *Derived) ID() series.ID {
	id := series.Number(uint64(d.Signal)).Join(series.Text(d.Service)).Join(series.Text(d.Metric)).Join(series.Text(d.Unit))
	for _, a := range d.Attributes {
		id = id.Join(series.Text(a.Key)).Join(series.Text(a.Value))
	}
	return id
}

// Result leads to the series of a derived stream, to read their anomalies after a point.
// It is valid until the next point. If there is no room for the stream, it has no series.
type Result struct {
	judge  *Judge
	stream *stream
}

// Anomaly is the state of an open anomaly at the latest point of its series. Score is at least 1.
type Anomaly struct {
	Metric                    string
	Statistic                 meter.Statistic
	Score, Observed, Expected float64
}

// Series returns the number of series.
func (r Result) Series() int {
	if r.stream == nil {
		return 0
	}
	return len(r.stream.series)
}

// Open returns the anomaly of series i if one is open. The series are in the order of the statistics.
func (r Result) Open(i int) (Anomaly, bool) {
	if r.stream == nil {
		return Anomaly{}, false
	}
	s := &r.stream.series[i]
	if !r.judge.tracker.Open(uint64(s.id)) {
		return Anomaly{}, false
	}
	return Anomaly{
		Metric: r.stream.metric, Statistic: s.stat,
		Score: max(1, s.last.score), Observed: s.last.observed, Expected: s.last.expected,
	}, true
}

// Derive judges the next point of a derived stream at event time t: a value for
// each of its statistics, NaN where there is none. A point at or before the latest is
// not judged.
func (j *Judge) Derive(d *Derived, t int64, values ...float64) Result {
	st, fresh := j.next(d, t)
	if !fresh {
		return Result{j, st}
	}
	for i, v := range values {
		if math.IsNaN(v) {
			continue
		}
		j.judge(st, &st.series[i], t, v, derivedOutput, d.Context)
		j.showDerived(st, &st.series[i])
	}
	return Result{j, st}
}

// DeriveSurprise judges the next point of a derived stream that has one series and no model.
// surprise returns the judgment of the point, given its number, counted from 1. It is not called,
// and fresh is false, if the point is at or before the latest or if there is no room.
func (j *Judge) DeriveSurprise(d *Derived, t int64, v float64, surprise func(n uint64) detect.Judgment) (r Result, fresh bool) {
	st, fresh := j.next(d, t)
	if !fresh {
		return Result{j, st}, false
	}
	s := &st.series[0]
	j.conclude(st, s, t, v, surprise(s.n+1), derivedOutput, d.Context)
	j.showDerived(st, s)
	return Result{j, st}, true
}

// next finds or makes a derived stream, nil if there is no room for it. Its next point is at event time t; it is
// not fresh if there was one already.
func (j *Judge) next(d *Derived, t int64) (st *stream, fresh bool) {
	id := d.ID()
	if st = j.streams.Get(id, j.now); st == nil {
		st = j.addDerived(id, d)
	}
	if st == nil {
		return nil, false
	}
	j.wake(st)
	if !st.asked {
		j.askDerived(st)
	}
	if st.meter.Seen && t <= st.meter.Time {
		if st.late++; st.late < lateBeforeRestart {
			return st, false
		}
		j.restart(st)
	}
	st.late = 0
	j.arrive(st, t)
	return st, true
}

// showDerived hands the companions of a derived series to the findings receiver, if they are to be shown.
func (j *Judge) showDerived(st *stream, s *tracked) {
	if s.last.shown {
		j.findings.AddCompanions(st.companions(s))
	}
}

// arrive notes the time of a derived stream's next point.
func (j *Judge) arrive(st *stream, t int64) {
	if st.meter.Seen {
		j.setCadence(st, pace.Learn(st.cadence, t-st.meter.Time))
		if missed := (t-st.meter.Time)/st.cadence - 1; missed > 0 { // windows that were not recorded
			for i := range st.series {
				st.series[i].rule.Pass(uint32(min(missed, opening.Cooldown)))
			}
		}
	}
	st.meter.Mark(t, 0)
	st.timing = j.admit(st.resource, t)
}

func (j *Judge) addDerived(id series.ID, d *Derived) *stream {
	resource, scope := pcommon.NewMap(), pcommon.NewInstrumentationScope()
	resource.PutStr(vocabulary.ServiceName, d.Service)
	scope.SetName(vocabulary.Scope)
	st := stream{id: id, signal: d.Signal, scope: scope, metric: d.Metric, unit: d.Unit, attributes: pcommon.NewMap()}
	for _, a := range d.Attributes {
		st.attributes.PutStr(a.Key, a.Value)
	}
	return j.addStream(st, d.Statistics, resource)
}

// askDerived has the policies say what holds for a derived stream. To them it is a gauge.
func (j *Judge) askDerived(st *stream) {
	resource, m := pcommon.NewResource(), pmetric.NewMetric()
	st.resource.attributes.CopyTo(resource.Attributes())
	m.SetName(st.metric)
	m.SetUnit(st.unit)
	m.SetEmptyGauge()
	j.ask(&Point{Resource: resource, Scope: st.scope, Metric: m, Attributes: st.attributes}, st)
}
