// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/charts"
	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/detect/opening"
	"github.com/auspex-otel/auspex/internal/detect/silence"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/policy"
	"github.com/auspex-otel/auspex/internal/series"
)

// resource is the state of one OpenTelemetry resource: the sender of streams.
type resource struct {
	id         series.ID
	attributes pcommon.Map
	service    *service
	streams    int
	mark       clock.Mark // its watermark
	instance   string     // that it stands for, if any
	shown      int64      // when its attributes were passed on as evidence
	written    uint64     // the latest snapshot that has its record, see Judge.snapshots
	life       silence.Life
}

// service holds the values of the gauges of one service.
type service struct {
	name      string
	resources int
	series    int // those that are watched, groups apart
	streams   int
	followed  int // series with an anomaly that is open or in its cooldown
	group     window.Round
	account   budget.Account
	mark      clock.Mark // its watermark
	delivered int64      // watermark of the gauges that were delivered last
	// maxScore is the greatest score since the gauges were last asked for, unsent that of the time before, until it was delivered.
	maxScore, unsent float64
	opened           uint64 // anomalies, ever
}

// stream is the data points of one identity: resource, scope, metric and attributes.
type stream struct {
	id           series.ID
	resource     *resource
	scope        pcommon.InstrumentationScope
	metric, unit string
	attributes   pcommon.Map
	meter        meter.Meter
	chunk        uint64 // number of the chunk that has its latest samples
	signal       budget.Signal
	quantity     string        // that an instance uses: CPU or memory; else empty
	cadence      int64         // usual distance of two points, nanoseconds
	late         int           // points in a row that lie before the latest one, or ahead of the clock of ticks
	timing       clock.Verdict // on its latest point
	series       []tracked
	gaps         silence.Gaps
	seen         int64 // when it came last, on the clock of its resource's life
	silent       bool  // its absence has been found
	resting      bool  // it is silent, and makes no decisions
	// policy applies to the stream; it is nil if none does or asked is false. patience
	// is the least duration of its anomalies, in nanoseconds.
	policy   *policy.Policy
	asked    bool
	patience int64
}

// tracked is one statistic of a stream: a series with its model and its latest verdict.
type tracked struct {
	id       series.ID
	stat     meter.Statistic
	model    *ensemble.Model
	rule     opening.Rule
	member   budget.Member
	n        uint64
	openAt   uint64 // number n of the point at which an anomaly opened, 0 if there is none
	last     verdict
	wait     *waiting // nil unless a policy has it wait
	negative bool     // a value was below zero since the engine started
	chart    charts.Handle
}

// verdict holds the result for one sample.
type verdict struct {
	time                                             int64
	score, opening, observed, expected, lower, upper float64
	phase                                            incident.Phase
	shown                                            bool
}

// forget is the callback for every stream that leaves the table.
func (j *Judge) forget(_ series.ID, st *stream) {
	j.uncount(st)
	for i := range st.series {
		j.evicted++
		if st.series[i].warming() {
			j.warming--
		}
		j.silence(st.series[i].id, st, incident.SeriesGone)
		j.budget.Leave(&st.series[i].member)
	}
	st.resource.release(st)
	j.releaseResource(st.resource)
}

// releaseResource forgets a resource that has no streams.
func (j *Judge) releaseResource(res *resource) {
	if res.streams > 0 || j.restoring {
		return
	}
	delete(j.resources, res.id)
	if res.service.resources--; res.service.resources == 0 {
		delete(j.services, res.service.name)
	}
}

// silence closes the anomaly of a series that is no longer followed, for the given
// reason, and has its gauges ended by the findings receiver, for there is no batch
// to end them in.
func (j *Judge) silence(id series.ID, st *stream, why incident.Reason) {
	j.tracker.Silence(uint64(id), why)
	if _, followed := j.owners[uint64(id)]; followed {
		st.resource.service.followed--
		delete(j.owners, uint64(id))
	}
	_, exposed := j.exposed[uint64(id)]
	delete(j.exposed, uint64(id))
	for i := range st.series {
		if s := &st.series[i]; s.id == id {
			s.last.score = 0 // what is silent is not above the threshold
			s.openAt, s.last.phase, s.last.shown = 0, incident.PhaseNone, false
			if exposed {
				c := st.companions(s)
				c.End = true
				j.findings.AddCompanions(c)
			}
		}
	}
}

// count and uncount add and take away the decisions a day of a stream.
func (j *Judge) count(st *stream)   { j.countTimes(st, 1) }
func (j *Judge) uncount(st *stream) { j.countTimes(st, -1) }

func (j *Judge) countTimes(st *stream, sign int64) {
	if d := st.decisionsPerDay(); d > 0 {
		j.budget.Count(&st.resource.service.account, st.signal, sign*d, sign*int64(len(st.series)))
	}
}

// setCadence sets the cadence of a stream, which is usually the same as before.
func (j *Judge) setCadence(st *stream, cadence int64) {
	if cadence != st.cadence {
		j.uncount(st)
		st.cadence = cadence
		j.count(st)
	}
}

// rest has a stream that is silent make no decisions, wake has it make them again.
func (j *Judge) rest(st *stream) {
	j.uncount(st)
	st.resting = true
}

func (j *Judge) wake(st *stream) {
	if st.resting {
		st.resting = false
		j.count(st)
	}
}

// alpha is the accepted false-alarm probability per decision of a stream, for queries.
func (j *Judge) alpha(st *stream) float64 {
	return j.budget.Present(st.resource.service.account, st.signal)
}

// threshold is the surprise at the threshold of a stream for event time t, in nats.
func (j *Judge) threshold(st *stream, t int64) float64 {
	return j.budget.Threshold(&st.resource.service.account, st.signal, t)
}

// Alpha returns the accepted false-alarm probability per decision of a signal in a service, which may have no series,
// at the service's watermark.
func (j *Judge) Alpha(service string, s budget.Signal) float64 {
	if svc := j.services[service]; svc != nil {
		return j.budget.Alpha(&svc.account, s, svc.mark.Time())
	}
	return j.cfg.FalseAlarms.MaxAlpha
}
