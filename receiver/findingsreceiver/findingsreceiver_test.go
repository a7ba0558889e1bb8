// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package findingsreceiver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/receiver/findingsreceiver/internal/metadata"
)

const (
	cadence = 10  // seconds
	history = 400 // points, long enough that no model is warming up
)

// start is the first event time. Bubbles of synctest have their own clock.
var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func stamp(seconds int) pcommon.Timestamp {
	return pcommon.NewTimestampFromTime(start.Add(time.Duration(seconds) * time.Second))
}

type owner struct {
	component.Component
	engine *engine.Engine
}

func (o owner) Engine() *engine.Engine { return o.engine }

type host struct {
	extensions map[component.ID]component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

// world is an engine that watches the gauge "load" of some services.
type world struct {
	*testing.T
	*engine.Engine
	services []string
	step     int
}

func newWorld(t *testing.T, services ...string) *world {
	t.Helper()
	cfg := engine.DefaultConfig()
	cfg.FalseAlarms = engine.FalseAlarms{Count: 1e6, Per: 24 * time.Hour, MaxAlpha: 1e-6}
	w := &world{T: t, Engine: engine.New(cfg, zap.NewNop()), services: services}
	w.Tick(start)
	w.feed(history)
	return w
}

func (w *world) host() component.Host {
	return host{map[component.ID]component.Component{component.MustNewID("anomaly_engine"): owner{engine: w.Engine}}}
}

// feed sends n points of every service. Faulty services deviate by a thousand times their noise.
func (w *world) feed(n int, faulty ...string) {
	for range n {
		w.Tick(start.Add(time.Duration(w.step*cadence) * time.Second))
		md := pmetric.NewMetrics()
		for _, name := range w.services {
			rm := md.ResourceMetrics().AppendEmpty()
			rm.Resource().Attributes().PutStr("service.name", name)
			sm := rm.ScopeMetrics().AppendEmpty()
			sm.Scope().SetName("shop")
			sm.Scope().SetVersion("1.0")
			m := sm.Metrics().AppendEmpty()
			m.SetName("load")
			m.SetUnit("By")
			dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
			dp.SetTimestamp(stamp(w.step * cadence))
			dp.SetDoubleValue(100 + float64(w.step*w.step%13)/13)
			if slices.Contains(faulty, name) {
				dp.SetDoubleValue(1100)
			}
			dp.Attributes().PutStr("disk", "sda")
		}
		w.ObserveMetrics(md, engine.Output{Select: engine.SelectAnomalous, MaxSeries: 100})
		w.step++
	}
}

const (
	// shortestWindow is the number of points in the shortest window of a model, in which a past
	// fault can remain anomalous.
	shortestWindow = 8
	// quietPoints is the number of consecutive quiet points that closes an anomaly.
	quietPoints = 3
)

// closing sends points of every service until the anomaly of a service closes.
func (w *world) closing(service string) {
	w.Helper()
	quiet := 0
	for range shortestWindow - 1 + quietPoints {
		w.feed(1)
		quiet++
		if w.Series(engine.SeriesQuery{Service: service, Limit: 1})[0].Score >= 1 {
			quiet = 0
		}
		if quiet == quietPoints {
			return
		}
	}
	require.Fail(w, "the anomaly did not close in time")
}

// sink accepts metrics and logs, or rejects them with an error.
type sink struct {
	metrics consumertest.MetricsSink
	logs    consumertest.LogsSink
	mu      sync.Mutex
	refuse  error
	tries   int
}

// set makes the sink reject with err, or accept again if err is nil.
func (s *sink) set(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = err
}

// try counts a call and returns the configured error.
func (s *sink) try() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	return s.refuse
}

func (s *sink) tried() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries
}

func (s *sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *sink) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	if err := s.try(); err != nil {
		return err
	}
	return s.metrics.ConsumeMetrics(ctx, md)
}

func (s *sink) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	if err := s.try(); err != nil {
		return err
	}
	return s.logs.ConsumeLogs(ctx, ld)
}

func create(t *testing.T, signal string, s *sink, logger *zap.Logger) component.Component {
	t.Helper()
	set := receivertest.NewNopSettings(metadata.Type)
	if logger != nil {
		set.Logger = logger
	}
	var r component.Component
	var err error
	if signal == "metrics" {
		r, err = NewFactory().CreateMetrics(t.Context(), set, NewFactory().CreateDefaultConfig(), s)
	} else {
		r, err = NewFactory().CreateLogs(t.Context(), set, NewFactory().CreateDefaultConfig(), s)
	}
	require.NoError(t, err)
	return r
}

// run starts a receiver in a bubble, where time advances when all goroutines wait.
func run(t *testing.T, signal string, w *world, f func(s *sink, r component.Component)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		r := create(t, signal, s, nil)
		require.NoError(t, r.Start(t.Context(), w.host()))
		f(s, r)
		require.NoError(t, r.Shutdown(t.Context()))
	})
}

// pass advances the time by d.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func pointsOf(m pmetric.Metric) pmetric.NumberDataPointSlice {
	if m.Type() == pmetric.MetricTypeSum {
		return m.Sum().DataPoints()
	}
	return m.Gauge().DataPoints()
}

// gauges returns the data points of a batch as text.
func gauges(md pmetric.Metrics) (lines []string) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				points := pointsOf(m)
				for _, dp := range points.All() {
					v := fmt.Sprintf("%.4g", dp.DoubleValue())
					switch {
					case dp.Flags().NoRecordedValue():
						v = "ends"
					case dp.ValueType() == pmetric.NumberDataPointValueTypeInt:
						v = strconv.FormatInt(dp.IntValue(), 10)
					}
					lines = append(lines, fmt.Sprintf("%v %s %s%v%s %s", rm.Resource().Attributes().AsRaw(), sm.Scope().Name(), m.Name(), dp.Attributes().AsRaw(), m.Unit(), v))
				}
			}
		}
	}
	return lines
}

func TestGauges(t *testing.T) {
	w := newWorld(t, "cart", "payment")
	run(t, "metrics", w, func(s *sink, _ component.Component) {
		pass(15*time.Second - 1)
		assert.Empty(t, s.metrics.AllMetrics())
		pass(1)
		require.Len(t, s.metrics.AllMetrics(), 1)
		md := s.metrics.AllMetrics()[0]
		assert.Equal(t, 12, md.DataPointCount())
		for _, rm := range md.ResourceMetrics().All() {
			for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
				assert.Equal(t, stamp((history-1)*cadence), pointsOf(m).At(0).Timestamp(), "the service's watermark, not the clock")
			}
		}
		pass(time.Minute)
		assert.Len(t, s.metrics.AllMetrics(), 1, "nothing new came in")

		w.feed(1, "payment")
		pass(15 * time.Second)
		require.Len(t, s.metrics.AllMetrics(), 2)
		lines := gauges(s.metrics.AllMetrics()[1])
		require.Len(t, lines, 12)
		assert.Regexp(t, `^map\[service.name:cart\] github.com/auspex-otel/auspex anomaly.max_score\S+ 0`, lines[0])
		assert.Equal(t, "map[service.name:cart] github.com/auspex-otel/auspex anomaly.openmap[] 0", lines[1])
		assert.Equal(t, "map[service.name:cart] github.com/auspex-otel/auspex anomaly.ratemap[] 0", lines[2])
		score := s.metrics.AllMetrics()[1].ResourceMetrics().At(1).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0)
		assert.Greater(t, score.DoubleValue(), 1.0)
		assert.Equal(t, "map[service.name:payment] github.com/auspex-otel/auspex anomaly.openmap[] 1", lines[7])
		assert.Equal(t, "map[service.name:payment] github.com/auspex-otel/auspex anomaly.ratemap[] 1", lines[8])
		assert.Equal(t, "map[service.name:payment] github.com/auspex-otel/auspex incident.openmap[] 1", lines[9])
		assert.Equal(t, "map[service.name:payment] github.com/auspex-otel/auspex incident.durationmap[]s 0", lines[10])
		assert.Equal(t, "map[service.name:payment] github.com/auspex-otel/auspex anomaly.countmap[] 1", lines[11])
		assert.Equal(t, "map[service.name:cart] github.com/auspex-otel/auspex anomaly.countmap[] 0", lines[5])
	})
}

func TestEvents(t *testing.T) {
	w := newWorld(t, "cart", "payment")
	run(t, "logs", w, func(s *sink, _ component.Component) {
		pass(10 * time.Second)
		assert.Empty(t, s.logs.AllLogs())
		w.feed(1, "payment")
		pass(time.Second)
		require.Len(t, s.logs.AllLogs(), 1)
		ld := s.logs.AllLogs()[0]
		require.Equal(t, 1, ld.ResourceLogs().Len())
		rl := ld.ResourceLogs().At(0)
		assert.Equal(t, map[string]any{"service.name": "payment"}, rl.Resource().Attributes().AsRaw())
		assert.Equal(t, "github.com/auspex-otel/auspex", rl.ScopeLogs().At(0).Scope().Name())
		records := rl.ScopeLogs().At(0).LogRecords()
		require.Equal(t, 2, records.Len())
		anomaly, incident := records.At(0), records.At(1)
		assert.Equal(t, "auspex.anomaly", anomaly.EventName())
		assert.Equal(t, stamp(history*cadence), anomaly.Timestamp())
		assert.Equal(t, plog.SeverityNumberWarn, anomaly.SeverityNumber())
		assert.Contains(t, anomaly.Body().Str(), "payment load is 1.07 KiB, usually 0.09")
		got := anomaly.Attributes().AsRaw()
		for k, want := range map[string]any{
			"anomaly.state": "open", "anomaly.metric": "load", "anomaly.statistic": "value", "anomaly.unit": "By", "anomaly.kind": "high",
			"anomaly.observed": 1100.0, "disk": "sda", "anomaly.opened": start.Add(history * cadence * time.Second).Format(time.RFC3339Nano),
		} {
			assert.Equal(t, want, got[k], k)
		}
		assert.NotContains(t, got, "anomaly.closed")
		assert.Len(t, got["anomaly.id"], 16)
		assert.Equal(t, "auspex.incident", incident.EventName())
		inc := incident.Attributes().AsRaw()
		assert.Equal(t, got["incident.id"], inc["incident.id"])
		assert.Equal(t, "payment", inc["incident.suspect"])
		assert.Equal(t, []any{"payment"}, inc["incident.suspects"])
		assert.Equal(t, int64(1), inc["incident.anomalies"])
		assert.Equal(t, "open", inc["incident.state"])

		w.closing("payment") // the same ids
		pass(time.Second)
		require.Len(t, s.logs.AllLogs(), 2)
		closed := s.logs.AllLogs()[1].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		assert.Equal(t, plog.SeverityNumberInfo, closed.SeverityNumber())
		after := closed.Attributes().AsRaw()
		assert.Equal(t, got["anomaly.id"], after["anomaly.id"])
		assert.Equal(t, "closed", after["anomaly.state"])
		assert.Equal(t, start.Add(time.Duration((w.step-1)*cadence)*time.Second).Format(time.RFC3339Nano), after["anomaly.closed"])
		pass(time.Minute)
		assert.Len(t, s.logs.AllLogs(), 2, "once is enough")
	})
}

// Findings that the pipeline rejects are kept and sent again in their newest form. One log
// message reports it.
func TestRefusedFindingsAreKept(t *testing.T) {
	for _, signal := range []string{"metrics", "logs"} {
		t.Run(signal, func(t *testing.T) {
			w := newWorld(t, "cart")
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(zap.ErrorLevel)
				s := &sink{refuse: errors.New("backend is down")}
				r := create(t, signal, s, zap.New(core))
				require.NoError(t, r.Start(t.Context(), w.host()))
				w.feed(1, "cart")
				pass(2 * time.Minute)
				assert.Greater(t, s.tried(), 5)
				require.Equal(t, 1, logs.Len(), "not once a try")
				assert.Contains(t, logs.All()[0].Message, "kept and sent again")
				assert.Equal(t, "backend is down", logs.All()[0].ContextMap()["error"])
				w.closing("cart")
				s.set(nil)
				pass(15 * time.Second)
				if signal == "metrics" {
					require.Len(t, s.metrics.AllMetrics(), 1)
					m := s.metrics.AllMetrics()[0].ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
					assert.Greater(t, m.At(0).Gauge().DataPoints().At(0).DoubleValue(), 1.0, "the greatest score in all that time")
					assert.Equal(t, int64(0), m.At(1).Gauge().DataPoints().At(0).IntValue())
				} else {
					require.Len(t, s.logs.AllLogs(), 1)
					assert.Equal(t, 2, s.logs.LogRecordCount(), "one anomaly, one incident")
					state, _ := s.logs.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().Get("anomaly.state")
					assert.Equal(t, "closed", state.Str(), "the newer update replaced the older")
				}
				s.set(errors.New("down again"))
				w.feed(100)
				w.feed(1, "cart")
				pass(time.Minute)
				assert.Equal(t, 2, logs.Len(), "a second failure is said again")
				require.NoError(t, r.Shutdown(t.Context()))
			})
		})
	}
}

// The companions of a series that stops are ended just after its last point.
func TestStaleMarkers(t *testing.T) {
	w := newWorld(t, "cart")
	w.feed(2, "cart")
	last := (w.step - 1) * cadence
	w.Tick(start.Add(time.Duration(last)*time.Second + 6*time.Minute))
	run(t, "metrics", w, func(s *sink, _ component.Component) {
		pass(15 * time.Second)
		require.Len(t, s.metrics.AllMetrics(), 1)
		md := s.metrics.AllMetrics()[0]
		require.Equal(t, 2, md.ResourceMetrics().Len(), "the service, the series")
		rm := md.ResourceMetrics().At(1)
		assert.Equal(t, map[string]any{"service.name": "cart"}, rm.Resource().Attributes().AsRaw())
		assert.Equal(t, "shop", rm.ScopeMetrics().At(0).Scope().Name())
		assert.Equal(t, "1.0", rm.ScopeMetrics().At(0).Scope().Version())
		var names []string
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			names = append(names, m.Name())
			dp := m.Gauge().DataPoints().At(0)
			assert.True(t, dp.Flags().NoRecordedValue())
			assert.Equal(t, stamp(last)+1_000_000, dp.Timestamp())
			assert.Equal(t, map[string]any{
				"disk": "sda", "anomaly.metric": "load", "anomaly.statistic": "value", "anomaly.unit": "By",
			}, dp.Attributes().AsRaw(), "the same attributes, or it ends nothing")
		}
		assert.Equal(t, []string{"anomaly.score", "anomaly.observed", "anomaly.expected", "anomaly.lower", "anomaly.upper"}, names)
		pass(time.Minute)
		assert.Len(t, s.metrics.AllMetrics(), 1)
	})
}

// A shared exporter may have stopped before the receiver does.
func TestShutdownSendsNothing(t *testing.T) {
	for _, signal := range []string{"metrics", "logs"} {
		w := newWorld(t, "cart")
		run(t, signal, w, func(s *sink, r component.Component) {
			w.feed(1, "cart")
			require.NoError(t, r.Shutdown(t.Context()))
			assert.Zero(t, s.tried())
		})
		assert.Equal(t, 2, w.Status().PendingFindings, "they remain in the engine's state")
	}
}

// The engine closes its outlet before any component stops. After that nothing is sent.
func TestNothingIsSentWhenTheOutletIsClosed(t *testing.T) {
	for _, signal := range []string{"metrics", "logs"} {
		w := newWorld(t, "cart")
		run(t, signal, w, func(s *sink, _ component.Component) {
			require.True(t, w.Outlet().Close(0))
			w.feed(1, "cart")
			pass(time.Minute)
			assert.Zero(t, s.tried())
		})
	}
}

func TestShutdownWithoutStart(t *testing.T) {
	for _, signal := range []string{"metrics", "logs"} {
		r := create(t, signal, &sink{}, nil)
		require.NoError(t, r.Shutdown(t.Context()))
	}
}

func TestShutdownTwice(t *testing.T) {
	w := newWorld(t, "cart")
	r := create(t, "logs", &sink{}, nil)
	require.NoError(t, r.Start(t.Context(), w.host()))
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Shutdown(t.Context()))
}

func TestSecondReceiverIsAnErrorAtStart(t *testing.T) {
	w := newWorld(t, "cart")
	for _, signal := range []string{"metrics", "logs"} {
		one, two := create(t, signal, &sink{}, nil), create(t, signal, &sink{}, nil)
		require.NoError(t, one.Start(t.Context(), w.host()))
		err := two.Start(t.Context(), w.host())
		require.ErrorContains(t, err, "findings of signal "+signal+": another findings receiver already takes them")
		require.NoError(t, two.Shutdown(t.Context()))

		third := create(t, signal, &sink{}, nil)
		require.Error(t, third.Start(t.Context(), w.host()), "shutting the refused one down gives nothing free")
		require.NoError(t, one.Shutdown(t.Context()))
		require.NoError(t, third.Start(t.Context(), w.host()), "the next one may, as after a reload")
		require.NoError(t, third.Shutdown(t.Context()))
	}
}

func TestSeveralEnginesAreAnErrorAtStart(t *testing.T) {
	a, b := newWorld(t), newWorld(t)
	h := host{map[component.ID]component.Component{
		component.MustNewIDWithName("x", "a"): owner{engine: a.Engine}, component.MustNewIDWithName("x", "b"): owner{engine: b.Engine},
	}}
	r := create(t, "logs", &sink{}, nil)
	require.ErrorContains(t, r.Start(t.Context(), h), "several anomaly engines")
	require.NoError(t, r.Shutdown(t.Context()))
}

func TestWithoutAnEngineExtension(t *testing.T) {
	r := create(t, "metrics", &sink{}, nil)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, r.Shutdown(t.Context()))
}

// The collector's own telemetry counts accepted and rejected data of receivers.
func TestReceiverTelemetry(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	w := newWorld(t, "cart")
	w.feed(1, "cart")
	synctest.Test(t, func(t *testing.T) {
		set := receivertest.NewNopSettings(metadata.Type)
		set.TelemetrySettings = telemetry.NewTelemetrySettings()
		s := &sink{refuse: errors.New("no")}
		r, err := NewFactory().CreateLogs(t.Context(), set, NewFactory().CreateDefaultConfig(), s)
		require.NoError(t, err)
		require.NoError(t, r.Start(t.Context(), w.host()))
		pass(time.Second)
		s.set(nil)
		pass(time.Second)
		require.NoError(t, r.Shutdown(t.Context()))
	})
	for _, name := range []string{"otelcol_receiver_accepted_log_records", "otelcol_receiver_refused_log_records"} {
		m, err := telemetry.GetMetric(name)
		require.NoError(t, err)
		assert.Contains(t, fmt.Sprintf("%+v", m.Data), "Value:2", name)
	}
	require.NoError(t, telemetry.Shutdown(t.Context()))
}
