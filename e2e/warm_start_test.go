// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// Two weeks of points at intervals of five minutes. Prometheus has them before the collector starts.
const (
	pastCadence = 5 * time.Minute
	pastSteps   = 14 * 24 * 12
	resetEvery  = 1000 // steps after which an app restarts

	queueNoise, ordersNoise = 3.0, 60.0
)

// pastBounds holds the bounds of the histogram.
var pastBounds = []float64{.02, .04, .06, .08, .1, .12, .14, .16, .2, .4, 1}

// veteran is an app with two weeks of history.
type veteran struct {
	service string
	// labels holds the labels of its series in Prometheus, besides job, instance, and the id of the run.
	labels string
	// wrong reports whether the first live point is anomalous.
	wrong bool
	// copies maps values of the label replica to a function that reports the missing steps.
	copies map[string]func(step int) bool

	random        *rand.Rand
	orders, count float64
	sum           float64
	buckets       []float64 // cumulative; the last one has the total
}

// converted returns the labels that resource_to_telemetry_conversion adds, besides those of the scope.
func converted(service string) string {
	return fmt.Sprintf(`,otel_scope_name="e2e",service_name="%s",service_instance_id="i-1",host_name="host-1"`, service)
}

func veterans() []*veteran {
	list := []*veteran{
		{service: "converted", labels: converted("converted")},
		{service: "converted-wrong", labels: converted("converted-wrong"), wrong: true},
		{service: "plain", labels: `,otel_scope_name="e2e"`},
		{service: "plain-wrong", labels: `,otel_scope_name="e2e"`, wrong: true},
		{service: "scraped"},
		{service: "twice", labels: converted("twice"), copies: map[string]func(int) bool{
			"a": func(step int) bool { return step/100%2 == 0 && step < pastSteps-50 }, "b": func(step int) bool { return step/100%3 == 0 },
		}},
	}
	for i, v := range list {
		v.random, v.buckets = rand.New(rand.NewPCG(uint64(i), 3)), make([]float64, len(pastBounds)+1)
		if v.copies == nil {
			v.copies = map[string]func(int) bool{"": func(int) bool { return false }}
		}
	}
	return list
}

// season returns a daily cycle.
func season(at time.Time) float64 {
	return math.Sin(2 * math.Pi * float64(at.Unix()%86400) / 86400)
}

// queue returns the value of the gauge at a time without noise.
func (v *veteran) queue(at time.Time) float64 { return 100 + 40*season(at) }

// step advances the app by five minutes. With noise 0 the step is exactly as expected. times multiplies durations and
// counts.
func (v *veteran) step(at time.Time, noise, times float64) {
	v.orders += math.Round(times * (3000 + 1000*season(at) + ordersNoise*noise*v.random.NormFloat64()))
	n, middle := math.Round(2000+50*noise*v.random.NormFloat64()), .1+.002*noise*v.random.NormFloat64()
	for i := range v.buckets {
		// Share of a normal distribution of durations below the bound.
		share := 1.0
		if i < len(pastBounds) {
			share = 0.5 * math.Erfc(-(pastBounds[i]/times-middle)/.03/math.Sqrt2)
		}
		v.buckets[i] += math.Round(n * share)
	}
	v.count += n
	v.sum += times * n * middle
}

// restart resets the counts.
func (v *veteran) restart() {
	v.orders, v.count, v.sum = 0, 0, 0
	clear(v.buckets)
}

// writeHistory writes the history of the apps in the OpenMetrics format.
func writeHistory(t *testing.T, run string, all []*veteran, end time.Time) string {
	t.Helper()
	families := map[string]*strings.Builder{queueMetric: {}, ordersMetric: {}, durationMetric: {}}
	for _, v := range all {
		for step := range pastSteps {
			at := end.Add(time.Duration(step-pastSteps+1) * pastCadence)
			if step%resetEvery == resetEvery-1 {
				v.restart()
			}
			v.step(at, 1, 1)
			queue := v.queue(at) + queueNoise*v.random.NormFloat64()
			for name, missing := range v.copies {
				if missing(step) {
					continue
				}
				labels := fmt.Sprintf(`job="%s",instance="i-1",e2e_run="%s"%s`, v.service, run, v.labels)
				if name != "" {
					labels += fmt.Sprintf(`,replica="%s"`, name)
				}
				stamp := float64(at.UnixMilli()) / 1000
				fmt.Fprintf(families[queueMetric], "%s{%s} %v %.3f\n", queueName, labels, queue, stamp)
				fmt.Fprintf(families[ordersMetric], "%s{%s} %v %.3f\n", ordersName, labels, v.orders, stamp)
				for i, n := range v.buckets {
					le := "+Inf"
					if i < len(pastBounds) {
						le = fmt.Sprint(pastBounds[i])
					}
					fmt.Fprintf(families[durationMetric], "e2e_request_duration_seconds_bucket{%s,le=\"%s\"} %v %.3f\n", labels, le, n, stamp)
				}
				fmt.Fprintf(families[durationMetric], "%s{%s} %v %.3f\n%s{%s} %v %.3f\n", countName, labels, v.count, stamp, sumName, labels, v.sum, stamp)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "history.om")
	f, err := os.Create(file)
	require.NoError(t, err)
	defer f.Close()
	w := bufio.NewWriter(f)
	fmt.Fprintf(w, "# TYPE %s gauge\n%s", queueName, families[queueMetric])
	fmt.Fprintf(w, "# TYPE %s counter\n%s", strings.TrimSuffix(ordersName, "_total"), families[ordersMetric])
	fmt.Fprintf(w, "# TYPE e2e_request_duration_seconds histogram\n%s# EOF\n", families[durationMetric])
	require.NoError(t, w.Flush())
	return file
}

// live adds the app's next reading.
func (v *veteran) live(md pmetric.Metrics, run string, at time.Time) {
	times := 1.0
	if v.wrong {
		times = 10
	}
	v.step(at, 0, times)
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", v.service)
	rm.Resource().Attributes().PutStr("service.instance.id", "i-1")
	rm.Resource().Attributes().PutStr("host.name", "host-1")
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("e2e")
	named := func(name, unit string) pmetric.Metric {
		m := sm.Metrics().AppendEmpty()
		m.SetName(name)
		m.SetUnit(unit)
		return m
	}
	number := func(dp pmetric.NumberDataPoint, value float64) {
		dp.SetTimestamp(pcommon.NewTimestampFromTime(at))
		dp.SetDoubleValue(value)
		dp.Attributes().PutStr(runAttribute, run)
	}
	number(named(queueMetric, "{item}").SetEmptyGauge().DataPoints().AppendEmpty(), times*v.queue(at))
	orders := named(ordersMetric, "{order}").SetEmptySum()
	orders.SetIsMonotonic(true)
	orders.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	number(orders.DataPoints().AppendEmpty(), v.orders)
	durations := named(durationMetric, "s").SetEmptyHistogram()
	durations.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	dp := durations.DataPoints().AppendEmpty()
	dp.SetTimestamp(pcommon.NewTimestampFromTime(at))
	dp.Attributes().PutStr(runAttribute, run)
	dp.SetCount(uint64(v.count))
	dp.SetSum(v.sum)
	dp.ExplicitBounds().FromRaw(pastBounds)
	before := 0.0
	for _, n := range v.buckets {
		dp.BucketCounts().Append(uint64(n - before))
		before = n
	}
}

// sendMetrics sends one request.
func sendMetrics(t *testing.T, endpoint string, md pmetric.Metrics) {
	t.Helper()
	conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err = pmetricotlp.NewGRPCClient(conn).Export(ctx, pmetricotlp.NewExportRequestFromMetrics(md))
	require.NoError(t, err)
}

// TestWarmStart verifies that, with two weeks of history in Prometheus, the first live point of every series has an
// interval that contains it, and that an anomalous one scores above 1.
func TestWarmStart(t *testing.T) {
	run, now, apps := newRun(), time.Now().UTC().Truncate(time.Second), veterans()
	end := now.Add(-pastCadence)
	p := peertest.StartPrometheus(t, peertest.PrometheusOptions{History: writeHistory(t, run, apps, end)})
	c := peertest.NewCollector(t, peertest.CollectorOptions{Config: config(t, "warm_start.yaml"), Env: []string{"PROMETHEUS=" + p.URL(), "HISTORY=" + p.URL()}})
	if os.Getenv("AUSPEX_E2E_STOP_PROMETHEUS") == "1" {
		t.Log("AUSPEX_E2E_STOP_PROMETHEUS=1: there is no history to read, so this test must fail")
		c.Setenv("HISTORY", "http://"+peertest.FreeAddresses(t, 1)[0])
	}
	began := time.Now()
	c.Start()
	t.Logf("run %s: the collector started in %v with %d points of each of %d apps in Prometheus", run, time.Since(began).Round(time.Millisecond), pastSteps, len(apps))
	md := pmetric.NewMetrics()
	for _, v := range apps {
		v.live(md, run, now)
	}
	sendMetrics(t, c.OTLP, md)
	checkFirstPoints(t, p, run, apps, now)

	// The collector does not read the history again of series that are in its state.
	api := console{c.Console}
	status := api.mustStatus(t)
	assert.Equal(t, 7*len(apps), status.Series)
	assert.Equal(t, uint64(7*len(apps)), status.Points, "history is not counted among what was judged")
	c.Stop()
	assert.Contains(t, c.Log(), "warm start: done")
	before := len(c.Log())
	c.Start()
	log := c.Log()[before:]
	assert.Regexp(t, `warm start: done.*"of": 0`, log)
	assert.Equal(t, status.Series, api.mustStatus(t).Series)
}

// checkFirstPoints compares all verdicts on the first points in Prometheus.
func checkFirstPoints(t *testing.T, p *peertest.Prometheus, run string, apps []*veteran, now time.Time) {
	t.Helper()
	values := map[string]map[string]float64{} // by companion name and series
	for _, name := range []string{"score", "observed", "expected", "lower", "upper"} {
		values[name] = map[string]float64{}
		for _, s := range ask(t, p, name, fmt.Sprintf(`anomaly_%s{e2e_run="%s"}[1m]`, name, run), now).Series {
			require.Len(t, s.Samples, 1)
			values[name][s.Labels["service_name"]+" "+s.Labels["anomaly_metric"]+" "+s.Labels["anomaly_statistic"]] = s.Samples[0].Value
		}
	}
	// Noise of each statistic, where it is known. 99 % of a normal distribution span 5.15 standard deviations.
	noise := map[string]float64{
		queueMetric + " value": queueNoise, ordersMetric + " rate": ordersNoise / pastCadence.Seconds(), durationMetric + " rate": 50 / pastCadence.Seconds(),
		durationMetric + " mean": .002, durationMetric + " p50": 0, durationMetric + " p95": 0, durationMetric + " p99": 0,
	}
	for _, v := range apps {
		for _, statistic := range slices.Sorted(maps.Keys(noise)) {
			id := v.service + " " + statistic
			score, there := values["score"][id]
			if !assert.True(t, there, "%s: the first point has no verdict", id) {
				continue
			}
			observed, lower, upper := values["observed"][id], values["lower"][id], values["upper"][id]
			t.Logf("%-50s score %5.2f, observed %9.4g in [%.4g, %.4g]", id, score, observed, lower, upper)
			// The number of requests is unchanged, so their rate is not anomalous.
			if v.wrong && statistic != durationMetric+" rate" {
				assert.GreaterOrEqual(t, score, 1.0, "%s", id)
				continue
			}
			assert.Less(t, score, 1.0, "%s", id)
			assert.Less(t, lower, observed, "%s", id)
			assert.Greater(t, upper, observed, "%s", id)
			if width := 5.15 * noise[statistic]; width > 0 {
				assert.InDelta(t, 0, math.Log2((upper-lower)/width), 1, "%s: the interval is half to twice as wide as that of the noise", id)
			}
		}
	}
	// The exporter extends the existing series.
	for _, name := range []string{queueName, ordersName, countName} {
		a := ask(t, p, name, fmt.Sprintf(`%s{e2e_run="%s",job="converted"}[20m]`, name, run), now)
		require.Len(t, a.Series, 1, "%s: the history and the live point are one series", name)
		latest := slices.MaxFunc(a.Series[0].Samples, func(x, y peertest.Sample) int { return cmp.Compare(x.Time.Unix(), y.Time.Unix()) })
		assert.Equal(t, now, latest.Time)
		assert.GreaterOrEqual(t, len(a.Series[0].Samples), 3)
	}
}

// TestColdStart verifies that a collector starts without its history and logs this.
func TestColdStart(t *testing.T) {
	p := peertest.StartPrometheus(t, peertest.PrometheusOptions{})
	unreachable := "http://" + peertest.FreeAddresses(t, 1)[0]
	c := peertest.StartCollector(t, peertest.CollectorOptions{Config: config(t, "warm_start.yaml"), Env: []string{"PROMETHEUS=" + p.URL(), "HISTORY=" + unreachable}})
	assert.Regexp(t, `all series start cold.*`+unreachable, c.Log())
	run, now, md := newRun(), time.Now(), pmetric.NewMetrics()
	v := veterans()[0]
	v.live(md, run, now)
	sendMetrics(t, c.OTLP, md)
	api := console{c.Console}
	assert.Equal(t, 7, api.mustStatus(t).Warming)
	sent := ask(t, p, queueName, fmt.Sprintf(`%s{e2e_run="%s"}`, queueName, run), now)
	assert.Len(t, sent.Series, 1, "series that pass the collector")
	scores := ask(t, p, "score", fmt.Sprintf(`anomaly_score{e2e_run="%s"}`, run), now)
	assert.Empty(t, scores.Series)
}
