// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/backtest/report"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// seriesID is the identity of one statistic of one stream.
type seriesID = series.ID

// everything selects every verdict.
var everything = engine.Output{Select: engine.SelectAll}

// judge passes batches to one engine and keeps its verdicts and findings.
type judge struct {
	engine    *engine.Engine
	spill     *spill
	series    map[seriesID]*judged
	anomalies map[string]*incident.Anomaly
	incidents map[string]*incident.Incident
	open      episodes
	points    int
	pieces    pieces
	asking    *asking
	now       int64
	reached   int64 // of all files, without wrong clocks
	gap       int64 // between the two latest times that were reached
}

// newJudge returns a judge with a new engine.
func newJudge(cfg engine.Config, s *spill, asks []Ask) (*judge, error) {
	e := engine.New(cfg, zap.NewNop())
	asking, err := newAsking(e, asks)
	if err != nil {
		return nil, err
	}
	return &judge{
		engine: e, spill: s, asking: asking, series: map[seriesID]*judged{},
		anomalies: map[string]*incident.Anomaly{}, incidents: map[string]*incident.Incident{},
	}, nil
}

// judged is a series with a verdict.
type judged struct {
	backtest.Summary
	number                                       uint32 // in the order of first verdicts
	service, metric, statistic, unit, attributes string
}

// disorder bounds the step back in time between two batches of a file.
const disorder = 2 * time.Minute

// batch processes the batch at a cursor, and observes the pieces that no later batch can precede.
func (j *judge) batch(c *cursor) error {
	switch c.signal {
	case signalLogs:
		j.pieces.addLogs(c.logs)
	case signalTraces:
		j.pieces.addTraces(c.traces)
	default:
		j.pieces.addMetrics(c.metrics, c.points, c.time, c.latest)
	}
	j.reached = max(j.reached, c.due)
	return j.pieces.until(c.due-int64(disorder), j.piece)
}

// piece passes a piece to the engine.
func (j *judge) piece(x *piece) error {
	j.reach(x.due)
	due := min(x.due, j.reached+int64(clock.Tolerance))
	j.asking.pass(due)
	j.tick(due)
	switch x.signal {
	case signalLogs:
		j.engine.ObserveLogs(x.logs, false)
	case signalTraces:
		j.engine.ObserveTraces(x.traces)
	default:
		j.points += x.points
		for _, v := range j.engine.ObserveMetrics(x.metrics, everything) {
			if err := j.take(x.metrics, v); err != nil {
				return err
			}
		}
	}
	j.collect()
	return nil
}

// mostGaps is the maximum factor between a time gap and the adjacent ones.
const mostGaps = 3

// reach advances the reached time to that of a piece, unless the piece is far ahead of its neighbors, for example
// because a message contains points of a sender with a wrong clock.
func (j *judge) reach(due int64) {
	far := max(int64(clock.Tolerance), mostGaps*j.gap)
	if j.pieces.len() > 0 {
		far = max(far, mostGaps*(j.pieces.heap[0].time-due))
	}
	if gap := due - j.reached; gap > 0 && (gap <= far || j.reached == 0) {
		j.reached, j.gap = due, gap
	}
}

const (
	// tickEvery is the interval of clock ticks without data, in nanoseconds.
	tickEvery = int64(15 * time.Second)
	// mostTicks is the number of such ticks after which all timeouts have passed.
	mostTicks = 240
)

// tick advances the engine's clock. The clock does not go back with the data, and does not stop in gaps.
func (j *judge) tick(t int64) {
	for n := 0; j.now > 0 && n < mostTicks && t > j.now+tickEvery; n++ {
		j.now += tickEvery
		j.engine.Tick(time.Unix(0, j.now))
		j.collect()
	}
	if t > j.now {
		j.now = t
		j.engine.Tick(time.Unix(0, j.now))
	}
}

// end observes the remaining pieces, and advances the clock until all windows of logs and spans have closed.
func (j *judge) end() error {
	if err := j.pieces.until(math.MaxInt64, j.piece); err != nil {
		return err
	}
	j.asking.pass(math.MaxInt64)
	j.engine.Tick(time.Unix(0, j.now).Add(closing))
	j.collect()
	return nil
}

// closing exceeds the time that windows of logs and spans wait for late records.
const closing = time.Minute

// collect reads the findings.
func (j *judge) collect() {
	// The engine holds a bounded number of findings.
	events := j.engine.PendingEvents()
	for _, a := range events.Anomalies {
		j.anomalies[a.ID] = a
	}
	for _, i := range events.Incidents {
		j.incidents[i.ID] = i
		j.open.tell(i, time.Unix(0, j.now).UTC())
	}
	j.engine.DeliveredEvents(events)
}

// take stores a verdict.
func (j *judge) take(md pmetric.Metrics, v engine.Verdict) error {
	rm := md.ResourceMetrics().At(v.Resource)
	sm := rm.ScopeMetrics().At(v.Scope)
	m := sm.Metrics().At(v.Metric)
	timestamp, attributes := pointAt(m, v.Point)
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
