// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/pace"
	"github.com/auspex-otel/auspex/internal/incident"
)

// observe takes one data point: at most one sample per statistic.
func (e *Engine) observe(r *ref, out Output, verdicts []Verdict) []Verdict {
	t, decisions := r.time, e.budget.Decisions()[SignalMetrics]
	st := e.streamOf(r)
	if st == nil {
		return verdicts
	}
	e.wake(st)
	if !st.asked {
		e.ask(r, st)
		if e.budget.Decisions()[SignalMetrics] > decisions { // the stream has a past and is judged from its first point on
			e.budget.Spend(e.now)
		}
	}
	if st.meter.Seen && !e.goesOn(st, t) {
		return verdicts
	}
	if st.meter.Seen && t <= st.meter.Time {
		return e.repeated(r, st, t, out, verdicts)
	}
	st.late = 0
	first, start, last := !st.meter.Seen, st.meter.Start, st.meter.Time
	samples, refused := e.measure(r, st)
	if refused != "" {
		e.refused[refused]++
		return verdicts
	}
	if st.timing = e.admit(st.resource, t); st.timing == clock.Timely {
		e.noteChanges(st.resource, t)
		if !first {
			e.noteRestart(st, start, last)
		}
	}
	st.come(first)
	if st.quantity != "" && st.resource.instance != "" && len(samples) == 1 {
		e.use(st, samples[0].Value, t)
	}
	for _, s := range samples {
		if math.IsInf(s.Value, 0) || math.IsNaN(s.Value) { // two finite values can lie further apart than a float64 reaches
			e.refused[RefusedNotFinite]++
			continue
		}
		for i := range st.series {
			if st.series[i].stat == s.Statistic {
				e.judge(st, &st.series[i], t, s.Value, out, exemplars{point: r})
				verdicts = st.series[i].show(r, st.unitOf(st.series[i].stat), out, verdicts)
			}
		}
	}
	return verdicts
}

// measure makes samples of a data point and learns the stream's cadence.
func (e *Engine) measure(r *ref, st *stream) (samples []meter.Sample, refused string) {
	before, seen := st.meter.Time, st.meter.Seen
	samples, refused = st.meter.Observe(r.metric, r.Point, e.samples[:0])
	if refused == "" && seen {
		e.uncount(st)
		st.cadence = pace.Learn(st.cadence, st.meter.Time-before)
		e.count(st)
	}
	return samples, refused
}

// judge has the model judge a point, scores it, and follows the series' anomaly.
func (e *Engine) judge(st *stream, s *tracked, t int64, v float64, out Output, x exemplars) {
	e.conclude(st, s, t, v, e.predict(st, s, t, v), out, x)
}

// predict has the model of a series judge and learn its next point.
func (e *Engine) predict(st *stream, s *tracked, t int64, v float64) detect.Judgment {
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
		p.Surprise = 0 // fewer points outside the interval than usual are no fault
	}
	p.Surprise = min(p.Surprise, mostSurprise)
	return p
}

// conclude scores a surprise and follows the series' anomaly.
func (e *Engine) conclude(st *stream, s *tracked, t int64, v float64, p detect.Judgment, out Output, x exemplars) {
	nominal := p.Surprise
	surprise := min(s.member.Calibrate(s.n, nominal), mostSurprise)
	if !math.IsNaN(p.Expected) && st.timing == clock.Timely {
		if e.teaches(st, s) {
			e.budget.Learn(st.signal, &s.member, s.n, t, nominal, e.alpha(st))
		}
		if st.signal < SignalGroups {
			e.tally(st.resource.service, t, surprise)
		}
	}
	s.negative = s.negative || v < 0
	least := math.Inf(-1)
	if !s.negative && (st.signal != SignalMetrics || s.stat.Countable(st.unit)) {
		least = 0
	}
	meter.Readable(v, least, &p.Expected, &p.Lower, &p.Upper)
	s.last = verdict{
		time: t, score: detect.Score(surprise, e.alpha(st)), observed: v, expected: p.Expected,
		lower: max(p.Lower, -math.MaxFloat64), upper: min(p.Upper, math.MaxFloat64),
	}
	s.last.opening = s.rule.Next(s.last.score, p.Held)
	svc := st.resource.service
	switch st.timing {
	case clock.Ahead:
		return // an anomaly of that time would be one of years to come
	case clock.Timely:
		svc.maxScore = max(svc.maxScore, s.last.score)
		e.charts.Record(uint64(s.id), svc.name, s.last.point())
	default:
	}
	follows := svc.followed > 0 && e.tracker.Follows(uint64(s.id))
	if !follows && s.last.opening < 1 && s.wait == nil && s.openAt == 0 {
		return // as nearly every point
	}
	point := incident.Point{
		Series: uint64(s.id), Time: t, Cadence: max(st.cadence, 1), Score: s.last.score, Surprise: surprise,
		Observed: v, Expected: s.last.expected, Lower: s.last.lower, Upper: s.last.upper, Kind: p.Kind.String(), Accepted: p.Accepted,
	}
	if point.Score >= 1 {
		point.TraceIDs = e.traces(x)
	}
	if !follows {
		from, ok := e.opens(st, s, point)
		if !ok {
			return
		}
		if from.Time < t {
			e.track(st, s, from, x)
		}
	}
	e.track(st, s, point, x)
	e.expose(s, out)
}

// The calibration ignores the points of a service while wide of its series, and one in
// wideShare of its streams, are anomalous at once. Fewer at once can be a shock that
// series normally have in common.
const wide, wideShare = 3, 8

// teaches reports whether the calibration learns from the next point of a series. It does
// not during an incident of many series, nor in an anomaly after its first point.
func (e *Engine) teaches(st *stream, s *tracked) bool {
	if st.signal == SignalBehavior && s.n%behaviorWindows != 0 {
		return false // the window before has seen most of it
	}
	svc := st.resource.service
	return svc.followed < max(wide, svc.streams/wideShare) && s.openAt == 0
}

// track gives a point to the tracker.
func (e *Engine) track(st *stream, s *tracked, p incident.Point, x exemplars) {
	id, followed := p.Series, e.tracker.Follows(p.Series)
	s.last.phase = e.tracker.Observe(p, func() incident.Subject { return e.subject(st, s, x) })
	switch now := e.tracker.Follows(id); {
	case now && !followed:
		e.owners[id] = st.id
		st.resource.service.followed++
		st.resource.service.opened++
		s.openAt = s.n
	case !now && followed:
		delete(e.owners, id)
		st.resource.service.followed--
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
	if t < st.meter.Time {
		e.refused[RefusedOutOfOrder]++
		if st.late++; st.late >= lateBeforeRestart {
			e.restart(st)
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

// goesOn reports whether a stream that has had points takes one at event time t. One
// ahead of the clock of ticks does not continue points that are not, until there were
// lateBeforeRestart of them in a row; the first that is not ahead continues no others.
func (e *Engine) goesOn(st *stream, t int64) bool {
	ahead := clock.IsAhead(t, e.now)
	if ahead == clock.IsAhead(st.meter.Time, e.now) {
		return true
	}
	if ahead {
		e.noteUntimely(clock.Ahead, st.resource.id, st.resource.service.name, t)
		if st.late++; st.late < lateBeforeRestart {
			return false
		}
	}
	e.restart(st)
	return true
}

// restart has a stream go on with its next point, wherever that lies: its clock was
// set. Anomalies of the time before end there.
func (e *Engine) restart(st *stream) {
	for i := range st.series {
		st.series[i].wait = nil
		if e.tracker.Follows(uint64(st.series[i].id)) {
			e.silence(st.series[i].id, st, incident.SeriesGone)
		}
	}
	st.late, st.meter = 0, meter.Meter{}
}
