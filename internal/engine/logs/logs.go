// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package logs finds the templates of log records, counts the records in windows of event
// time, and has the counts judged.
package logs

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/novelty"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/engine/judge"
	"github.com/auspex-otel/auspex/internal/engine/pace"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/evidence"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/template"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Verdict holds the template of one log record, and a score and a reason if the record
// or its template is anomalous. A record that is not observed has no template.
type Verdict struct {
	Template, ID string
	Score        float64
	Reason       string
	// Parameters are the numbers in its line, if they were asked for.
	Parameters []Parameter
}

// Parameter is a number in a line, with the key that it has there, or none.
type Parameter struct {
	Name  string
	Value float64
}

// ReasonNewTemplate is the reason of a record whose template was never seen before.
const ReasonNewTemplate = "new template"

// Evidence takes what log records show about causes. Package causes implements it.
type Evidence interface {
	// Resource takes the attributes of a resource of a service at an event time, in nanoseconds.
	Resource(service string, attributes pcommon.Map, t int64)
	// Line takes a record with the id of its template.
	Line(service string, lr plog.LogRecord, template uint64, t int64)
	// Change takes the change that a record reports, if it reports one.
	Change(service string, resource pcommon.Map, lr plog.LogRecord, t int64)
}

// Logs holds the templates of all services, and the counts of their records. It is not safe for concurrent use.
type Logs struct {
	judge    *judge.Judge
	evidence Evidence
	ttl      time.Duration // of templates without records

	services *series.Table[service]
	miner    *template.Miner
	novelty  novelty.Pool
	// entries bounds the templates that are counted; room is the number that may be added.
	entries, room int
	params        []template.Param // scratch of one record
}

// New returns a Logs without templates, which has at most so many entries. Services
// and templates without records for ttl are forgotten.
func New(j *judge.Judge, evidence Evidence, miner *template.Miner, ttl time.Duration, entries int) *Logs {
	l := &Logs{judge: j, evidence: evidence, ttl: ttl, miner: miner, entries: entries, room: entries}
	l.services = series.NewTable[service](maxServices, ttl)
	l.services.Learned, l.services.Stale = (*service).learned, func(*service) time.Duration { return pace.Stale(0) }
	return l
}

// SetEntries bounds the number of templates that are counted.
func (l *Logs) SetEntries(n int) { l.entries, l.room = n, min(l.room, n) }

// Observe finds the template of every log record of a batch, learns it, and
// counts it. It returns a verdict for each record, in the order of the batch, and the
// latest event time that a record proves, in nanoseconds, 0 if none.
func (l *Logs) Observe(ld plog.Logs, parameters bool) (verdicts []Verdict, latest int64) {
	verdicts = make([]Verdict, 0, ld.LogRecordCount())
	for _, rl := range ld.ResourceLogs().All() {
		var s *service
		own := int64(0)
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if vocabulary.OwnEvent(lr.EventName()) {
					verdicts = append(verdicts, Verdict{})
					continue
				}
				if s == nil {
					s = l.serviceOf(vocabulary.Service(rl.Resource().Attributes()))
				}
				v, t := l.observe(s, rl.Resource(), lr, parameters)
				verdicts = append(verdicts, v)
				own = max(own, t)
			}
		}
		if own > 0 {
			l.evidence.Resource(s.name, rl.Resource().Attributes(), own)
			latest = max(latest, own)
		}
	}
	return verdicts, latest
}

// observe takes one record of a service. It returns the event time that the record
// proves, 0 if none: a record whose time is not timely gets its template and no more.
func (l *Logs) observe(s *service, resource pcommon.Resource, lr plog.LogRecord, parameters bool) (Verdict, int64) {
	t := evidence.RecordTime(lr)
	verdict, open := clock.Timely, int64(0)
	if t > 0 {
		verdict, open = s.window.Admit(t, l.judge.Now())
	}
	if verdict != clock.Timely {
		l.judge.NoteUntimely(verdict, series.Attributes(resource.Attributes()), s.name, t)
		t = 0
	} else if t > 0 {
		l.evidence.Change(s.name, resource.Attributes(), lr, t)
	}
	text := evidence.Text(lr)
	if text == "" {
		return Verdict{}, t
	}
	match := l.miner.Observe(s.name, template.Body(text))
	v := Verdict{Template: match.Template, ID: idText(match.ID)}
	if parameters {
		l.params = l.miner.Params(l.params[:0])
		for _, p := range l.params {
			v.Parameters = append(v.Parameters, Parameter{strings.Clone(p.Name), p.Value})
		}
	}
	if t <= 0 {
		if verdict == clock.Timely {
			l.judge.Refuse(judge.RefusedNoTimestamp, 1)
		}
		return v, 0
	}
	if open > 0 {
		s.window.Through(open, func() { l.close(s) })
	}
	severe := evidence.Severe(lr, text)
	s.Records++
	if severe {
		s.Errors++
	}
	l.evidence.Line(s.name, lr, uint64(match.Final), t)
	known := s.count(match.Final, t, &l.room)
	if known != nil && known.Windows >= window.Established {
		l.params = l.miner.Params(l.params[:0])
		known.take(l.params, &s.params)
	}
	if match.New {
		class := novelty.Usual
		if severe {
			class = novelty.Grave
		}
		s.fresh(match.Final, class)
		if s := detect.Score(s.Novelty.Surprise(&l.novelty, s.Fresh), detect.Threshold(l.judge.Alpha(s.name, budget.News))); s >= 1 {
			v.Score, v.Reason = s, ReasonNewTemplate
		}
	}
	var m judge.Mark
	if known != nil {
		m = known.mark()
	}
	switch {
	case v.Score > 0:
	case m.Score > 0:
		v.Score, v.Reason = m.Score, m.Reason
	case severe && s.ErrorMark.Score > 0:
		v.Score, v.Reason = s.ErrorMark.Score, s.ErrorMark.Reason
	}
	return v, t
}

func idText(id template.ID) string { return series.ID(id).String() }
