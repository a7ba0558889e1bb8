// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/room"
	"github.com/auspex-otel/auspex/internal/evidence"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// resourceOf finds or makes the state of the resource with these attributes.
func (j *Judge) resourceOf(resource pcommon.Map) *resource {
	id := series.Attributes(resource)
	if res := j.resources[id]; res != nil {
		return res
	}
	return j.addResource(id, resource)
}

func (j *Judge) addResource(id series.ID, attributes pcommon.Map) *resource {
	attributes = series.Clone(attributes)
	name := vocabulary.Service(attributes)
	svc := j.services[name]
	if svc == nil {
		svc = &service{name: name, account: j.budget.Open(name)}
		j.services[name] = svc
	}
	svc.resources++
	res := &resource{id: id, attributes: attributes, service: svc, instance: evidence.Instance(attributes)}
	j.resources[id] = res
	return res
}

// hold notes that a stream is the resource's, release that it is no more.
func (s *resource) hold(st *stream) {
	s.streams++
	s.service.streams++
	if st.signal < budget.Groups {
		s.service.series += len(st.series)
	}
}

func (s *resource) release(st *stream) {
	s.streams--
	s.service.streams--
	if st.signal < budget.Groups {
		s.service.series -= len(st.series)
	}
}

// admit decides whether event time t is timely for a resource and its service, and moves
// their watermarks on to it.
func (j *Judge) admit(res *resource, t int64) clock.Verdict {
	before := res.mark.Time()
	verdict := res.mark.Admit(t, j.now)
	if verdict == clock.Timely {
		if before > 0 && t > before {
			res.life.Advance(t - before)
		}
		verdict = res.service.mark.Admit(t, j.now)
	}
	if verdict != clock.Timely {
		j.NoteUntimely(verdict, res.id, res.service.name, t)
	}
	return verdict
}

// NoteUntimely counts a timestamp that moves nothing but its own series, and logs the first one of a resource.
func (j *Judge) NoteUntimely(verdict clock.Verdict, resource series.ID, service string, t int64) {
	if j.untimely.Note(verdict, uint64(resource)) {
		j.logger.Warn("a resource sends timestamps that are far from those of the clock or of its neighbors: they update nothing but their own series; check its clock",
			zap.String("service", series.Short(service)), zap.Stringer("resource", resource), zap.Stringer("timestamps", verdict),
			zap.Time("timestamp", time.Unix(0, t).UTC()), zap.Time("clock", j.now.UTC()))
	}
}

// streamOf finds or adds the stream of a point, nil if there is no room for it. New streams begin in the
// resource's care even where the resource has just been forgotten with its last stream.
func (j *Judge) streamOf(p *Point) *stream {
	if p.found = j.streams.Find(p.ID); p.found != nil {
		return j.streams.Touch(p.found, j.now)
	}
	metric := strings.Clone(p.Metric.Name())
	st := stream{
		id: p.ID, scope: series.CloneScope(p.Scope), metric: metric, unit: strings.Clone(p.Metric.Unit()),
		attributes: series.Clone(p.Attributes), quantity: evidence.Quantity(metric),
	}
	added := j.addStream(st, meter.StatisticsOf(p.Metric), p.Resource.Attributes())
	if added != nil {
		j.adopt(p, added)
		p.found = j.streams.Find(p.ID)
	}
	return added
}

// showEvery is the interval at which the attributes of a resource are passed on as evidence, in nanoseconds of event time.
const showEvery = int64(10 * time.Second)

// showResource passes the attributes of a resource on as evidence, once in showEvery.
func (j *Judge) showResource(res *resource, t int64) {
	if t >= res.shown && t < res.shown+showEvery {
		return
	}
	res.shown = t
	j.evidence.Resource(res.service.name, res.attributes, t)
}

// noteRestart records that a counter began again at an event time.
func (j *Judge) noteRestart(st *stream, t int64) {
	j.tracker.Changes.Happened(st.resource.service.name, incident.ChangeRestart, "", time.Unix(0, t).UTC())
}

// size returns the size in the table of a stream with the given number of statistics.
func (st *stream) size(stats int) series.Size {
	each := room.Modeled
	if st.bare() {
		each = room.Bare
	}
	return series.Size{Weight: stats, Bytes: stats*each + len(st.metric) + len(st.unit) + room.Attributes(st.attributes)}
}

// addStream puts a stream of these statistics into the table. It returns nil if there is no room.
func (j *Judge) addStream(st stream, stats []meter.Statistic, resource pcommon.Map) *stream {
	service, size := vocabulary.Service(resource), st.size(len(stats))
	if j.resources[series.Attributes(resource)] == nil {
		size.Bytes += room.Attributes(resource)
	}
	j.census.Note(service, st.id, st.attributes)
	evicted, fits := j.evicted, j.streams.Room(series.Text(service), size, j.now)
	if !fits || j.evicted > evicted {
		j.fullAt = j.now
	}
	if !fits {
		j.refused[RefusedNoRoom]++
		return nil
	}
	st.series = j.newSeries(&st, stats)
	added := j.streams.Add(st.id, series.Text(service), size, j.now, st)
	added.resource = j.resourceOf(resource)
	added.resource.hold(added)
	j.warming += len(stats)
	return added
}

// bare reports whether the series of the stream have no model: their surprise is computed elsewhere.
func (st *stream) bare() bool { return st.signal == budget.News || st.signal == budget.Behavior }

func (j *Judge) newSeries(st *stream, stats []meter.Statistic) []tracked {
	list := make([]tracked, len(stats))
	for i, s := range stats {
		list[i] = tracked{id: st.id.Join(series.Number(uint64(s))), stat: s, last: verdict{expected: math.NaN()}}
		if !st.bare() {
			list[i].model = ensemble.New(j.models)
		}
		j.join(st, &list[i])
	}
	return list
}

// join makes a series a member of the pool of its metric and statistic.
func (j *Judge) join(st *stream, s *tracked) {
	j.budget.Join(&s.member, uint64(series.Text(st.metric).Join(series.Number(uint64(s.stat)))))
}

// subject names a series for people and events.
func (j *Judge) subject(st *stream, s *tracked, from Context) incident.Subject {
	subject := st.subject(s)
	if st.signal == budget.Metrics {
		if subject.Host = vocabulary.OfHost(st.resource.attributes); subject.Host {
			subject.Saturates, subject.Work = evidence.Saturates(st.metric, st.attributes), evidence.Work(st.metric, st.attributes)
		}
	}
	if from != nil {
		from.Describe(&subject)
	}
	return subject
}

func (st *stream) subject(s *tracked) incident.Subject {
	return incident.Subject{
		Group:  st.signal == budget.Groups || st.signal == budget.Behavior,
		Series: s.id.String(), Service: st.resource.service.name, Metric: st.metric, Statistic: s.stat.String(),
		Unit: st.unitOf(s.stat), Attributes: series.Texts(st.attributes),
	}
}

// unitOf is the unit of a statistic: a rate is per second, of the unit that is
// counted; a ratio has none; all others are in the metric's own unit.
func (st *stream) unitOf(s meter.Statistic) string {
	switch {
	case s == meter.ErrorRatio:
		return "1"
	case s != meter.Rate:
		return st.unit
	case st.unit == "" || len(st.series) == meter.MostSamples:
		return "1/s"
	default:
		return st.unit + "/s"
	}
}

// decisionsPerDay is a whole number, so that a sum over streams does not depend on their order.
func (st *stream) decisionsPerDay() int64 {
	if st.cadence == 0 || st.resting {
		return 0
	}
	return int64(len(st.series)) * int64(24*time.Hour) / max(st.cadence, leastCadence, st.patience)
}

// warming reports whether the series has had no verdict yet.
func (s *tracked) warming() bool { return math.IsNaN(s.last.expected) }
