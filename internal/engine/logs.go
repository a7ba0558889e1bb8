// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/novelty"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/engine/intake"
	"github.com/auspex-otel/auspex/internal/evidence"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/template"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// LogVerdict holds the template of one log record, and a score and a reason if the record
// or its template is anomalous. A record that is not observed has no template.
type LogVerdict struct {
	Template, ID string
	Score        float64
	Reason       string
	// Parameters are the numbers in its line, if they were asked for.
	Parameters []LogParameter
}

// LogParameter is a number in a line, with the key that it has there, or none.
type LogParameter struct {
	Name  string
	Value float64
}

// ReasonNewTemplate is the reason of a record whose template was never seen before.
const ReasonNewTemplate = "new template"

// ObserveLogs finds the template of every log record of a batch, learns it and
// counts it. There is a verdict for each record, in the order of the batch. As
// with metrics, a batch that comes again gets the same and nothing is observed.
func (e *Engine) ObserveLogs(ld plog.Logs, parameters bool) []LogVerdict {
	ld, deep := intake.Logs(ld)
	key := intake.LogsKey(ld)
	if parameters {
		key = key.Join(series.Number(1))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.selfTick()
	e.refuseDeep(deep)
	if v, ok := e.recentLogs.Get(key); ok {
		return v
	}
	e.budget.Spend(e.now)
	verdicts, latest := make([]LogVerdict, 0, ld.LogRecordCount()), int64(0)
	for _, rl := range ld.ResourceLogs().All() {
		var l *logs
		own := int64(0)
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if vocabulary.OwnEvent(lr.EventName()) {
					verdicts = append(verdicts, LogVerdict{})
					continue
				}
				if l == nil {
					l = e.logsOf(vocabulary.Service(rl.Resource().Attributes()))
				}
				v, t := e.observeLog(l, rl.Resource(), lr, parameters)
				verdicts = append(verdicts, v)
				own = max(own, t)
			}
		}
		if own > 0 {
			e.place(l.service, rl.Resource().Attributes(), own)
			latest = max(latest, own)
		}
	}
	e.pass(latest)
	e.closeRounds()
	e.noteNews()
	e.recentLogs.Put(key, verdicts)
	return verdicts
}

// observeLog takes one record of a service. It returns the event time that the record
// proves, 0 if none: a record whose time is not timely gets its template and no more.
func (e *Engine) observeLog(l *logs, resource pcommon.Resource, lr plog.LogRecord, parameters bool) (LogVerdict, int64) {
	t := evidence.RecordTime(lr)
	verdict, open := clock.Timely, int64(0)
	if t > 0 {
		verdict, open = l.window.Admit(t, e.now)
	}
	if verdict != clock.Timely {
		e.noteUntimely(verdict, series.Attributes(resource.Attributes()), l.service, t)
		t = 0
	} else if t > 0 {
		e.noteRecord(l.service, resource.Attributes(), lr, t)
	}
	text := evidence.Text(lr)
	if text == "" {
		return LogVerdict{}, t
	}
	match := e.miner.Observe(l.service, template.Body(text))
	v := LogVerdict{Template: match.Template, ID: idText(match.ID)}
	if parameters {
		e.params = e.miner.Params(e.params[:0])
		for _, p := range e.params {
			v.Parameters = append(v.Parameters, LogParameter{strings.Clone(p.Name), p.Value})
		}
	}
	if t <= 0 {
		if verdict == clock.Timely {
			e.refused[RefusedNoTimestamp]++
		}
		return v, 0
	}
	if open > 0 {
		l.window.Through(open, func() { e.closeLogs(l) })
	}
	severe := evidence.Severe(lr, text)
	l.Records++
	if severe {
		l.Errors++
	}
	e.callLine(l.service, lr, uint64(match.Final), t)
	known := l.count(match.Final, t, &e.templates)
	if known != nil && known.Windows >= established {
		e.params = e.miner.Params(e.params[:0])
		known.take(e.params, &l.params)
	}
	if match.New {
		class := novelty.Usual
		if severe {
			class = novelty.Grave
		}
		l.fresh(match.Final, class)
		if s := detect.Score(l.Novelty.Surprise(&e.novelty, l.Fresh), e.alphaOf(l.service, SignalNews)); s >= 1 {
			v.Score, v.Reason = s, ReasonNewTemplate
		}
	}
	var m mark
	if known != nil {
		m = known.mark()
	}
	switch {
	case v.Score > 0:
	case m.Score > 0:
		v.Score, v.Reason = m.Score, m.Reason
	case severe && l.ErrorMark.Score > 0:
		v.Score, v.Reason = l.ErrorMark.Score, l.ErrorMark.Reason
	}
	return v, t
}

// nanos converts a timestamp to nanoseconds since 1970. One after 2262 becomes negative.
func nanos(t pcommon.Timestamp) int64 { return int64(t) }

func idText(id template.ID) string { return series.ID(id).String() }

// selfTick ticks the default engine, which has no owner with a ticker.
func (e *Engine) selfTick() {
	if e.clock != nil {
		if now := e.clock(); now.Sub(e.now) >= time.Second {
			e.tick(now)
		}
	}
}
