// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/exporter/prometheusremotewriteexporter"
	"github.com/auspex-otel/auspex/internal/deadletter"
)

const (
	batches = 60
	hosts   = 2
)

// messages returns the versions of remote write to test. With -short it returns only the default.
func messages() map[string]string {
	m := map[string]string{"1.0": "prometheus.WriteRequest"}
	if !testing.Short() {
		m["2.0"] = "io.prometheus.write.v2.Request"
	}
	return m
}

// host provides the extensions that an exporter may request.
type host struct {
	extensions map[component.ID]component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func startExporter(t *testing.T, h component.Host, settings map[string]any) exporter.Metrics {
	t.Helper()
	factory := prometheusremotewriteexporter.NewFactory()
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(settings).Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	set := exportertest.NewNopSettings(factory.Type())
	set.ID = component.NewID(factory.Type())
	e, err := factory.CreateMetrics(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), h))
	return e
}

func settings(endpoint, message string, more map[string]any) map[string]any {
	s := map[string]any{
		"endpoint": endpoint + "/api/v1/write", "protobuf_message": message,
		"resource_to_telemetry_conversion": map[string]any{"enabled": true},
		"target_info":                      map[string]any{"enabled": false},
		"retry_on_failure":                 map[string]any{"initial_interval": "20ms", "max_interval": "200ms"},
	}
	maps.Copy(s, more)
	return s
}

// batch returns one export of an SDK on each of two hosts, with every kind of metric at one time. The values identify
// host and time. It adds the expected samples to want.
func batch(at time.Time, n int, prefix string, want found) pmetric.Metrics {
	md := pmetric.NewMetrics()
	ms := at.UnixMilli()
	for h := range hosts {
		name := fmt.Sprintf("host-%d", h)
		value := float64(1000*h + n)
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", "shop")
		rm.Resource().Attributes().PutStr("host.name", name)
		metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
		expect := func(metric string, v float64, labels ...string) {
			l := map[string]string{"__name__": prefix + metric, "job": "shop", "service_name": "shop", "host_name": name}
			for i := 0; i+1 < len(labels); i += 2 {
				l[labels[i]] = labels[i+1]
			}
			key := seriesName(l)
			if want[key] == nil {
				want[key] = map[int64]float64{}
			}
			want[key][ms] = v
		}
		fill(metrics, pcommon.NewTimestampFromTime(at), prefix, value)
		expect("load", value)
		expect("requests_total", value)
		expect("latency_seconds_count", 3*value)
		expect("latency_seconds_sum", value/2)
		expect("latency_seconds_bucket", value, "le", "0.1")
		expect("latency_seconds_bucket", 3*value, "le", "+Inf")
		expect("size", 2*value)
	}
	return md
}

// ended converts all points to stale markers.
func ended(md pmetric.Metrics) pmetric.Metrics {
	flag := pmetric.DefaultDataPointFlags.WithNoRecordedValue(true)
	for _, rm := range md.ResourceMetrics().All() {
		metrics := rm.ScopeMetrics().At(0).Metrics()
		metrics.At(0).Gauge().DataPoints().At(0).SetFlags(flag)
		metrics.At(1).Sum().DataPoints().At(0).SetFlags(flag)
		metrics.At(2).Histogram().DataPoints().At(0).SetFlags(flag)
		metrics.At(3).ExponentialHistogram().DataPoints().At(0).SetFlags(flag)
	}
	return md
}

func fill(metrics pmetric.MetricSlice, ts pcommon.Timestamp, prefix string, value float64) {
	m := metrics.AppendEmpty()
	m.SetName(prefix + "load")
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(ts)
	dp.SetDoubleValue(value)

	m = metrics.AppendEmpty()
	m.SetName(prefix + "requests")
	m.SetEmptySum().SetIsMonotonic(true)
	m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	dp = m.Sum().DataPoints().AppendEmpty()
	dp.SetTimestamp(ts)
	dp.SetIntValue(int64(value))

	m = metrics.AppendEmpty()
	m.SetName(prefix + "latency")
	m.SetUnit("s")
	m.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	h := m.Histogram().DataPoints().AppendEmpty()
	h.SetTimestamp(ts)
	h.ExplicitBounds().FromRaw([]float64{0.1})
	h.BucketCounts().FromRaw([]uint64{uint64(value), 2 * uint64(value)})
	h.SetCount(3 * uint64(value))
	h.SetSum(value / 2)

	m = metrics.AppendEmpty()
	m.SetName(prefix + "size")
	m.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	x := m.ExponentialHistogram().DataPoints().AppendEmpty()
	x.SetTimestamp(ts)
	x.SetScale(3)
	x.Positive().BucketCounts().FromRaw([]uint64{uint64(value), uint64(value)})
	x.SetCount(2 * uint64(value))
	x.SetSum(value)
}

// begin returns a time that is far enough in the past for all batches, which are one second apart.
func begin() time.Time { return time.Now().Add(-10 * time.Minute).Truncate(time.Second) }

func TestEveryKindIsFound(t *testing.T) {
	for name, message := range messages() {
		t.Run(name, func(t *testing.T) {
			p := startPrometheus(t, 0)
			e := startExporter(t, componenttest.NewNopHost(), settings(p.url, message, nil))
			start, want := begin(), found{}
			for n := range batches {
				require.NoError(t, e.ConsumeMetrics(t.Context(), batch(start.Add(time.Duration(n)*time.Second), n, "", want)))
			}
			got := p.all()
			assert.Equal(t, want, got)
			end := start.Add(batches * time.Second)
			assert.Len(t, p.now(end), len(want))
			require.NoError(t, e.ConsumeMetrics(t.Context(), ended(batch(end, batches, "", found{}))))
			require.NoError(t, e.Shutdown(t.Context()))
			assert.Empty(t, p.now(end), "stale markers end all series")
			t.Logf("sent %d samples in %d series, found %d in %d", want.samples(), len(want), got.samples(), len(got))
		})
	}
}

// TestFaultsLoseNothingButTheDeadLetter injects one 429, one 503, 400 for a while, and one sample that Prometheus
// itself rejects. It verifies that every sample that is not in Prometheus is in a dead letter.
func TestFaultsLoseNothingButTheDeadLetter(t *testing.T) {
	for name, message := range messages() {
		t.Run(name, func(t *testing.T) {
			p := startPrometheus(t, 0)
			front := startProxy(t, p.url)
			dir := t.TempDir()
			e := startExporter(t, componenttest.NewNopHost(), settings(front.URL, message, map[string]any{
				"dead_letter": map[string]any{"directory": dir}, "max_batch_size_bytes": 1000,
			}))
			start, want, refused := begin(), found{}, found{}
			for n := range batches {
				at := start.Add(time.Duration(n) * time.Second)
				md := batch(at, n, "", want)
				switch n {
				case 10:
					front.once.Store(http.StatusTooManyRequests)
				case 20:
					front.once.Store(http.StatusServiceUnavailable)
				case 30:
					front.fault.Store(http.StatusBadRequest)
					require.NoError(t, e.ConsumeMetrics(t.Context(), batch(at, n, "cursed_", refused)))
					front.fault.Store(0)
				case 40: // A sample that is older than the existing ones.
					old := batch(start, n, "", found{})
					old.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().RemoveIf(func(m pmetric.Metric) bool { return m.Name() != "load" })
					old.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool {
						name, _ := rm.Resource().Attributes().Get("host.name")
						return name.Str() != "host-0"
					})
					batch(at, n, "late_", want).ResourceMetrics().MoveAndAppendTo(old.ResourceMetrics())
					require.NoError(t, e.ConsumeMetrics(t.Context(), old))
				}
				require.NoError(t, e.ConsumeMetrics(t.Context(), md))
			}
			require.NoError(t, e.Shutdown(t.Context()))
			assert.Equal(t, want, p.all())

			samples, again := replay(t, dir, p.url)
			assert.Equal(t, refused.samples()+1, samples, "samples that the proxy rejected, and one that Prometheus rejected")
			assert.Equal(t, 1, again, "samples that Prometheus rejects again")
			maps.Copy(want, refused)
			got := p.all()
			assert.Equal(t, want, got)
			t.Logf("%d requests for %d samples, %d samples in dead letters, %d found after their replay",
				front.asked.Load(), want.samples(), samples, got.samples())
		})
	}
}

// replay sends dead letters as README.md describes, unless to is empty. It returns the number of samples in them, and
// the number of letters that are rejected again.
func replay(t *testing.T, dir, to string) (samples, refused int) {
	t.Helper()
	_, err := deadletter.Read(dir, func(l deadletter.Letter) error {
		samples += l.Items
		if to == "" {
			return nil
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to+"/api/v1/write", bytes.NewReader(l.Payload))
		require.NoError(t, err)
		req.Header.Set("Content-Encoding", l.Attributes["content_encoding"])
		req.Header.Set("Content-Type", l.Attributes["content_type"])
		req.Header.Set("X-Prometheus-Remote-Write-Version", l.Attributes["version"])
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		if res.StatusCode/100 != 2 {
			refused++
		}
		return res.Body.Close()
	})
	require.NoError(t, err)
	return samples, refused
}

// TestQueueOnDiskOutlivesTheCollector verifies that the next start writes what was acknowledged with a queue on disk.
// The core appends the batch that was in flight to the end of its queue, and likewise a batch that it accepts during
// shutdown. These arrive out of order, so a server that accepts no late samples rejects them.
func TestQueueOnDiskOutlivesTheCollector(t *testing.T) {
	for name, window := range map[string]time.Duration{"in order only": 0, "with a window": 30 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			for name, message := range messages() {
				t.Run(name, func(t *testing.T) {
					letters := t.TempDir()
					want, got := restart(t, message, letters, window)
					inLetters, _ := replay(t, letters, "")
					t.Logf("%d samples acknowledged, %d found, %d in dead letters", want.samples(), got.samples(), inLetters)
					if window > 0 {
						assert.Equal(t, want, got)
						assert.Zero(t, inLetters)
						return
					}
					assert.Equal(t, want.samples(), got.samples()+inLetters)
					assert.LessOrEqual(t, inLetters, 2*want.samples()/batches, "batches in flight")
				})
			}
		})
	}
}

// restart fills a queue while Prometheus is down and restarts both. It returns the acknowledged and the written
// samples.
func restart(t *testing.T, message, letters string, window time.Duration) (want, got found) {
	t.Helper()
	p := startPrometheus(t, window)
	p.Stop()
	dir, storage := t.TempDir(), component.MustNewID("file_storage")
	run := func() (exporter.Metrics, func()) {
		ext := startStorage(t, dir)
		e := startExporter(t, host{map[component.ID]component.Component{storage: ext}}, settings(p.url, message, map[string]any{
			"sending_queue": map[string]any{"storage": "file_storage"}, "dead_letter": map[string]any{"directory": letters},
		}))
		return e, func() {
			require.NoError(t, e.Shutdown(t.Context()))
			require.NoError(t, ext.Shutdown(t.Context()))
		}
	}
	start := begin()
	want = found{}
	e, stop := run()
	for n := range batches {
		require.NoError(t, e.ConsumeMetrics(t.Context(), batch(start.Add(time.Duration(n)*time.Second), n, "", want)))
	}
	stop()
	p.start()
	require.Empty(t, p.all())
	_, stop = run()
	require.Eventually(t, func() bool {
		got = p.all()
		inLetters, _ := replay(t, letters, "")
		return got.samples()+inLetters >= want.samples()
	}, 20*time.Second, 100*time.Millisecond)
	stop()
	return want, got
}

// startStorage starts the extension file_storage in a folder.
func startStorage(t *testing.T, dir string) extension.Extension {
	t.Helper()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"directory": dir, "fsync": true}).Unmarshal(cfg))
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(context.WithoutCancel(t.Context()), componenttest.NewNopHost()))
	return ext
}
