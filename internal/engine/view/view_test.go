// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package view

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/room"
	"github.com/auspex-otel/auspex/internal/policy"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// row returns a series of a service with a prediction and without a policy.
func row(id series.ID, service, metric string, pairs ...string) *Row {
	r := &Row{
		ID: id, Service: service, Metric: metric, Statistic: meter.Value, Attributes: pcommon.NewMap(), Cadence: int64(10 * time.Second),
		Time: int64(time.Hour), Points: 500, Observed: 5, Expected: 5, Lower: 4, Upper: 6,
		Model: ensemble.New(nil), Alpha: func() float64 { return 1e-6 }, Silenced: func() bool { return false },
	}
	for i := 0; i < len(pairs); i += 2 {
		r.Attributes.PutStr(pairs[i], pairs[i+1])
	}
	return r
}

func rows(list ...*Row) Rows { return slices.Values(list) }

func ids(list []SeriesView) (names []string) {
	for _, v := range list {
		names = append(names, v.ID[15:])
	}
	return names
}

func TestSeries(t *testing.T) {
	a, b, c := row(1, "cart", "cpu", "host", "n1"), row(2, "cart", "memory"), row(3, "Checkout", "cpu", "route", "/pay")
	a.Score, b.Score, c.Score, c.Statistic = 1, 3, 3, meter.P95
	all := rows(a, b, c)
	for name, tt := range map[string]struct {
		query SeriesQuery
		want  []string
	}{
		"the highest score first, of equal ones the lower identity": {SeriesQuery{}, []string{"2", "3", "1"}},
		"as many as are asked for":                                  {SeriesQuery{Limit: 1}, []string{"2"}},
		"of a service":                                              {SeriesQuery{Service: "cart"}, []string{"2", "1"}},
		"of a metric":                                               {SeriesQuery{Metric: "cpu"}, []string{"3", "1"}},
		"of a statistic":                                            {SeriesQuery{Statistic: "p95"}, []string{"3"}},
		"words, in any case":                                        {SeriesQuery{Text: "check CPU"}, []string{"3"}},
		"in an attribute's key":                                     {SeriesQuery{Text: "hos"}, []string{"1"}},
		"in an attribute's value":                                   {SeriesQuery{Text: "/PAY p95"}, []string{"3"}},
		"each of them":                                              {SeriesQuery{Text: "cpu nothing"}, nil},
	} {
		assert.Equal(t, tt.want, ids(Series(all, tt.query)), name)
	}
	a.Expected = math.NaN()
	v := Series(rows(a), SeriesQuery{})[0]
	assert.Nil(t, v.Upper, "it is still learning")
	assert.Equal(t, map[string]string{"host": "n1"}, v.Attributes)
}

func patient(t *testing.T, dry bool) *policy.Policy {
	t.Helper()
	set, err := policy.Compile([]policy.Rule{{MinDuration: time.Minute, DryRun: dry}}, component.TelemetrySettings{Logger: zap.NewNop()})
	require.NoError(t, err)
	m := pmetric.NewMetric()
	m.SetEmptyGauge()
	return set.For(t.Context(), pcommon.NewResource(), pcommon.NewInstrumentationScope(), m, pcommon.NewMap())
}

func TestWhy(t *testing.T) {
	for want, change := range map[string]func(*Row){
		"Nothing opened, since the latest score is 0.20":                             func(r *Row) { r.Score = .2 },
		"An anomaly of this series is open":                                          func(r *Row) { r.Score, r.Open = 5, true },
		"A silence is in effect":                                                     func(r *Row) { r.Score, r.Silenced = 5, func() bool { return true } },
		"still learning: it has 1 point":                                             func(r *Row) { r.Expected, r.Points = math.NaN(), 1 },
		"in dry run":                                                                 func(r *Row) { r.Policy, r.Score = patient(t, true), 3 },
		"has the anomaly wait until it has lasted 1m0s":                              func(r *Row) { r.Policy, r.Score, r.Waiting = patient(t, false), 3, true },
		"a higher score within the cooldown of 15m has":                              func(r *Row) { r.Score = 2 },
		"a policy kept the anomaly from opening":                                     func(r *Row) { r.Score, r.Opening = 2, 2 },
		"No point has come for longer than usual":                                    func(r *Row) { r.Absent = true },
		"is expected once in 1 point under normal":                                   func(r *Row) { r.Score = 0 },
		"An anomaly opens at a point that is expected only once in 1 million points": func(r *Row) { r.Score = 0 },
		"A policy asks for anomalies that last at least 1m":                          func(r *Row) { r.Policy = patient(t, false) },
		"is expected once in 16,000 points under":                                    func(r *Row) { r.Score = .7 },
		"is expected once in 10⁶⁰ points under normal conditio":                      func(r *Row) { r.Score, r.Open = 10, true },
	} {
		r := row(7, "cart", "cpu")
		change(r)
		d, ok := Find(rows(row(1, "a", "b"), r), r.ID)
		require.True(t, ok)
		assert.Condition(t, func() bool {
			return slices.ContainsFunc(d.Why, func(s string) bool { return strings.Contains(s, want) })
		}, "%q is not in %q", want, d.Why)
	}
	_, ok := Find(rows(row(1, "a", "b")), 2)
	assert.False(t, ok)
}

func TestDetail(t *testing.T) {
	r := row(7, "cart", "cpu")
	r.Policy = patient(t, false)
	d, _ := Find(rows(r), r.ID)
	assert.InDelta(t, 900, d.CooldownSeconds, 0)
	assert.InDelta(t, 60, d.MinDurationSeconds, 0)
	assert.Equal(t, room.Modeled, d.Bytes)
	assert.False(t, d.Season)
	assert.True(t, d.AwaySince.IsZero())
	r.Model = nil
	d, _ = Find(rows(r), r.ID)
	assert.Equal(t, room.Bare, d.Bytes)
}

func TestServices(t *testing.T) {
	span := func(id series.ID, name, kind, metric string, stat meter.Statistic, v float64) *Row {
		r := row(id, "cart", metric, vocabulary.AttrSpanName, name, vocabulary.AttrSpanKind, kind)
		r.Signal, r.Statistic, r.Observed = budget.Traces, stat, v
		return r
	}
	old := span(8, "GET /b", "Server", vocabulary.MetricSpanDuration, meter.P95, 9)
	old.Time -= int64(time.Minute)
	between := row(9, "cart", vocabulary.MetricSpanDuration)
	between.Signal = budget.Traces
	lines := row(10, "cart", vocabulary.MetricLogRecords)
	lines.Signal, lines.Statistic, lines.Observed = budget.Logs, meter.Count, 30
	group := row(11, "cart", "group")
	group.Signal, group.Score, group.Open = budget.Groups, 4, true
	learns := row(12, "idle", "cpu")
	learns.Expected = math.NaN()
	got := Services(rows(
		learns, between, old, lines, group,
		span(1, "GET /a", "Server", vocabulary.MetricSpanCalls, meter.Count, 30),
		span(2, "GET /a", "Server", vocabulary.MetricSpanCalls, meter.ErrorRatio, .1),
		span(3, "GET /a", "Server", vocabulary.MetricSpanDuration, meter.P50, .1),
		span(4, "GET /a", "Server", vocabulary.MetricSpanDuration, meter.P95, .3),
		span(5, "GET /b", "Consumer", vocabulary.MetricSpanCalls, meter.Count, 15),
		span(6, "GET /b", "Consumer", vocabulary.MetricSpanDuration, meter.P50, .4),
		span(7, "call", "Client", vocabulary.MetricSpanCalls, meter.Count, 1e6),
	))
	require.Len(t, got, 2)
	cart, idle := got[0], got[1]
	assert.Equal(t, "cart", cart.Name)
	assert.InDelta(t, 3, *cart.Requests, 1e-9, "45 in 15 seconds; what it calls itself does not count")
	assert.InDelta(t, 3./45, *cart.ErrorRatio, 1e-9)
	assert.InDelta(t, .2, *cart.P50, 1e-9)
	assert.InDelta(t, .3, *cart.P95, 1e-9, "that of an earlier window does not count")
	assert.InDelta(t, 2, *cart.Records, 1e-9)
	assert.Equal(t, 1, cart.Open)
	assert.InDelta(t, 4, cart.MaxScore, 0)
	assert.Equal(t, 10, cart.Series, "a group is made from others")
	assert.Equal(t, 1, idle.Warming)
	assert.Nil(t, idle.Requests)
	assert.Nil(t, idle.P95)
}
