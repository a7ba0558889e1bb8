// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/dashboards/grafana"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/peertest"
)

// figures holds the expected result of a query, by the value of one label. If the label is "", the result is one
// number.
type figures struct {
	label  string
	values map[string]float64
	// or holds values that are also correct.
	or map[string]float64
}

func one(v float64) figures { return figures{values: map[string]float64{"": v}} }

// checkDashboard runs every query of every dashboard. It compares the result with the sent points, the verdicts in
// Prometheus, and the console.
func (l *line) checkDashboard(t *testing.T) {
	t.Helper()
	l.awaitGauges(t)
	now := time.Now()
	selections := []map[string]string{
		{"service": broken, "metric": queueMetric, "statistic": "value"},
		{"service": "checkout", "metric": queueMetric, "statistic": "value"},
		{"service": "host-e", "metric": ordersMetric, "statistic": "rate"},
		{"service": "payment", "metric": durationMetric, "statistic": "p95"},
	}
	asked := map[string]bool{}
	for _, variables := range selections {
		variables["__range"] = "3h"
		want := l.expected(t, variables)
		for _, q := range grafana.Queries() {
			f, ok := want[q.ID]
			require.True(t, ok, "query %s has no expected value: add one here", q.ID)
			file := fmt.Sprintf("dashboard/%s/%s", variables["service"], q.ID)
			got := values(ask(t, l.prometheus, file, q.Expand(variables), now), f.label)
			for label, v := range f.or {
				if got[label] == v {
					f.values[label] = v
				}
			}
			assert.Equal(t, f.values, got, "query %s: %s", q.ID, q.Expand(variables))
			asked[q.ID] = true
		}
		assert.Len(t, want, len(grafana.Queries()), "an expected value without a query")
	}
	t.Logf("%d queries of the dashboard answer as expected", len(asked))
}

// values returns the last value of every series of an answer, by the value of a label.
func values(a peertest.Answer, label string) map[string]float64 {
	m := map[string]float64{}
	for _, s := range a.Series {
		m[s.Labels[label]] = s.Samples[len(s.Samples)-1].Value
	}
	return m
}

// awaitGauges waits until the gauges of every service describe its last point, and until the collector's own metrics
// were scraped after it.
func (l *line) awaitGauges(t *testing.T) {
	t.Helper()
	peertest.Eventually(t, 10*time.Second, "the gauges of all services", func() error {
		a, err := l.prometheus.Query(t.Context(), "timestamp(anomaly_max_score)", time.Now())
		if err != nil {
			return err
		}
		at := values(a, "service_name")
		for _, app := range l.apps {
			if at[app.name] != float64(l.end.Unix()) {
				return fmt.Errorf("the gauge of %s has the time %v, its last point %v", app.name, at[app.name], l.end.Unix())
			}
		}
		return nil
	})
	points := float64(l.console.mustStatus(t).Points)
	peertest.Eventually(t, 20*time.Second, "a scrape of the collector's own metrics", func() error {
		a, err := l.prometheus.Query(t.Context(), `{__name__=~"otelcol_extension_anomaly_engine_points.*"}`, time.Now())
		if err == nil && values(a, "")[""] != points {
			err = fmt.Errorf("the scraped number of points is %v, in the console %v", values(a, ""), points)
		}
		return err
	})
}

// expected returns the expected result of each query, from independent sources.
func (l *line) expected(t *testing.T, variables map[string]string) map[string]figures {
	t.Helper()
	status := l.console.mustStatus(t)
	anomalies, err := l.console.openAnomalies()
	require.NoError(t, err)
	open := map[string]float64{}
	for _, app := range l.apps {
		open[app.name] = 0
	}
	for _, a := range anomalies {
		open[a.Service]++
	}
	assert.Positive(t, open[broken], "the anomaly of the broken series is open")
	refused := map[string]float64{}
	for reason, n := range status.Refused {
		refused[reason] = float64(n)
	}
	alphas := map[string]float64{}
	for signal, spent := range status.Signals {
		alphas[signal.String()] = spent.Alpha
	}
	s := l.scores(t)
	want := map[string]figures{
		"worst-services":     {label: "service_name", values: s.worst},
		"open-now":           one(float64(len(anomalies))),
		"open-by-service":    {label: "service_name", values: open},
		"score-by-service":   {label: "service_name", values: s.latest, or: s.sharing},
		"rate-by-service":    {label: "service_name", values: s.rate},
		"own-alpha":          {label: "signal", values: alphas},
		"own-series":         one(float64(status.Series)),
		"own-points":         one(float64(status.Points)),
		"own-anomalies":      one(float64(status.AnomaliesOpened)),
		"own-refused":        {label: "reason", values: refused},
		"variable-service":   {label: "service_name", values: ones(s.worst)},
		"variable-metric":    {label: "anomaly_metric", values: s.metrics[variables["service"]]},
		"variable-statistic": {label: "anomaly_statistic", values: s.statistics[variables["service"]+variables["metric"]]},
	}
	l.expectSeries(t, want, s, variables)
	return want
}

// ones returns 1 for each key. Each service has one gauge.
func ones(m map[string]float64) map[string]float64 {
	n := map[string]float64{}
	for k := range m {
		n[k] = 1
	}
	return n
}

// scores summarizes the verdicts of the series in Prometheus.
type scores struct {
	worst, latest, rate map[string]float64 // by service
	// sharing is latest, and also includes the points at the time of the gauges before the last ones: one of a
	// service's two hosts may have sent its point of that time after them.
	sharing    map[string]float64
	metrics    map[string]map[string]float64 // series by metric, by service
	statistics map[string]map[string]float64 // series by statistic, by service and metric
	raw        []peertest.Series
}

func (l *line) scores(t *testing.T) scores {
	t.Helper()
	s := scores{
		worst: map[string]float64{}, latest: map[string]float64{}, rate: map[string]float64{}, sharing: map[string]float64{},
		metrics: map[string]map[string]float64{}, statistics: map[string]map[string]float64{},
	}
	s.raw = ask(t, l.prometheus, "dashboard/scores", fmt.Sprintf(`anomaly_score{e2e_run="%s"}[4h]`, l.run), l.end).Series
	reported := map[string]time.Time{} // time of the gauges before the last ones
	for _, g := range ask(t, l.prometheus, "dashboard/max_score", `anomaly_max_score[4h]`, l.end).Series {
		if n := len(g.Samples); n > 1 {
			reported[g.Labels["service_name"]] = g.Samples[n-2].Time
		}
	}
	total := map[string]float64{}
	for _, one := range s.raw {
		service := serviceOf(one)
		total[service]++
		s.worst[service] += 0
		s.latest[service] += 0
		for _, sample := range one.Samples {
			s.worst[service] = max(s.worst[service], sample.Value)
			if sample.Time.After(reported[service]) {
				s.latest[service] = max(s.latest[service], sample.Value)
			}
			if !sample.Time.Before(reported[service]) {
				s.sharing[service] = max(s.sharing[service], sample.Value)
			}
		}
		s.rate[service] += 0
		if one.Samples[len(one.Samples)-1].Value > 1 {
			s.rate[service]++
		}
		count(s.metrics, service, one.Labels["anomaly_metric"])
		count(s.statistics, service+one.Labels["anomaly_metric"], one.Labels["anomaly_statistic"])
	}
	for service := range s.rate {
		s.rate[service] /= total[service]
	}
	return s
}

func count(m map[string]map[string]float64, a, b string) {
	if m[a] == nil {
		m[a] = map[string]float64{}
	}
	m[a][b]++
}

// serviceOf returns the service of a series: that of its resource, otherwise its host.
func serviceOf(s peertest.Series) string {
	if name := s.Labels["service_name"]; name != "" {
		return name
	}
	return s.Labels["host_name"]
}

// expectSeries adds the expected results of the panels of the selected series: the series with the highest score
// according to the console, and all scores.
func (l *line) expectSeries(t *testing.T, want map[string]figures, s scores, variables map[string]string) {
	t.Helper()
	views, err := l.console.series(variables["service"], variables["metric"])
	require.NoError(t, err)
	all := map[string]float64{}
	var worst peertest.Sample // the last sample of the series with the highest score
	highest := -1.0
	for _, one := range s.raw {
		if serviceOf(one) != variables["service"] || one.Labels["anomaly_metric"] != variables["metric"] || one.Labels["anomaly_statistic"] != variables["statistic"] {
			continue
		}
		last := one.Samples[len(one.Samples)-1]
		all[one.Labels["host_name"]] = last.Value
		for _, sample := range one.Samples {
			if sample.Value > highest {
				highest, worst = sample.Value, last
			}
		}
	}
	require.NotEmpty(t, all)
	view := viewOf(t, views, variables["statistic"], worst)
	require.NotNil(t, view.Expected)
	want["series-scores"] = figures{label: "host_name", values: all}
	want["series-observed"] = one(view.Observed)
	want["series-expected"] = one(*view.Expected)
	want["series-lower"] = one(*view.Lower)
	want["series-upper"] = one(*view.Upper)
}

// viewOf returns the console's view of a series by its last verdict, because the view does not contain the host.
func viewOf(t *testing.T, views []engine.SeriesView, statistic string, last peertest.Sample) engine.SeriesView {
	t.Helper()
	for _, v := range views {
		if v.Statistic == statistic && v.Score == last.Value && v.Time.Equal(last.Time) {
			return v
		}
	}
	require.Fail(t, "the console does not list the series", "%s with the score %v at %v: %v", statistic, last.Value, last.Time, views)
	return engine.SeriesView{}
}
