// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/engine/deed"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/room"
	"github.com/auspex-otel/auspex/internal/evidence"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/trace"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// resourceOf finds or makes the state of the resource with these attributes.
func (e *Engine) resourceOf(resource pcommon.Map) *resource {
	id := series.Attributes(resource)
	if res := e.resources[id]; res != nil {
		return res
	}
	return e.addResource(id, resource)
}

func (e *Engine) addResource(id series.ID, attributes pcommon.Map) *resource {
	attributes = series.Clone(attributes)
	name := vocabulary.Service(attributes)
	svc := e.services[name]
	if svc == nil {
		svc = &service{name: name}
		e.services[name] = svc
	}
	svc.resources++
	res := &resource{id: id, attributes: attributes, service: svc, instance: evidence.Instance(attributes)}
	e.resources[id] = res
	return res
}

// hold notes that a stream is the resource's, release that it is no more.
func (s *resource) hold(st *stream) {
	s.streams++
	s.service.streams++
	if st.signal < SignalGroups {
		s.service.series += len(st.series)
	}
}

func (s *resource) release(st *stream) {
	s.streams--
	s.service.streams--
	if st.signal < SignalGroups {
		s.service.series -= len(st.series)
	}
}

// admit decides whether event time t is timely for a resource and its service, and moves
// their watermarks on to it.
func (e *Engine) admit(res *resource, t int64) clock.Verdict {
	before := res.mark.Time()
	verdict := res.mark.Admit(t, e.now)
	if verdict == clock.Timely {
		if before > 0 && t > before {
			res.life.Advance(t - before)
		}
		verdict = res.service.mark.Admit(t, e.now)
	}
	if verdict != clock.Timely {
		e.noteUntimely(verdict, res.id, res.service.name, t)
	}
	return verdict
}

// noteUntimely counts a timestamp that moves nothing but its own series, and logs the first one of a resource.
func (e *Engine) noteUntimely(verdict clock.Verdict, resource series.ID, service string, t int64) {
	if e.untimely.Note(verdict, uint64(resource)) {
		e.logger.Warn("a resource sends timestamps that are far from those of the clock or of its neighbors: they update nothing but their own series; check its clock",
			zap.String("service", series.Short(service)), zap.Stringer("resource", resource), zap.Stringer("timestamps", verdict),
			zap.Time("timestamp", time.Unix(0, t).UTC()), zap.Time("clock", e.now.UTC()))
	}
}

// streamOf finds or makes the stream of a reference. New streams begin in the
// resource's care even where the resource has just been forgotten with its last stream.
func (e *Engine) streamOf(r *ref) *stream {
	if r.found != nil {
		if st := e.streams.Touch(r.found, e.now); st != nil {
			return st
		}
	}
	if st := e.streams.Get(r.id, e.now); st != nil { // a point before this one may have brought it
		return st
	}
	stats := meter.StatisticsOf(r.metric)
	metric := strings.Clone(r.metric.Name())
	st := stream{
		id: r.id, scope: series.CloneScope(r.scope), metric: metric, unit: strings.Clone(r.metric.Unit()),
		attributes: series.Clone(r.attributes), quantity: evidence.Quantity(metric),
	}
	added := e.addStream(st, stats, r.resource.Attributes())
	if added != nil {
		e.adopt(r, added)
	}
	return added
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
func (e *Engine) addStream(st stream, stats []meter.Statistic, resource pcommon.Map) *stream {
	service, size := vocabulary.Service(resource), st.size(len(stats))
	if e.resources[series.Attributes(resource)] == nil {
		size.Bytes += room.Attributes(resource)
	}
	e.census.Note(service, st.id, st.attributes)
	evicted, fits := e.evicted, e.streams.Room(serviceID(service), size, e.now)
	if !fits || e.evicted > evicted {
		e.fullAt = e.now
	}
	if !fits {
		e.refused[RefusedNoRoom]++
		return nil
	}
	st.series = e.newSeries(&st, stats)
	added := e.streams.Add(st.id, serviceID(service), size, e.now, st)
	added.resource = e.resourceOf(resource)
	added.resource.hold(added)
	e.warming += len(stats)
	return added
}

// bare reports whether the series of the stream have no model: their surprise is computed elsewhere.
func (st *stream) bare() bool { return st.signal == SignalNews || st.signal == SignalBehavior }

func (e *Engine) newSeries(st *stream, stats []meter.Statistic) []tracked {
	list := make([]tracked, len(stats))
	for i, s := range stats {
		list[i] = tracked{id: st.id.Join(series.Number(uint64(s))), stat: s, last: verdict{expected: math.NaN()}}
		if !st.bare() {
			list[i].model = ensemble.New(e.models)
		}
		list[i].member = e.join(st.metric, s)
	}
	return list
}

// join makes a series a member of the pool of its metric and statistic.
func (e *Engine) join(metric string, stat meter.Statistic) budget.Member {
	return e.budget.Join(uint64(series.Text(metric).Join(series.Number(uint64(stat)))))
}

// subject names a series for people and events.
func (e *Engine) subject(st *stream, s *tracked, x exemplars) incident.Subject {
	subject := st.subject(s)
	switch st.signal {
	case SignalMetrics:
		if subject.Host = vocabulary.OfHost(st.resource.attributes); subject.Host {
			subject.Saturates, subject.Work = evidence.Saturates(st.metric, st.attributes), evidence.Work(st.metric, st.attributes)
		}
	case SignalTraces:
		subject.Counts = st.metric == vocabulary.MetricSpanCalls && s.stat != meter.ErrorRatio
		subject.Peer = e.party(evidence.Operation(st.resource.service.name, st.attributes))
	case SignalLogs, SignalNews:
		e.describe(st, &subject)
	case SignalBehavior:
		if len(x.deeds) > 0 {
			subject.Attributes = map[string]string{vocabulary.AttrBehaviorChange: deed.Words(subject.Service, &x.deeds[0])}
			if f, ok := x.deeds[0].Detail.(trace.Finding); ok {
				subject.Peer = e.party(f.Operation)
			}
		}
	default:
	}
	return subject
}

// party is the peer of an operation.
func (e *Engine) party(op trace.Operation) incident.Party {
	if id, ok := e.causality.causes.Peer(op); ok {
		return incident.Party{Kind: incident.KindOf(id.Kind), Name: id.Name}
	}
	return incident.Party{}
}

func (st *stream) subject(s *tracked) incident.Subject {
	return incident.Subject{
		Group:  st.signal == SignalGroups || st.signal == SignalBehavior,
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
