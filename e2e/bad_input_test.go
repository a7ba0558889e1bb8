// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// TestDeadBackend verifies that failures of an unreachable backend are counted and returned to the sender, and that
// all other senders are served.
func TestDeadBackend(t *testing.T) {
	p := peertest.StartPrometheus(t, peertest.PrometheusOptions{})
	c := peertest.StartCollector(t, peertest.CollectorOptions{Config: config(t, "two_backends.yaml"), Env: []string{
		"REMOTE_WRITE=" + p.WriteURL(), "DEAD=" + peertest.FreeAddresses(t, 1)[0],
	}})
	run, start := newRun(), time.Now().UTC().Truncate(time.Second).Add(-time.Minute)
	living := newApp(t, plan{name: "living", resource: onHost("living", "a"), temporality: metricdata.CumulativeTemporality}, run, 1, start)
	dead := newApp(t, plan{name: "dead", resource: onHost("dead", "a"), temporality: metricdata.CumulativeTemporality}, run, 2, start)
	toLiving, toDead := newExporter(t, c.OTLP), newExporter(t, c.OTLP2)
	const steps = 4
	for i := range steps {
		at := start.Add(time.Duration(i+1) * time.Second)
		living.step(t, at, 0)
		dead.step(t, at, 0)
		assert.Error(t, dead.export(toDead), "points that the dead backend did not accept must not be acknowledged")
		require.NoError(t, living.export(toLiving))
	}
	a := ask(t, p, "living", fmt.Sprintf(`%s{e2e_run="%s"}[5m]`, queueName, run), start.Add(time.Minute))
	require.Len(t, a.Series, 1)
	assert.Equal(t, living.sent[queueName], a.Series[0].Samples)

	failed := ownMetric(t, c, "otelcol_exporter_send_failed_metric_points", `exporter="prometheus_remote_write/dead"`)
	assert.Equal(t, float64(2*steps), failed, "points that the dead backend did not accept")
	assert.Zero(t, ownMetric(t, c, "otelcol_exporter_send_failed_metric_points", `exporter="prometheus_remote_write/living"`))
	c.WaitHealthy()
	t.Logf("the dead backend: %v points counted as failed; the other one has all %d", failed, len(a.Series[0].Samples))
}

// ownMetric sums one metric of the collector's own telemetry, with or without a suffix, over the series that have the
// label.
func ownMetric(t *testing.T, c *peertest.Collector, name, label string) (sum float64) {
	t.Helper()
	res, err := http.Get("http://" + c.Metrics + "/metrics")
	require.NoError(t, err)
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if line := lines.Text(); strings.HasPrefix(line, name) && strings.Contains(line, label) {
			v, err := strconv.ParseFloat(line[strings.LastIndex(line, " ")+1:], 64)
			require.NoError(t, err)
			sum += v
		}
	}
	require.NoError(t, lines.Err())
	return sum
}

// TestBadPoints sends one series unchanged and a twin with unusable points in between. It verifies that both get the
// same verdicts on every usable point.
func TestBadPoints(t *testing.T) {
	c := peertest.StartCollector(t, peertest.CollectorOptions{Config: config(t, "engine.yaml")})
	api := console{c.Console}
	conn, err := grpc.NewClient(c.OTLP, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	client := pmetricotlp.NewGRPCClient(conn)
	random := rand.New(rand.NewPCG(1, 1))
	start := time.Now().Truncate(time.Second).Add(-time.Hour)
	const steps, compared = 400, 60
	bad := map[string]uint64{}
	for i := range steps {
		at, v := start.Add(time.Duration(i)*time.Second), 50+3*random.NormFloat64()
		if i == steps-compared/2 {
			v += 40 // unusual, but valid
		}
		points := badAround(i, at, v, bad)
		points = append([]badPoint{{"clean", at, v}, {"dirty", at, v}}, points...)
		_, err := client.Export(context.Background(), pmetricotlp.NewExportRequestFromMetrics(batchOf(points)))
		require.NoError(t, err)
		if i >= steps-compared {
			compareTwins(t, api, i)
		}
	}
	status := api.mustStatus(t)
	assert.Equal(t, uint64(2*steps), status.Points)
	assert.Equal(t, bad, status.Refused)
	assert.Equal(t, 2, status.Series)
	t.Logf("%d good points judged; refused %v; the last %d verdicts of both series are equal", status.Points, status.Refused, compared)
}

type badPoint struct {
	series string
	at     time.Time
	v      float64
}

// badAround returns unusable points to send with the usable point of a step, and counts them by the reason of
// rejection.
func badAround(i int, at time.Time, v float64, reasons map[string]uint64) (points []badPoint) {
	add := func(reason string, at time.Time, v float64) {
		points = append(points, badPoint{"dirty", at, v})
		reasons[reason]++
	}
	between := at.Add(300 * time.Millisecond)
	switch i % 5 {
	case 0:
		add("not_finite", between, math.NaN())
	case 1:
		add("not_finite", between, math.Inf(1))
		add("not_finite", between, math.Inf(-1))
	case 2:
		add("out_of_order", at.Add(-1500*time.Millisecond), 1e9)
	case 3:
		add("duplicate", at, v)
		add("duplicate", at, -1e9)
	}
	return points
}

// batchOf returns a request with the points in the given order.
func batchOf(points []badPoint) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "twins")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(loadMetric)
	dps := m.SetEmptyGauge().DataPoints()
	for _, p := range points {
		dp := dps.AppendEmpty()
		dp.SetTimestamp(pcommon.NewTimestampFromTime(p.at))
		dp.SetDoubleValue(p.v)
		dp.Attributes().PutStr("series", p.series)
	}
	return md
}

// compareTwins verifies that the latest verdicts of both series are equal.
func compareTwins(t *testing.T, api console, step int) {
	t.Helper()
	views, err := api.series("twins", loadMetric)
	require.NoError(t, err)
	require.Len(t, views, 2)
	for i := range views {
		views[i].ID, views[i].Attributes = "", nil
	}
	require.NotNil(t, views[0].Expected)
	require.Equal(t, views[0], views[1], "verdicts after step %d", step)
}
