// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func settings() component.TelemetrySettings { return component.TelemetrySettings{Logger: zap.NewNop()} }

func compile(t testing.TB, rules ...Rule) *Set {
	t.Helper()
	s, err := Compile(rules, settings())
	require.NoError(t, err)
	return s
}

// identityOf describes a series of a metric of the service checkout.
type identityOf struct {
	metric, unit, scope string
	attributes          map[string]any
}

func (i identityOf) ask(t testing.TB, s *Set) *Policy {
	t.Helper()
	resource, scope, metric, attributes := pcommon.NewResource(), pcommon.NewInstrumentationScope(), pmetric.NewMetric(), pcommon.NewMap()
	resource.Attributes().PutStr("service.name", "checkout")
	scope.SetName(i.scope)
	metric.SetName(i.metric)
	metric.SetUnit(i.unit)
	metric.SetEmptyGauge()
	require.NoError(t, attributes.FromRaw(i.attributes))
	return s.For(context.Background(), resource, scope, metric, attributes)
}

func TestConditions(t *testing.T) {
	queue := identityOf{metric: "queue.size", unit: "{item}", scope: "lib", attributes: map[string]any{"shard": int64(3)}}
	for where, want := range map[string]bool{
		``: true,
		`resource.attributes["service.name"] == "checkout" and metric.name == "queue.size"`: true,
		`resource.attributes["service.name"] == "cart"`:                                     false,
		`IsMatch(metric.name, "^queue[.]")`:                                                 true,
		`metric.unit == "{item}" and scope.name == "lib"`:                                   true,
		`instrumentation_scope.name == "other"`:                                             false,
		`metric.type == METRIC_DATA_TYPE_GAUGE`:                                             true,
		`metric.type == METRIC_DATA_TYPE_SUM`:                                               false,
		`attributes["shard"] == 3`:                                                          true,
		`datapoint.attributes["shard"] == 4`:                                                false,
		`attributes["none"] == nil`:                                                         true,
	} {
		p := queue.ask(t, compile(t, Rule{Where: where, DryRun: true}))
		assert.Equal(t, want, p != nil, where)
		if p != nil {
			assert.True(t, p.DryRun(), where)
		}
	}
	assert.Nil(t, queue.ask(t, compile(t)), "no rules")
}

// The evaluation does not modify the series.
func TestConditionsReadACopy(t *testing.T) {
	resource, metric, attributes := pcommon.NewResource(), pmetric.NewMetric(), pcommon.NewMap()
	resource.Attributes().PutStr("k", "v")
	attributes.PutStr("a", "b")
	s := compile(t, Rule{Where: `resource.attributes["k"] == "v" and attributes["a"] == "b"`})
	for range 3 {
		require.NotNil(t, s.For(context.Background(), resource, pcommon.NewInstrumentationScope(), metric, attributes))
	}
	assert.Equal(t, map[string]any{"k": "v"}, resource.Attributes().AsRaw())
	assert.Equal(t, map[string]any{"a": "b"}, attributes.AsRaw())
}

// A condition on values that change from point to point would be evaluated only once, so it is
// rejected.
func TestConditionsOverValuesAreRefused(t *testing.T) {
	for _, path := range []string{
		"value_double", "value_int", "datapoint.value_int", "time_unix_nano", "start_time", "count", "sum", "flags", "positive.offset", "quantile_values",
		"metric.description", "metric.data_points", "metric.is_monotonic", "resource.dropped_attributes_count", "cache", "scope.schema_url", "resource",
	} {
		_, err := Compile([]Rule{{Where: path + ` == "x"`}}, settings())
		require.Error(t, err, path)
		assert.Contains(t, err.Error(), path)
		assert.Contains(t, err.Error(), "does not identify a series", path)
	}
	for _, where := range []string{`Now() == attributes["t"]`, `UUID() == "x"`, `UUIDv7() == "x"`} {
		_, err := Compile([]Rule{{Where: where}}, settings())
		assert.ErrorContains(t, err, "undefined function", where)
	}
}

func TestErrorsNameThePolicyAndTheCondition(t *testing.T) {
	_, err := Compile([]Rule{{Where: `metric.name == "a"`}, {Where: `metric.name = "b"`}, {}, {Where: `nonsense.name == "c"`}}, settings())
	require.Error(t, err)
	assert.Contains(t, err.Error(), `policies::1: where: metric.name = "b": `)
	assert.Contains(t, err.Error(), `policies::3: where: nonsense.name == "c": `)
	assert.NotContains(t, err.Error(), "policies::0")
	assert.NotContains(t, err.Error(), "policies::2")
}

func TestValidateNamesEveryKey(t *testing.T) {
	good := func() Rule {
		return Rule{
			Where: `metric.name == "m"`, Direction: DirectionHigh, MinChange: 1, MinRelativeChange: .1, MinDuration: time.Minute,
			Maintenance: []Maintenance{{Cron: "0 2 * * 0", Duration: time.Hour, Zone: "Europe/Berlin"}},
		}
	}
	r := good()
	require.NoError(t, r.Validate())
	require.NoError(t, (&Rule{}).Validate())
	for want, change := range map[string]func(*Rule){
		`where: x y: `:                                               func(r *Rule) { r.Where = "x y" },
		`direction is "up", `:                                        func(r *Rule) { r.Direction = "up" },
		`min_change is -1, `:                                         func(r *Rule) { r.MinChange = -1 },
		`min_change is NaN, `:                                        func(r *Rule) { r.MinChange = math.NaN() },
		`min_relative_change is +Inf`:                                func(r *Rule) { r.MinRelativeChange = math.Inf(1) },
		`min_duration is -1s, `:                                      func(r *Rule) { r.MinDuration = -time.Second },
		`maintenance::0: duration is 0s, it must be above 0`:         func(r *Rule) { r.Maintenance[0].Duration = 0 },
		`maintenance::0: zone "Mars": `:                              func(r *Rule) { r.Maintenance[0].Zone = "Mars" },
		`maintenance::0: cron "": `:                                  func(r *Rule) { r.Maintenance[0].Cron = "" },
		`maintenance::0: cron "60 2 * * *": `:                        func(r *Rule) { r.Maintenance[0].Cron = "60 2 * * *" },
		`maintenance::0: cron "0 0 2 * * *": `:                       func(r *Rule) { r.Maintenance[0].Cron = "0 0 2 * * *" },
		`maintenance::0: cron "@daily": `:                            func(r *Rule) { r.Maintenance[0].Cron = "@daily" },
		`maintenance::0: cron "TZ=UTC": it must be`:                  func(r *Rule) { r.Maintenance[0].Cron = "TZ=UTC" },
		`maintenance::0: cron "0 0 30 2 *": the date does not exist`: func(r *Rule) { r.Maintenance[0].Cron = "0 0 30 2 *" },
		"min_change is -1, it must be a number and not below 0\nmin": func(r *Rule) { r.MinChange, r.MinDuration = -1, -1 },
	} {
		r := good()
		change(&r)
		assert.ErrorContains(t, r.Validate(), want)
	}
}

func TestKeys(t *testing.T) {
	conf := confmap.NewFromStringMap(map[string]any{
		"where": `metric.name == "m"`, "direction": "low", "min_change": 5, "min_relative_change": 0.2, "min_duration": "2m", "dry_run": true,
		"maintenance": []any{map[string]any{"cron": "0 2 * * 0", "duration": "2h", "zone": "Europe/Berlin"}},
	})
	var r Rule
	require.NoError(t, conf.Unmarshal(&r))
	assert.Equal(t, Rule{
		Where: `metric.name == "m"`, Direction: DirectionLow, MinChange: 5, MinRelativeChange: .2, MinDuration: 2 * time.Minute, DryRun: true,
		Maintenance: []Maintenance{{Cron: "0 2 * * 0", Duration: 2 * time.Hour, Zone: "Europe/Berlin"}},
	}, r)
}

// Each setting changes only its own result.
func TestKnobs(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		rule               Rule
		observed, expected float64
		why                string
	}{
		"nothing said":                {Rule{}, 11, 10, ""},
		"both, up":                    {Rule{Direction: DirectionBoth}, 11, 10, ""},
		"both, down":                  {Rule{Direction: DirectionBoth}, 9, 10, ""},
		"high, up":                    {Rule{Direction: DirectionHigh}, 11, 10, ""},
		"high, down":                  {Rule{Direction: DirectionHigh}, 9, 10, ReasonDirection},
		"high, as expected":           {Rule{Direction: DirectionHigh}, 10, 10, ""},
		"low, up":                     {Rule{Direction: DirectionLow}, 11, 10, ReasonDirection},
		"low, down":                   {Rule{Direction: DirectionLow}, 9, 10, ""},
		"absolute, just below":        {Rule{MinChange: 5}, 14.9, 10, ReasonMinChange},
		"absolute, reached":           {Rule{MinChange: 5}, 15, 10, ""},
		"absolute, down, just below":  {Rule{MinChange: 5}, 5.1, 10, ReasonMinChange},
		"absolute, down, reached":     {Rule{MinChange: 5}, 5, 10, ""},
		"relative, just below":        {Rule{MinRelativeChange: .2}, 11.9, 10, ReasonMinRelativeChange},
		"relative, reached":           {Rule{MinRelativeChange: .2}, 12, 10, ""},
		"relative, below zero":        {Rule{MinRelativeChange: .2}, -11.9, -10, ReasonMinRelativeChange},
		"relative, of nothing":        {Rule{MinRelativeChange: .2}, 1e-9, 0, ""},
		"both changes, one too small": {Rule{MinChange: 5, MinRelativeChange: .2}, 103, 100, ReasonMinChange},
		"both changes, other one":     {Rule{MinChange: 2, MinRelativeChange: .2}, 103, 100, ReasonMinRelativeChange},
		"expected is not known":       {Rule{Direction: DirectionLow, MinChange: 5, MinRelativeChange: .2}, 11, nan, ""},
		"maintenance":                 {Rule{Maintenance: []Maintenance{{Cron: "0 12 * * *", Duration: time.Hour}}}, 11, 10, ReasonMaintenance},
		"maintenance, not known":      {Rule{Maintenance: []Maintenance{{Cron: "0 12 * * *", Duration: time.Hour}}}, 11, nan, ReasonMaintenance},
		"maintenance at another time": {Rule{Maintenance: []Maintenance{{Cron: "0 13 * * *", Duration: time.Hour}}}, 11, 10, ""},
		"dry run is no matter here":   {Rule{DryRun: true, MinDuration: time.Hour}, 11, 10, ""},
	} {
		p := identityOf{}.ask(t, compile(t, c.rule))
		require.NotNil(t, p, name)
		ok, why := p.Allows(time.Date(2026, 5, 4, 12, 30, 0, 0, time.UTC).UnixNano(), c.observed, c.expected)
		assert.Equal(t, c.why, why, name)
		assert.Equal(t, c.why == "", ok, name)
		assert.Equal(t, c.rule.DryRun, p.DryRun(), name)
		assert.Equal(t, c.rule.MinDuration, p.MinDuration(), name)
	}
}

// All matching rules are combined with the strictest value of each setting, in any order.
func TestMatchingRulesCombine(t *testing.T) {
	noon := time.Date(2026, 5, 4, 12, 30, 0, 0, time.UTC)
	rules := []Rule{
		{MinChange: 1, MinDuration: time.Minute},
		{Where: `metric.name == "a"`, MinChange: 5, Direction: DirectionHigh, Maintenance: []Maintenance{{Cron: "0 12 * * *", Duration: time.Hour}}},
		{Where: `IsMatch(metric.name, "[ab]")`, MinDuration: 10 * time.Second, MinRelativeChange: .5, Maintenance: []Maintenance{{Cron: "0 14 * * *", Duration: time.Hour}}},
		{Where: `metric.name == "z"`, Direction: DirectionLow},
		{Where: `metric.name == "z"`, Direction: DirectionHigh, DryRun: true},
	}
	for range 2 {
		s := compile(t, rules...)
		allows := func(p *Policy, hours int, observed, expected float64) string {
			_, why := p.Allows(noon.Add(time.Duration(hours)*time.Hour).UnixNano(), observed, expected)
			return why
		}
		a, b, c, z := identityOf{metric: "a"}.ask(t, s), identityOf{metric: "b"}.ask(t, s), identityOf{metric: "c"}.ask(t, s), identityOf{metric: "z"}.ask(t, s)
		assert.Equal(t, ReasonMaintenance, allows(a, 0, 100, 1))
		assert.Equal(t, ReasonMaintenance, allows(a, 2, 100, 1))
		assert.Equal(t, ReasonMinChange, allows(a, 1, 5, 1))
		assert.Equal(t, ReasonMinRelativeChange, allows(a, 1, 110, 100))
		assert.Equal(t, ReasonDirection, allows(a, 1, 1, 100))
		assert.Equal(t, time.Minute, a.MinDuration())
		assert.False(t, a.DryRun())

		assert.Empty(t, allows(b, 0, 5, 1))
		assert.Equal(t, ReasonMaintenance, allows(b, 2, 5, 1))
		assert.Equal(t, ReasonMinChange, allows(b, 0, 1.9, 1))

		assert.Equal(t, ReasonMinChange, allows(c, 0, 1.9, 1))
		assert.Empty(t, allows(c, 2, 2, 1))

		assert.Equal(t, ReasonDirection, allows(z, 0, 100, 1), "one says low")
		assert.Equal(t, ReasonDirection, allows(z, 0, 1, 100), "the other one high")
		assert.True(t, z.DryRun())
		for i, j := 0, len(rules)-1; i < j; i, j = i+1, j-1 {
			rules[i], rules[j] = rules[j], rules[i]
		}
	}
}

// The number of policies depends on the combinations of rules, not on the number of series.
func TestSeriesShareTheirPolicies(t *testing.T) {
	s := compile(t, Rule{Where: `metric.name == "a"`}, Rule{Where: `attributes["n"] == 1`})
	for n := range int64(100) {
		for _, metric := range []string{"a", "b"} {
			identityOf{metric: metric, attributes: map[string]any{"n": n}}.ask(t, s)
		}
	}
	assert.Len(t, s.policies, 3)
	assert.Same(t, identityOf{metric: "a", attributes: map[string]any{"n": 7}}.ask(t, s), identityOf{metric: "a"}.ask(t, s))
}

// A condition that cannot be evaluated does not match, and is logged once.
func TestConditionThatFails(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	s, err := Compile([]Rule{{Where: `Int(attributes["list"]) > 0 and Substring(attributes["n"], 0, 5) == "hello"`}, {MinChange: 1}}, component.TelemetrySettings{Logger: zap.New(core)})
	require.NoError(t, err)
	p := identityOf{attributes: map[string]any{"list": "1", "n": "abc"}}.ask(t, s)
	require.NotNil(t, p)
	assert.Equal(t, identityOf{attributes: map[string]any{"list": "1", "n": "x"}}.ask(t, s), p)
	require.Equal(t, 1, logs.Len())
	assert.Contains(t, logs.All()[0].ContextMap()["where"], "Substring")
	assert.InDelta(t, 1, p.minChange, 0)
}

// BenchmarkAllows evaluates the points of 1,000 series every ten seconds.
func BenchmarkAllows(b *testing.B) {
	p := identityOf{}.ask(b, compile(b, Rule{
		Direction: DirectionHigh, MinChange: 1, MinRelativeChange: .1,
		Maintenance: []Maintenance{{Cron: "0 2 * * *", Duration: time.Hour, Zone: "Europe/Berlin"}, {Cron: "*/30 * * * *", Duration: time.Minute}},
	}))
	at := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC).UnixNano()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i++; i%1000 == 0 {
			at += int64(10 * time.Second)
		}
		p.Allows(at, 11, 10)
	}
}

// BenchmarkWindowLookUp looks up a time without a cached stretch.
func BenchmarkWindowLookUp(b *testing.B) {
	w, err := (&Maintenance{Cron: "30 2 * * 0", Duration: time.Hour, Zone: "Europe/Berlin"}).compile()
	require.NoError(b, err)
	begin := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		w.lookUp(begin.AddDate(0, i%120, 0).UnixNano())
	}
}
