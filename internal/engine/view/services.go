// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package view

import (
	"cmp"
	"math"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Template is a template of log records of one service. Its JSON form is that of the console's API.
type Template struct {
	ID      string `json:"id"`
	Service string `json:"service"`
	Text    string `json:"template"`
	Example string `json:"example,omitempty"`
	Count   uint64 `json:"count"`
	// First and Last are the times at which it was first and last seen. Now is the end of the service's open window.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	Now   time.Time `json:"now"`
	// Established reports that it occurred in enough windows to have a series, with the identity Series.
	Established bool   `json:"established"`
	Series      string `json:"series"`
	// Score and Reason are those of its open anomaly, or 0.
	Score  float64 `json:"score"`
	Reason string  `json:"reason,omitempty"`
}

// Service is one service with its latest window of spans and log records. Numbers of a signal that it does not send
// are absent. Its JSON form is that of the console's API.
type Service struct {
	Name   string    `json:"name"`
	Series int       `json:"series"`
	Time   time.Time `json:"time"`
	// MaxScore is the greatest latest score of its series. Open counts those with an open anomaly, Warming those that
	// are still learning.
	MaxScore float64 `json:"max_score"`
	Open     int     `json:"open"`
	Warming  int     `json:"warming"`
	// Requests per second, the share of failed ones, and the median and p95 duration of the operations that serve
	// requests, weighted by calls.
	Requests   *float64 `json:"requests_per_second,omitempty"`
	ErrorRatio *float64 `json:"error_ratio,omitempty"`
	P50        *float64 `json:"p50_seconds,omitempty"`
	P95        *float64 `json:"p95_seconds,omitempty"`
	// Records is the number of log records per second.
	Records *float64 `json:"records_per_second,omitempty"`

	calls map[string]*calls // by operation
}

// calls is one operation that serves requests: its latest window, and the windows of its latest durations.
type calls struct {
	time, time50, time95    int64
	count, errors, p50, p95 float64
}

// Services aggregates the series by service, ordered by name.
func Services(rows Rows) []Service {
	by := map[string]*Service{}
	for r := range rows {
		s := by[r.Service]
		if s == nil {
			s = &Service{Name: r.Service, calls: map[string]*calls{}}
			by[r.Service] = s
		}
		s.add(r)
	}
	list := make([]Service, 0, len(by))
	for _, s := range by {
		s.sum()
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b Service) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

func (s *Service) add(r *Row) {
	if r.Signal < budget.Groups {
		s.Series++
	}
	if at := time.Unix(0, r.Time).UTC(); r.Time > 0 && at.After(s.Time) {
		s.Time = at
	}
	s.MaxScore = math.Max(s.MaxScore, r.Score)
	if r.Open {
		s.Open++
	}
	if r.warming() {
		s.Warming++
	}
	switch {
	case r.Signal == budget.Logs && r.Metric == vocabulary.MetricLogRecords && r.Statistic == meter.Count && r.Attributes.Len() == 0:
		perSecond := r.Observed / (float64(window.Length) / 1e9)
		s.Records = Number(perSecond)
	case r.Signal == budget.Traces:
		s.addCalls(r)
	}
}

func (s *Service) addCalls(r *Row) {
	kind, hasKind := r.Attributes.Get(vocabulary.AttrSpanKind)
	name, hasName := r.Attributes.Get(vocabulary.AttrSpanName)
	if !hasKind || !hasName { // such as series between two services
		return
	}
	if k := kind.AsString(); k != ptrace.SpanKindServer.String() && k != ptrace.SpanKindConsumer.String() {
		return
	}
	c := s.calls[name.AsString()]
	if c == nil {
		c = &calls{}
		s.calls[name.AsString()] = c
	}
	switch {
	case r.Metric == vocabulary.MetricSpanCalls && r.Statistic == meter.Count:
		c.time, c.count = r.Time, r.Observed
	case r.Metric == vocabulary.MetricSpanCalls && r.Statistic == meter.ErrorRatio:
		c.errors = r.Observed
	case r.Metric == vocabulary.MetricSpanDuration && r.Statistic == meter.P50:
		c.time50, c.p50 = r.Time, r.Observed
	case r.Metric == vocabulary.MetricSpanDuration && r.Statistic == meter.P95:
		c.time95, c.p95 = r.Time, r.Observed
	}
}

// sum computes the numbers of the service from those of its operations.
func (s *Service) sum() {
	if len(s.calls) == 0 {
		return
	}
	var count, failed float64
	var p50, p95 weighted
	for _, c := range s.calls {
		count += c.count
		failed += float64(c.count * c.errors)
		if c.time50 == c.time { // a window with few calls has no quantiles
			p50.add(c.p50, c.count)
		}
		if c.time95 == c.time {
			p95.add(c.p95, c.count)
		}
	}
	s.Requests = Number(count / (float64(window.Length) / 1e9))
	s.ErrorRatio = Number(failed / count)
	s.P50, s.P95 = Number(p50.sum/p50.weight), Number(p95.sum/p95.weight)
}

// weighted computes a weighted mean.
type weighted struct{ sum, weight float64 }

func (w *weighted) add(v, weight float64) {
	w.sum += float64(v * weight)
	w.weight += weight
}
