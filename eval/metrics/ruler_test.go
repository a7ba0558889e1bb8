// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// ruler is an engine with predictable results: its score is the value divided by its limit, every point at or above
// the limit opens an anomaly, and each anomaly is reported at two steps.
type ruler struct {
	mute
	limit       float64
	opened      uint64
	told, again []*incident.Anomaly
}

func (r *ruler) ObserveMetrics(md pmetric.Metrics, _ engine.Output) (verdicts []engine.Verdict) {
	for i, rm := range md.ResourceMetrics().All() {
		service, _ := rm.Resource().Attributes().Get(vocabulary.ServiceName)
		for j, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			for k, dp := range m.Gauge().DataPoints().All() {
				verdicts = append(verdicts, engine.Verdict{Resource: i, Metric: j, Point: k, Score: dp.DoubleValue() / r.limit})
				if dp.DoubleValue() < r.limit {
					continue
				}
				n, _ := dp.Attributes().Get("n")
				r.opened++
				r.told = append(r.told, &incident.Anomaly{
					ID:      strconv.FormatUint(r.opened, 10),
					Subject: incident.Subject{Service: service.Str(), Metric: m.Name(), Attributes: map[string]string{"n": n.AsString()}},
				})
			}
		}
	}
	return verdicts
}

func (r *ruler) PendingEvents() engine.Events {
	ev := engine.Events{Anomalies: append(r.again, r.told...)}
	r.again, r.told = r.told, nil
	return ev
}

func (r *ruler) Status() engine.Status { return engine.Status{AnomaliesOpened: r.opened, Evicted: 3} }

func ruled(limit float64) product {
	return product{engine: func(engine.Config) watcher { return &ruler{limit: limit} }}
}

func TestFaultIsMeasured(t *testing.T) {
	r := quiet(nil)
	r.product = ruled(100)
	delays, scores := r.fault(1, 60, 3) // noise about 50, then 110
	assert.Equal(t, make([]int, faultSeries), delays)
	for _, s := range scores {
		assert.InDelta(t, 1.1, s, 0.06)
	}
	delays, scores = r.fault(1, 40, 3)
	assert.Empty(t, delays)
	assert.InDelta(t, 0.9, median(scores), 0.06)
}

func TestAlarmsAreMeasured(t *testing.T) {
	days := 0
	c := alarmRun{series: 16, seed: 1}.measure(ruled(165), 8, func() { days++ }) // above the range of the season and its noise, except for the log-normal
	assert.Equal(t, 8, days)
	assert.Zero(t, c.miscounted)
	for k, f := range families {
		if f.name != "log-normal" && f.name != "weekly season" && f.name != "t3" {
			assert.Zero(t, c.first[k]+sum(c.later[k]), f.name)
			continue
		}
		assert.Len(t, c.later[k], 1)
	}
	// P(20·exp(z) > 165) = P(z > 2.11) = .0174, of 2 series with 288 points a day
	assert.InDelta(t, 0.0174*2*7*288, c.first[3], 25)
	assert.InDelta(t, 0.0174*2*288, sum(c.later[3]), 10)
}

func TestClockChangeIsMeasured(t *testing.T) {
	var out bytes.Buffer
	r := quiet(&out)
	r.quick = true
	r.engine = func(cfg engine.Config) watcher {
		if cfg.TimeZone == changePlace {
			return mute{}
		}
		return &ruler{limit: -1} // every point of ten series opens
	}
	require.NoError(t, r.clockChange())
	aWeek := 10 * 7 * stepsADay
	assert.Regexp(t, fmt.Sprintf(`(?m)^UTC +%d\.0 +%d +%d +%d +20\.2$`, aWeek, aWeek, aWeek, aWeek), out.String())
	assert.Regexp(t, `(?m)^Europe/Berlin +0\.0 +0 +0 +0 +20\.2$`, out.String())
}

func TestNewSeriesAreMeasured(t *testing.T) {
	var out bytes.Buffer
	r := quiet(&out)
	r.quick, r.product = true, ruled(-1)
	require.NoError(t, r.newSeries())
	assert.Regexp(t, `(?m)^10 +288 +2880 +0 +2\.9 +3$`, out.String())
	assert.Regexp(t, `(?m)^100 +200 +20000 +2000 +3\.5 +3$`, out.String())
	assert.Regexp(t, `(?m)^1000 +200 +200000 +22000 +3\.5 +3$`, out.String())
	assert.NotContains(t, out.String(), "ns/point")
}

func TestMedian(t *testing.T) {
	assert.Equal(t, 2, median([]int{3, 1, 2}))
	assert.Equal(t, 2.5, median([]float64{4, 2.5, 3, 1}))
}
