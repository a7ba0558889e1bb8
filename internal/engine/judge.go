// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/calibration"
	"github.com/auspex-otel/auspex/internal/incident"
)

// observe takes one data point: at most one sample per statistic.
func (e *Engine) observe(r *ref, out Output, verdicts []Verdict) []Verdict {
	t, decisions := r.time, e.decisionsPerDay[SignalMetrics]
	st := e.streamOf(r)
	if !st.asked {
		e.ask(r, st)
		if e.decisionsPerDay[SignalMetrics] > decisions { // it has a past, and is judged at once
			e.spend()
		}
	}
	if st.meter.seen && t <= st.meter.time {
		return e.repeated(r, st, t, out, verdicts)
	}
	st.late = 0
	first, before := !st.meter.seen, meter{seen: st.meter.seen, start: st.meter.start, time: st.meter.time}
	samples, refused := e.measure(r, st)
	if refused != "" {
		e.refused[refused]++
		return verdicts
	}
	st.source.advance(t)
	e.noteSource(st.source, t)
	e.noteRestart(st, before)
	st.come(first)
	if st.quantity != "" && st.source.instance != "" && len(samples) == 1 {
		e.use(st, samples[0].v, t)
	}
	e.exemplars.point = r
	for _, s := range samples {
		if math.IsInf(s.v, 0) || math.IsNaN(s.v) { // two finite values can lie further apart than a float64 reaches
			e.refused[RefusedNotFinite]++
			continue
		}
		for i := range st.series {
			if st.series[i].stat == s.stat {
				e.judge(st, &st.series[i], t, s.v, out)
				verdicts = st.series[i].show(r, st.unitOf(st.series[i].stat), out, verdicts)
			}
		}
	}
	e.exemplars.point = nil
	return verdicts
}

// measure makes samples of a data point and learns the stream's cadence.
func (e *Engine) measure(r *ref, st *stream) (samples []sample, refused string) {
	before, seen := st.meter.time, st.meter.seen
	switch m := r.metric; m.Type() {
	case pmetric.MetricTypeHistogram:
		samples, refused = st.meter.histogram(m, m.Histogram().DataPoints().At(r.Point), e.samples[:0])
	case pmetric.MetricTypeExponentialHistogram:
		samples, refused = st.meter.exponentialHistogram(m, m.ExponentialHistogram().DataPoints().At(r.Point), e.samples[:0])
	case pmetric.MetricTypeSummary:
		samples, refused = st.meter.summary(m.Summary().DataPoints().At(r.Point), e.samples[:0])
	default:
		samples, refused = st.meter.number(m, r.number(), e.samples[:0])
	}
	if refused == "" && seen {
		e.uncount(st)
		st.learnCadence(st.meter.time - before)
		e.count(st)
	}
	return samples, refused
}

// judge has the model say its surprise at a point, scores it and follows the series' anomaly.
func (e *Engine) judge(st *stream, s *tracked, t int64, v float64, out Output) {
	e.conclude(st, s, t, v, e.surprise(st, s, t, v), out)
}

// surprise is what a series' model says of its next point.
func (e *Engine) surprise(st *stream, s *tracked, t int64, v float64) detect.Surprise {
	was := s.warming()
	p := s.model.Observe(t, v)
	s.n++
	if st.signal == SignalMetrics {
		e.points++
	}
	if was && !math.IsNaN(p.Expected) {
		e.warming--
	}
	if st.signal == SignalGroups && (v <= p.Expected || int64(s.n)*st.cadence < groupAge) {
		p.LogP = 0 // fewer strange points than usual are good news
	}
	p.LogP = calibration.Humble(max(p.LogP, leastLogP), s.n)
	return p
}

// conclude scores a surprise and follows the series' anomaly.
func (e *Engine) conclude(st *stream, s *tracked, t int64, v float64, p detect.Surprise, out Output) {
	nominal := p.LogP
	logP := max(s.pool.of(s.n).table.Apply(nominal), leastLogP)
	if !math.IsNaN(p.Expected) {
		if e.teaches(st, s) {
			e.budget.learn(st.signal, s, t, nominal)
		}
		if st.signal < SignalGroups {
			e.tally(st.source.service, t, logP)
		}
	}
	if math.Abs(p.Expected) < rounded*max(math.Abs(v), p.Upper-p.Lower) {
		p.Expected = 0
	}
	s.last = verdict{
		time: t, score: detect.Score(logP, e.budget.spendings[st.signal].alpha), observed: v, expected: p.Expected,
		lower: max(p.Lower, -math.MaxFloat64), upper: min(p.Upper, math.MaxFloat64),
	}
	s.last.opening = s.rule.Next(s.last.score)
	svc := st.source.service
	svc.maxScore = max(svc.maxScore, s.last.score)
	follows := svc.followed > 0 && e.tracker.Follows(uint64(s.id))
	if !follows && s.last.opening < 1 && s.wait == nil && s.openAt == 0 {
		return // as nearly every point
	}
	point := incident.Point{
		Series: uint64(s.id), Time: t, Cadence: max(st.cadence, 1), Score: s.last.score, LogP: logP,
		Observed: v, Expected: s.last.expected, Lower: s.last.lower, Upper: s.last.upper, Kind: p.Kind.String(),
	}
	if point.Score >= 1 {
		point.TraceIDs = e.traces()
	}
	if !follows {
		from, ok := e.opens(st, s, point)
		if !ok {
			return
		}
		if from.Time < t {
			e.track(st, s, from)
		}
	}
	e.track(st, s, point)
	e.expose(s, out)
}

// rounded is the share of a value, or of the band, below which what is expected
// is 0: a level that falls towards it never gets there.
const rounded = 1e-12

// teaches tells whether the next point of a series says something about normal
// ones: not during an incident of several series, nor in an anomaly after its first point.
func (e *Engine) teaches(st *stream, s *tracked) bool {
	if st.signal == SignalBehaviour && s.n%behaviourWindows != 0 {
		return false // the window before has seen most of it
	}
	svc := st.source.service
	return svc.followed < max(wide, svc.streams/wideShare) && s.openAt == 0
}

// track gives a point to the tracker.
func (e *Engine) track(st *stream, s *tracked, p incident.Point) {
	id, followed := p.Series, e.tracker.Follows(p.Series)
	s.last.phase = e.tracker.Observe(p, func() incident.Subject { return e.subject(st, s) })
	switch now := e.tracker.Follows(id); {
	case now && !followed:
		e.owners[id] = st.id
		st.source.service.followed++
		st.source.service.opened++
		s.openAt = s.n
	case !now && followed:
		delete(e.owners, id)
		st.source.service.followed--
		s.openAt = 0
	}
}

// expose decides whether the companions of a followed series are shown.
func (e *Engine) expose(s *tracked, out Output) {
	id := uint64(s.id)
	_, shown := e.exposed[id]
	switch {
	case s.last.phase == incident.PhaseExposed && !shown && out.Select != SelectNone && len(e.exposed) < out.MaxSeries:
		e.exposed[id] = struct{}{}
		shown = true
	case s.last.phase != incident.PhaseExposed:
		delete(e.exposed, id)
	}
	s.last.shown = shown
}

// repeated answers a point at or before the stream's last time: it is not
// observed again. The very last point gets the verdict that it got.
func (e *Engine) repeated(r *ref, st *stream, t int64, out Output, verdicts []Verdict) []Verdict {
	if t < st.meter.time {
		e.refused[RefusedOutOfOrder]++
		if st.late++; st.late >= lateBeforeRestart {
			e.turnBack(st, t)
		}
		return verdicts
	}
	e.refused[RefusedDuplicate]++
	for i := range st.series {
		if st.series[i].last.time == t {
			e.expose(&st.series[i], out) // the pipeline before this one may show nothing
			verdicts = st.series[i].show(r, st.unitOf(st.series[i].stat), out, verdicts)
		}
	}
	return verdicts
}

// turnBack has a stream go on from t, which lies before what it had seen: its
// clock was wrong then. Anomalies of that time end there.
func (e *Engine) turnBack(st *stream, t int64) {
	for i := range st.series {
		st.series[i].wait = nil
		if e.tracker.Follows(uint64(st.series[i].id)) {
			e.silence(st.series[i].id, st)
		}
	}
	st.late, st.meter = 0, meter{}
	st.source.watermark, st.source.service.watermark = t, t
}
