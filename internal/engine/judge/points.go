// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"math"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/pace"
	"github.com/auspex-otel/auspex/internal/incident"
)

// plain reports whether a point needs only its meter and its models: its stream is known, and the point continues it.
func (j *Judge) plain(p *Point) bool {
	if p.found == nil || !p.found.Live() {
		return false
	}
	st := &p.found.Value
	return st.asked && !st.resting &&
		(!st.meter.Seen || p.Time > st.meter.Time && clock.IsAhead(p.Time, j.now) == clock.IsAhead(st.meter.Time, j.now))
}

// meet prepares the stream of a point that is not plain, and adds it if it is new. It reports whether to measure the point.
func (j *Judge) meet(b *Batch, p *Point) bool {
	decisions := j.budget.Decisions()[budget.Metrics]
	st := j.streamOf(p)
	if st == nil {
		return false
	}
	j.wake(st)
	if !st.asked {
		j.ask(p, st)
		if j.budget.Decisions()[budget.Metrics] > decisions { // the stream has a past and is judged from its first point on
			j.budget.Spend(j.now)
		}
	}
	if st.meter.Seen && !j.goesOn(st, p.Time) {
		return false
	}
	if st.meter.Seen && p.Time <= st.meter.Time {
		j.repeated(b, p, st)
		return false
	}
	return true
}

// follow takes a measured point: at most one sample per statistic.
func (j *Judge) follow(b *Batch, m *measured) {
	p := m.point
	st := j.streams.Touch(p.found, j.now)
	if st == nil {
		j.refused[RefusedNoRoom]++ // another batch evicted the stream while the models of this one ran
		return
	}
	if m.refused != "" {
		j.refused[m.refused]++
		return
	}
	if !m.first {
		j.setCadence(st, pace.Learn(st.cadence, m.gap))
	}
	if st.timing = j.admit(st.resource, p.Time); st.timing == clock.Timely {
		j.showResource(st.resource, p.Time)
		if m.restart > 0 {
			j.noteRestart(st, m.restart)
		}
	}
	st.come(m.first)
	samples := m.samples.samples[m.from:m.to]
	if st.quantity != "" && st.resource.instance != "" && len(samples) == 1 {
		j.evidence.Use(st.resource.service.name, st.resource.instance, st.quantity, samples[0].v, p.Time)
	}
	for i := range samples {
		s := &samples[i]
		if !s.finite() {
			j.refused[RefusedNotFinite]++
			continue
		}
		j.points++
		j.conclude(st, s.series, s.t, s.v, s.judgment, b.out, p)
		b.show(p, st, s.series)
	}
}

// judge has the model judge a point, scores it, and follows the series' anomaly.
func (j *Judge) judge(st *stream, s *tracked, t int64, v float64, out Output, from Context) {
	j.conclude(st, s, t, v, j.predict(st, s, t, v), out, from)
}

// observe has a model judge and learn the next point of its series.
func observe(m *ensemble.Model, t int64, v float64) detect.Judgment {
	p := m.Observe(t, v)
	p.Surprise = min(p.Surprise, MostSurprise)
	return p
}

// predict has the model of a derived series judge and learn its next point.
func (j *Judge) predict(st *stream, s *tracked, t int64, v float64) detect.Judgment {
	p := observe(s.model, t, v)
	if st.signal == budget.Groups && (v <= p.Expected || int64(s.n+1)*st.cadence < groupAge) {
		p.Surprise = 0 // fewer points outside the interval than usual are no fault
	}
	return p
}

// conclude scores a surprise and follows the series' anomaly.
func (j *Judge) conclude(st *stream, s *tracked, t int64, v float64, p detect.Judgment, out Output, from Context) {
	s.n++
	if s.warming() && !math.IsNaN(p.Expected) {
		j.warming--
	}
	nominal := p.Surprise
	surprise, threshold := min(s.member.Calibrate(s.n, t, nominal), MostSurprise), j.threshold(st, t)
	if !math.IsNaN(p.Expected) && st.timing == clock.Timely {
		j.budget.Pass(&st.resource.service.account, st.signal, &s.member, s.n, t)
		if j.teaches(st, s) {
			j.budget.Learn(st.signal, &s.member, s.n, t, nominal, threshold)
		}
		if st.signal < budget.Groups {
			j.tally(st.resource.service, t, surprise)
		}
	}
	s.negative = s.negative || v < 0
	least := math.Inf(-1)
	if !s.negative && (st.signal != budget.Metrics || s.stat.Countable(st.unit)) {
		least = 0
	}
	meter.Readable(v, least, &p.Expected, &p.Lower, &p.Upper)
	s.last = verdict{
		time: t, score: detect.Score(surprise, threshold), observed: v, expected: p.Expected,
		lower: max(p.Lower, -math.MaxFloat64), upper: min(p.Upper, math.MaxFloat64),
	}
	s.last.opening = s.rule.Next(s.last.score, p.Held)
	svc := st.resource.service
	switch st.timing {
	case clock.Ahead:
		return // an anomaly of that time would be one of years to come
	case clock.Timely:
		svc.maxScore = max(svc.maxScore, s.last.score)
		j.charts.Record(&s.chart, uint64(s.id), svc.name, s.last.point())
	default:
	}
	follows := svc.followed > 0 && j.tracker.Follows(uint64(s.id))
	if !follows && s.last.opening < 1 && s.wait == nil && s.openAt == 0 {
		return // as nearly every point
	}
	point := incident.Point{
		Series: uint64(s.id), Time: t, Cadence: max(st.cadence, 1), Score: s.last.score, Surprise: surprise,
		Observed: v, Expected: s.last.expected, Lower: s.last.lower, Upper: s.last.upper, Kind: p.Kind.String(), Accepted: p.Accepted,
	}
	if point.Score >= 1 && from != nil {
		point.TraceIDs = traces(from)
	}
	if !follows {
		first, ok := j.opens(st, s, point)
		if !ok {
			return
		}
		if first.Time < t {
			j.track(st, s, first, from)
		}
	}
	j.track(st, s, point, from)
	j.expose(s, out)
}

// The calibration ignores the points of a service while wide of its series, and one in
// wideShare of its streams, are anomalous at once. Fewer at once can be a shock that
// series normally have in common.
const wide, wideShare = 3, 8

// BehaviorWindows is the number of consecutive points of a behavior series that are made from overlapping spans of time.
const BehaviorWindows = 5

// teaches reports whether the calibration learns from the next point of a series. It does
// not during an incident of many series, nor in an anomaly after its first point.
func (j *Judge) teaches(st *stream, s *tracked) bool {
	if st.signal == budget.Behavior && s.n%BehaviorWindows != 0 {
		return false // the window before has seen most of it
	}
	svc := st.resource.service
	return svc.followed < max(wide, svc.streams/wideShare) && s.openAt == 0
}

// track gives a point to the tracker.
func (j *Judge) track(st *stream, s *tracked, p incident.Point, from Context) {
	id, followed := p.Series, j.tracker.Follows(p.Series)
	s.last.phase = j.tracker.Observe(p, func() incident.Subject { return j.subject(st, s, from) })
	switch now := j.tracker.Follows(id); {
	case now && !followed:
		j.owners[id] = st.id
		st.resource.service.followed++
		st.resource.service.opened++
		s.openAt = s.n
	case !now && followed:
		delete(j.owners, id)
		st.resource.service.followed--
		s.openAt = 0
	}
}

// expose decides whether the companions of a followed series are shown.
func (j *Judge) expose(s *tracked, out Output) {
	id := uint64(s.id)
	_, shown := j.exposed[id]
	switch {
	case s.last.phase == incident.PhaseExposed && !shown && out.Select != SelectNone && len(j.exposed) < out.MaxSeries:
		j.exposed[id] = struct{}{}
		shown = true
	case s.last.phase != incident.PhaseExposed:
		delete(j.exposed, id)
	}
	s.last.shown = shown
}

// repeated answers a point at or before the stream's last time: it is not
// observed again. The very last point gets the verdict that it got.
func (j *Judge) repeated(b *Batch, p *Point, st *stream) {
	if p.Time < st.meter.Time {
		j.refused[RefusedOutOfOrder]++
		if st.late++; st.late >= lateBeforeRestart {
			j.restart(st)
		}
		return
	}
	j.refused[RefusedDuplicate]++
	for i := range st.series {
		if s := &st.series[i]; s.last.time == p.Time {
			j.expose(s, b.out) // the pipeline before this one may show nothing
			b.show(p, st, s)
		}
	}
}

// goesOn reports whether a stream that has had points takes one at event time t. Points ahead of the clock of ticks do not
// continue others, until there were lateBeforeRestart of them in a row; the first that is not ahead continues no others.
func (j *Judge) goesOn(st *stream, t int64) bool {
	ahead := clock.IsAhead(t, j.now)
	if ahead == clock.IsAhead(st.meter.Time, j.now) {
		return true
	}
	if ahead {
		j.NoteUntimely(clock.Ahead, st.resource.id, st.resource.service.name, t)
		if st.late++; st.late < lateBeforeRestart {
			return false
		}
	}
	j.restart(st)
	return true
}

// restart makes a stream accept its next point at any time, because its clock was set. Earlier anomalies end.
func (j *Judge) restart(st *stream) {
	for i := range st.series {
		st.series[i].wait = nil
		if j.tracker.Follows(uint64(st.series[i].id)) {
			j.silence(st.series[i].id, st, incident.SeriesGone)
		}
	}
	st.late, st.meter = 0, meter.Meter{}
}
