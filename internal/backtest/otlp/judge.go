// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/backtest/report"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/replay"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// seriesID is the identity of one statistic of one stream.
type seriesID = series.ID

// judge passes batches to one engine and keeps its verdicts and findings.
type judge struct {
	shard     *replay.Shard
	spill     *spill
	series    map[seriesID]*judged
	anomalies map[string]*incident.Anomaly
	incidents map[string]*incident.Incident
	open      episodes
	asking    *asking
}

// newJudge returns a judge with a new engine.
func newJudge(cfg engine.Config, s *spill, asks []Ask) (*judge, error) {
	j := &judge{
		spill: s, series: map[seriesID]*judged{},
		anomalies: map[string]*incident.Anomaly{}, incidents: map[string]*incident.Incident{},
	}
	j.shard = replay.NewShard(cfg, replay.Hooks{
		Findings: j.collect, Verdicts: j.takeAll, Before: func(due int64) { j.asking.pass(due) },
	})
	var err error
	j.asking, err = newAsking(j.shard.Engine(), asks)
	return j, err
}

// batch processes the batch at a cursor.
func (j *judge) batch(c *cursor) error { return j.shard.Add(c.Batch, c.due) }

// judged is a series with a verdict.
type judged struct {
	backtest.Summary
	number                                       uint32 // in the order of first verdicts
	service, metric, statistic, unit, attributes string
}

// collect keeps the last state of findings.
func (j *judge) collect(events engine.Events) {
	for _, a := range events.Anomalies {
		j.anomalies[a.ID] = a
	}
	for _, i := range events.Incidents {
		j.incidents[i.ID] = i
		j.open.tell(i, j.shard.Now())
	}
}

// takeAll stores verdicts on a batch.
func (j *judge) takeAll(md pmetric.Metrics, list []engine.Verdict) error {
	for _, v := range list {
		if err := j.take(md, v); err != nil {
			return err
		}
	}
	return nil
}

// take stores a verdict.
func (j *judge) take(md pmetric.Metrics, v engine.Verdict) error {
	rm := md.ResourceMetrics().At(v.Resource)
	sm := rm.ScopeMetrics().At(v.Scope)
	m := sm.Metrics().At(v.Metric)
	timestamp, attributes := replay.PointAt(m, v.Point)
	id := series.Attributes(rm.Resource().Attributes()).Join(series.Scope(sm.Scope())).
		Join(series.Text(m.Name())).Join(series.Text(v.Unit)).Join(series.Attributes(attributes)).Join(series.Text(v.Statistic))
	s := j.series[id]
	if s == nil {
		s = &judged{
			number: uint32(len(j.series)), service: vocabulary.Service(rm.Resource().Attributes()), metric: m.Name(),
			statistic: v.Statistic, unit: v.Unit, attributes: text(attributes),
		}
		s.Name = s.name()
		j.series[id] = s
	}
	t := timestamp.AsTime()
	if !s.Last.IsZero() && !t.After(s.Last) {
		return nil // the engine repeated the verdict of a resend
	}
	s.See(t)
	s.Count(t, v.Score, v.Opening)
	return j.spill.add(record{s.number, t.UnixNano(), v.Observed, report.Verdict{Score: v.Score, Opening: v.Opening, Expected: v.Expected, Lower: v.Lower, Upper: v.Upper}})
}

func (s *judged) name() string {
	name := s.service + ": " + s.metric
	if s.statistic != "value" {
		name += " (" + strings.ReplaceAll(s.statistic, "_", " ") + ")"
	}
	if s.attributes != "" {
		name += " {" + s.attributes + "}"
	}
	return name
}

// text formats attributes in the order of their keys.
func text(attributes pcommon.Map) string {
	pairs := map[string]string{}
	for k, v := range attributes.All() {
		pairs[k] = v.AsString()
	}
	var b strings.Builder
	for i, k := range slices.Sorted(maps.Keys(pairs)) {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(k + "=" + pairs[k])
	}
	return b.String()
}
