// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// The run covers event time that ends approximately now: a history that warms the models, then a live period in which
// one series shifts.
const (
	cadence      = 2 * time.Second
	historySteps = 2400 // 80 minutes
	liveSteps    = 45
	shiftAt      = liveSteps - 3 // steps into the live period: too late for quiet points to close the anomaly
	shiftBy      = 60            // 12 σ
	stepsASend   = 60
)

var plans = []plan{
	// The first two differ only in host.name.
	{name: "checkout", resource: onHost("checkout", "host-a"), temporality: metricdata.CumulativeTemporality},
	{name: "checkout", resource: onHost("checkout", "host-b"), temporality: metricdata.CumulativeTemporality},
	{name: "payment", resource: onHost("payment", "host-c"), temporality: metricdata.DeltaTemporality, histogram: true},
	{name: broken, resource: onHost(broken, "host-d"), temporality: metricdata.CumulativeTemporality, histogram: true},
	{name: "host-e", resource: []attribute.KeyValue{attribute.String("host.name", "host-e")}, temporality: metricdata.DeltaTemporality},
}

// broken is the service whose queueMetric shifts.
const broken = "stock"

func onHost(service, host string) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String("service.name", service), attribute.String("host.name", host)}
}

// line is the complete path: apps, the shipped gateway, and a real Prometheus.
type line struct {
	run        string
	apps       []*app
	exporter   sdkmetric.Exporter
	collector  *peertest.Collector
	console    console
	prometheus *peertest.Prometheus
	shift, end time.Time // times of the first shifted point and of the last point
}

func startLine(t *testing.T) *line {
	t.Helper()
	l := &line{run: newRun()}
	l.collector = peertest.NewCollector(t, peertest.CollectorOptions{
		Base: "auspex:gateway", Config: config(t, "gateway_overlay.yaml"), Env: []string{
			"AUSPEX_OTLP_GRPC=$E2E_OTLP", "AUSPEX_OTLP_HTTP=$E2E_OTLP2", "AUSPEX_CONSOLE=$E2E_CONSOLE",
			"AUSPEX_HEALTH=$E2E_HEALTH", "AUSPEX_METRICS=$E2E_METRICS_PORT", "AUSPEX_STATE_DIR=$E2E_STATE",
		},
	})
	// The history is more than an hour older than the scraped samples, which are current.
	l.prometheus = peertest.StartPrometheus(t, peertest.PrometheusOptions{OutOfOrder: 4 * time.Hour, Scrape: []string{l.collector.Metrics}})
	l.collector.Setenv("AUSPEX_REMOTE_WRITE", l.prometheus.WriteURL())
	l.collector.Start()
	l.console, l.exporter = console{l.collector.Console}, newExporter(t, l.collector.OTLP)
	start := time.Now().UTC().Truncate(cadence).Add(-(historySteps + liveSteps) * cadence)
	s := seed(t, 1)
	for i, p := range plans {
		l.apps = append(l.apps, newApp(t, p, l.run, s*100+uint64(i), start))
	}
	l.shift, l.end = start.Add((historySteps+shiftAt+1)*cadence), start.Add((historySteps+liveSteps)*cadence)
	return l
}

// send runs a number of steps of all apps and exports after the given number of steps. It returns the first
// rejection.
func (l *line) send(t *testing.T, from, to, every int) error {
	t.Helper()
	for i := from; i < to; i++ {
		for _, a := range l.apps {
			at := a.start.Add(time.Duration(i+1) * cadence)
			a.step(t, at, l.shiftOf(a, at))
		}
		if (i+1-from)%every != 0 && i+1 != to {
			continue
		}
		for _, a := range l.apps {
			if err := a.export(l.exporter); err != nil {
				return fmt.Errorf("the collector rejected the points of %s up to %v: %w", a.name, a.last, err)
			}
		}
	}
	return nil
}

// shiftOf returns the amount that is added to an app's queue at a time.
func (l *line) shiftOf(a *app, at time.Time) float64 {
	if a.name != broken || at.Before(l.shift) {
		return 0
	}
	return shiftBy
}

// TestPrometheus sends points with the id of this run. It verifies that Prometheus has them and their scores.
func TestPrometheus(t *testing.T) {
	l := startLine(t)
	t.Logf("run %s: %d apps, %d points each, the shift is at %v", l.run, len(l.apps), historySteps+liveSteps, l.shift)
	began := time.Now()
	refused := l.send(t, 0, historySteps, stepsASend)
	if os.Getenv("AUSPEX_E2E_STOP_PROMETHEUS") == "1" {
		t.Log("AUSPEX_E2E_STOP_PROMETHEUS=1: Prometheus stops now, so this test must fail")
		l.prometheus.Stop()
	}
	if refused == nil {
		refused = l.send(t, historySteps, historySteps+liveSteps, 1)
	}
	assert.NoError(t, refused)
	t.Logf("sent in %v", time.Since(began).Round(time.Millisecond))

	var missing []string
	for _, a := range l.apps {
		for _, name := range slices.Sorted(maps.Keys(a.sent)) {
			if what := l.compare(t, a, name); what != "" {
				missing = append(missing, what)
			}
		}
	}
	if len(missing) > 0 {
		require.FailNow(t, "samples of run "+l.run+" are missing in Prometheus, or differ", strings.Join(missing, "\n"))
	}
	l.checkHosts(t)
	l.checkScores(t)
}

// labels returns the labels of an app's series in Prometheus.
func (l *line) labels(a *app) map[string]string {
	labels := map[string]string{"e2e_run": l.run, "service_name": "", "host_name": ""}
	for _, kv := range a.resource {
		switch kv.Key {
		case "service.name":
			labels["service_name"] = kv.Value.AsString()
		case "host.name":
			labels["host_name"] = kv.Value.AsString()
		}
	}
	return labels
}

// compare compares the samples that an app sent under one name with Prometheus. It describes missing or different
// ones.
func (l *line) compare(t *testing.T, a *app, name string) string {
	t.Helper()
	want := a.sent[name]
	who := fmt.Sprintf("%s of %s on %s", name, a.name, l.labels(a)["host_name"])
	got, err := l.prometheus.Query(t.Context(), fmt.Sprintf(`%s{e2e_run="%s"}[4h]`, name, l.run), l.end)
	keep(t, name+".json", got.Raw)
	if err != nil {
		return fmt.Sprintf("%s: all %d samples: %v", who, len(want), err)
	}
	s, err := labeled(got, l.labels(a))
	if err != nil {
		return fmt.Sprintf("%s: all %d samples: %v", who, len(want), err)
	}
	have := map[int64]float64{}
	for _, sample := range s.Samples {
		have[sample.Time.UnixMilli()] = sample.Value
	}
	wrong, first := 0, ""
	for _, w := range want {
		v, ok := have[w.Time.UnixMilli()]
		if ok && same(v, w.Value) {
			continue
		}
		if wrong++; wrong == 1 {
			first = fmt.Sprintf("the sample at %v has the value %v; present in Prometheus: %t, value %v", w.Time, w.Value, ok, v)
		}
	}
	if wrong > 0 || len(s.Samples) != len(want) {
		return fmt.Sprintf("%s: %d of %d samples; Prometheus has %d. The first: %s", who, wrong, len(want), len(s.Samples), first)
	}
	return ""
}

// same compares with a tolerance for sums that were computed in a different order.
func same(a, b float64) bool { return a == b || math.Abs(a-b) <= 1e-12*math.Abs(b) }

// checkHosts verifies that two resources that differ only in host.name are two series.
func (l *line) checkHosts(t *testing.T) {
	t.Helper()
	a := ask(t, l.prometheus, "two_hosts", fmt.Sprintf(`count by (host_name) (%s{e2e_run="%s",service_name="checkout"})`, queueName, l.run), l.end)
	hosts := map[string]float64{}
	for _, s := range a.Series {
		hosts[s.Labels["host_name"]] = s.Samples[0].Value
	}
	assert.Equal(t, map[string]float64{"host-a": 1, "host-b": 1}, hosts)
}

// checkScores verifies that the broken series scores above 1 within its three points, and that no other series does
// while it is broken.
func (l *line) checkScores(t *testing.T) {
	t.Helper()
	a := ask(t, l.prometheus, "scores", fmt.Sprintf(`anomaly_score{e2e_run="%s"}[4h]`, l.run), l.end)
	series := len(plans)*2 + 2*5
	require.Len(t, a.Series, series, "with select: all every series has a score")
	before, untouched := 0.0, 0.0
	for _, s := range a.Series {
		isBroken := s.Labels["service_name"] == broken && s.Labels["anomaly_metric"] == queueMetric
		var opened time.Time
		for _, sample := range s.Samples {
			switch {
			case sample.Time.Before(l.shift):
				before = max(before, sample.Value)
			case !isBroken:
				untouched = max(untouched, sample.Value)
				assert.Less(t, sample.Value, 1.0, "%v at %v: the test did not change this series", s.Labels, sample.Time)
			case sample.Value > 1 && opened.IsZero():
				opened = sample.Time
			}
		}
		if !isBroken {
			continue
		}
		if assert.False(t, opened.IsZero(), "the broken series never scores above 1: %v", s.Samples[len(s.Samples)-liveSteps:]) {
			t.Logf("the broken series scores above 1 %v after its shift", opened.Sub(l.shift))
		}
	}
	t.Logf("greatest score of an untouched series: %.2f in the live stretch; of any series before: %.2f", untouched, before)
	l.checkObserved(t)
}

// checkObserved verifies that a companion series has the sent values.
func (l *line) checkObserved(t *testing.T) {
	t.Helper()
	for _, app := range l.apps {
		labels := l.labels(app)
		a := ask(t, l.prometheus, "observed_"+labels["host_name"], fmt.Sprintf(
			`anomaly_observed{e2e_run="%s",host_name="%s",anomaly_metric="%s"}[%ds]`, l.run, labels["host_name"], queueMetric, int(liveSteps*cadence/time.Second)), l.end)
		s, err := labeled(a, labels)
		require.NoError(t, err)
		want := app.sent[queueName]
		assert.Equal(t, want[len(want)-len(s.Samples):], s.Samples, "observed of %s", labels["host_name"])
		assert.Len(t, s.Samples, liveSteps)
		assert.Equal(t, "{item}", s.Labels["anomaly_unit"])
	}
}
