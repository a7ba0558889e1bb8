// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package warmup

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/engine"
)

var end = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// fake is a Prometheus with gauges that produces faults. It has one sample per minute.
type fake struct {
	names []string
	// fault may handle a request, and reports whether it did. n counts the requests of that path.
	fault func(w http.ResponseWriter, r *http.Request, n int) bool

	mu       sync.Mutex
	requests map[string]int
	windows  []time.Duration
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests[r.URL.Path]++
	n := f.requests[r.URL.Path]
	f.mu.Unlock()
	if f.fault != nil && f.fault(w, r, n) {
		return
	}
	switch r.URL.Path {
	case "/api/v1/series":
		var list []string
		for _, name := range f.names {
			list = append(list, fmt.Sprintf(`{"__name__":%q,"job":"cart"}`, name))
		}
		fmt.Fprintf(w, `{"status":"success","data":[%s]}`, strings.Join(list, ","))
	case "/api/v1/query":
		f.query(w, r)
	}
}

func (f *fake) query(w http.ResponseWriter, r *http.Request) {
	selector, window, _ := strings.Cut(r.FormValue("query"), "[")
	width, _ := time.ParseDuration(strings.TrimSuffix(window, "]"))
	seconds, _ := strconv.ParseFloat(r.FormValue("time"), 64)
	to := int64(seconds)
	f.mu.Lock()
	f.windows = append(f.windows, width)
	f.mu.Unlock()
	var list []string
	for _, name := range f.names {
		if !strings.Contains(selector, name) {
			continue
		}
		var samples []string
		for t := to - int64(width.Seconds()); t <= to; t++ {
			if t%60 == 0 && t > to-int64(width.Seconds()) {
				samples = append(samples, fmt.Sprintf(`[%d,"%d"]`, t, 100+t/60*t%17))
			}
		}
		list = append(list, fmt.Sprintf(`{"metric":{"__name__":%q,"job":"cart"},"values":[%s]}`, name, strings.Join(samples, ",")))
	}
	fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[%s]}}`, strings.Join(list, ","))
}

func newFake(fault func(http.ResponseWriter, *http.Request, int) bool) *fake {
	return &fake{names: []string{"load"}, fault: fault, requests: map[string]int{}}
}

// load loads the history of a server into an engine.
func load(t *testing.T, f http.Handler, change ...func(*Config)) (*engine.Engine, Result, error) {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	cfg := DefaultConfig()
	cfg.Prometheus.Client.Endpoint, cfg.Prometheus.RequestsPerSecond, cfg.Lookback = server.URL, 1000, 24*time.Hour
	for _, c := range change {
		c(&cfg)
	}
	require.NoError(t, confmap.Validate(&cfg))
	e := engine.New(engine.DefaultConfig(), zap.NewNop())
	e.Tick(end)
	r, err := Load(t.Context(), &cfg, componenttest.NewNopHost(), componenttest.NewNopTelemetrySettings(), e, 1000, end)
	return e, r, err
}

// first sends the first live point and returns its verdicts.
func first(e *engine.Engine, name string) []engine.Verdict {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "cart")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(name)
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(pcommon.NewTimestampFromTime(end.Add(time.Minute)))
	dp.SetDoubleValue(108)
	return e.ObserveMetrics(md, engine.Output{Select: engine.SelectAll})
}

func TestFirstPointHasAnInterval(t *testing.T) {
	f := newFake(nil)
	e, r, err := load(t, f)
	require.NoError(t, err)
	assert.Equal(t, Result{Listed: 1, Read: 1, Series: 1, Samples: 24 * 60, Requests: 2}, r)
	v := first(e, "load")
	require.Len(t, v, 1)
	assert.Less(t, v[0].Lower, 108.0)
	assert.Greater(t, v[0].Upper, 108.0)
	assert.Equal(t, uint64(1), e.Warmed())
	assert.Empty(t, first(e, "other"))
}

// A transient fault costs a few requests and has no other effect.
func TestFaultsThatPass(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(w http.ResponseWriter, r *http.Request, n int) bool{
		"500": func(w http.ResponseWriter, _ *http.Request, n int) bool {
			if n <= 2 {
				http.Error(w, "out of order", http.StatusInternalServerError)
			}
			return n <= 2
		},
		"429": func(w http.ResponseWriter, _ *http.Request, n int) bool {
			if n == 1 {
				http.Error(w, "slow down", http.StatusTooManyRequests)
			}
			return n == 1
		},
		"truncated": func(w http.ResponseWriter, _ *http.Request, n int) bool {
			if n == 1 {
				fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"load","job":"cart"},"values":[[1777895940,"1"],[17778`)
			}
			return n == 1
		},
		"connection lost": func(_ http.ResponseWriter, _ *http.Request, n int) bool {
			if n == 1 {
				panic(http.ErrAbortHandler)
			}
			return false
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(fault)
			e, r, err := load(t, f)
			require.NoError(t, err)
			assert.Equal(t, 1, r.Read)
			assert.Greater(t, r.Requests, int64(2))
			assert.Len(t, first(e, "load"), 1)
		})
	}
}

func TestFaultsThatStay(t *testing.T) {
	t.Parallel()
	query := func(answer func(http.ResponseWriter)) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.URL.Path != "/api/v1/query" {
				return false
			}
			answer(w)
			return true
		}
	}
	for name, c := range map[string]struct {
		fault    func(http.ResponseWriter, *http.Request, int) bool
		want     string
		requests int64
	}{
		"401": {func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			http.Error(w, "who are you", http.StatusUnauthorized)
			return true
		}, "/api/v1/series answered 401 Unauthorized: who are you", 1},
		"no Prometheus": {func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			fmt.Fprint(w, "<html>")
			return true
		}, "/api/v1/series: invalid character", attempts},
		"an error that looks like success": {query(func(w http.ResponseWriter) { fmt.Fprint(w, `{"status":"error","error":"no"}`) }), "the status of the answer is not success", 1 + attempts},
		"500":                              {query(func(w http.ResponseWriter) { http.Error(w, "disk on fire", http.StatusInternalServerError) }), "load and 0 more metrics: http", 1 + attempts},
		"no matrix": {query(func(w http.ResponseWriter) {
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[]}}`)
		}), "result is a vector", 1 + attempts},
		"odd samples": {query(func(w http.ResponseWriter) {
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"load"},"values":[[1,2,3]]}]}}`)
		}), "samples are not", 1 + attempts},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, r, err := load(t, newFake(c.fault))
			require.ErrorContains(t, err, c.want)
			assert.Zero(t, r.Series)
			assert.Equal(t, c.requests, r.Requests)
			assert.Empty(t, first(e, "load"), "it starts cold")
		})
	}
}

// A partly read history is not learned: it would present a state of some days ago as the current
// one.
func TestHalfOfAHistoryIsNone(t *testing.T) {
	t.Parallel()
	f := newFake(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		late := r.URL.Path == "/api/v1/query" && r.FormValue("time") == stamp(end)
		if late {
			http.Error(w, "disk on fire", http.StatusInternalServerError)
		}
		return late
	})
	for i := range 30 * batchSeries / 10 { // more than fit into one window
		f.names = append(f.names, "load"+strconv.Itoa(i))
	}
	e, r, err := load(t, f)
	require.ErrorContains(t, err, "disk on fire")
	assert.Positive(t, r.Samples)
	assert.Zero(t, r.Series)
	assert.Empty(t, first(e, "load"))
}

// If an answer is too large, smaller windows are requested until one fits.
func TestWindowsShrink(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(http.ResponseWriter){
		"too many samples": func(w http.ResponseWriter) {
			http.Error(w, "query processing would load too many samples into memory", http.StatusUnprocessableEntity)
		},
		"query timed out": func(w http.ResponseWriter) {
			http.Error(w, `{"status":"error","errorType":"timeout","error":"query timed out"}`, http.StatusServiceUnavailable)
		},
		"huge": func(w http.ResponseWriter) {
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"`)
			for chunk := strings.Repeat("x", 1<<20); ; {
				if _, err := fmt.Fprint(w, chunk); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(func(w http.ResponseWriter, r *http.Request, _ int) bool {
				_, window, _ := strings.Cut(r.FormValue("query"), "[")
				width, _ := time.ParseDuration(strings.TrimSuffix(window, "]"))
				if width > 2*time.Hour {
					refuse(w)
				}
				return width > 2*time.Hour
			})
			e, r, err := load(t, f)
			require.NoError(t, err)
			assert.Equal(t, int64(24*60), r.Samples, "each sample once")
			require.NotEmpty(t, f.windows)
			for _, width := range f.windows {
				assert.LessOrEqual(t, width, 2*time.Hour)
			}
			assert.Len(t, first(e, "load"), 1)
		})
	}
}

func TestSlowServer(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	f := newFake(func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Path != "/api/v1/query" || !strings.Contains(r.FormValue("query"), "stuck") {
			return false
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
		return true
	})
	for i := range batchSeries {
		f.names = append(f.names, "load"+strconv.Itoa(i)) // they fill a batch, so that the failing one has its own
	}
	f.names = append(f.names, "stuck")
	e, r, err := load(t, f, func(c *Config) { c.Timeout, c.Lookback = 5*time.Second, time.Hour })
	require.ErrorContains(t, err, "not done within timeout, which is 5s")
	assert.Equal(t, batchSeries, r.Read)
	assert.Equal(t, batchSeries+2, r.Listed)
	first(e, "stuck")
	assert.Zero(t, e.Warmed())
	first(e, "load1")
	assert.Equal(t, uint64(1), e.Warmed(), "what was read in time is there")
}

func TestRoomIsBounded(t *testing.T) {
	f := newFake(nil)
	f.names = []string{"a", "b", "c"}
	server := httptest.NewServer(f)
	defer server.Close()
	cfg := DefaultConfig()
	cfg.Prometheus.Client.Endpoint = server.URL
	e := engine.New(engine.DefaultConfig(), zap.NewNop())
	r, err := Load(t.Context(), &cfg, componenttest.NewNopHost(), componenttest.NewNopTelemetrySettings(), e, 2, end)
	require.NoError(t, err)
	assert.Equal(t, 2, r.Series)
	assert.Equal(t, 1, r.NoRoom)
}

func TestWhatIsKnownIsNotReadAgain(t *testing.T) {
	f := newFake(nil)
	f.names = []string{"load", "other"}
	server := httptest.NewServer(f)
	defer server.Close()
	cfg := DefaultConfig()
	cfg.Prometheus.Client.Endpoint = server.URL
	e := engine.New(engine.DefaultConfig(), zap.NewNop())
	e.Tick(end)
	first(e, "load")
	r, err := Load(t.Context(), &cfg, componenttest.NewNopHost(), componenttest.NewNopTelemetrySettings(), e, 1000, end)
	require.NoError(t, err)
	assert.Equal(t, 1, r.Listed)
	assert.Len(t, first(e, "other"), 1)
}

func TestPaceSpacesRequests(t *testing.T) {
	f := newFake(nil)
	began := time.Now()
	_, r, err := load(t, f, func(c *Config) { c.Prometheus.RequestsPerSecond = 4 })
	require.NoError(t, err)
	require.Equal(t, int64(2), r.Requests)
	assert.GreaterOrEqual(t, time.Since(began), 250*time.Millisecond, "the second waits")
}

func TestSecretsAreNotInErrors(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(nil)
	address := strings.TrimPrefix(server.URL, "http://")
	server.Close()
	cfg := DefaultConfig()
	cfg.Prometheus.Client.Endpoint = "http://user:hunter2@" + address
	e := engine.New(engine.DefaultConfig(), zap.NewNop())
	_, err := Load(t.Context(), &cfg, componenttest.NewNopHost(), componenttest.NewNopTelemetrySettings(), e, 1000, end)
	require.ErrorContains(t, err, address)
	assert.NotContains(t, err.Error(), "hunter2")
}

func TestBadConfig(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Lookback, cfg.Timeout = 0, 0
	p := &cfg.Prometheus
	p.Client.Timeout, p.RequestsPerSecond, p.Match, p.TranslationStrategy = 0, math.NaN(), []string{"rate(x[5m])"}, "Latin"
	err := confmap.Validate(&cfg)
	for _, want := range []string{
		"lookback is 0s", "timeout is 0s, it must be at least 1s", "prometheus: endpoint must be the URL", "timeout is 0s, it must be above 0",
		"requests_per_second is NaN", `match: "rate(x[5m])" is not a series selector`, `translation_strategy is "Latin", use Under`,
	} {
		assert.ErrorContains(t, err, want)
	}
}
