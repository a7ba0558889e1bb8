// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/extension/consoleextension/internal/metadata"
	"github.com/auspex-otel/auspex/internal/engine"
)

// start is the event time of the first point of every test.
var start = time.Date(2026, time.March, 2, 8, 0, 0, 0, time.UTC)

// host is a collector with extensions that a test may change.
type host struct {
	component.Host
	extensions atomic.Pointer[map[component.ID]component.Component]
}

func (h *host) GetExtensions() map[component.ID]component.Component { return *h.extensions.Load() }

func (h *host) setEngines(engines ...*engine.Engine) {
	extensions := map[component.ID]component.Component{}
	for i, e := range engines {
		extensions[component.MustNewIDWithName("anomaly_engine", string(rune('a'+i)))] = &owner{engine: e}
	}
	h.extensions.Store(&extensions)
}

// owner is an extension that owns an engine.
type owner struct {
	extension.Extension
	engine *engine.Engine
}

func (o *owner) Engine() *engine.Engine { return o.engine }

func newHost(engines ...*engine.Engine) *host {
	h := &host{Host: componenttest.NewNopHost()}
	h.setEngines(engines...)
	return h
}

func newEngine() *engine.Engine { return engine.New(engine.DefaultConfig(), zap.NewNop()) }

// busyEngine returns an engine with an open incident of the service checkout
// and a closed one of the service cart, besides the quiet service search.
func busyEngine(t *testing.T) *engine.Engine {
	t.Helper()
	e := newEngine()
	busy(e)
	return e
}

func busy(e *engine.Engine) {
	const points, broken, mended = 800, 700, 720
	e.Tick(start.Add(points * 10 * time.Second))
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range points {
		md := pmetric.NewMetrics()
		for _, service := range []string{"cart", "checkout", "search"} {
			v := 10 + rng.Float64() // bounded, so that nothing but the faults opens
			if service == "checkout" && i >= points-3 || service == "cart" && i >= broken && i < mended {
				v += 40
			}
			addGauge(md, service, start.Add(time.Duration(i)*10*time.Second), v)
		}
		e.ObserveMetrics(md, engine.Output{Select: engine.SelectNone})
	}
}

func addGauge(md pmetric.Metrics, service string, at time.Time, v float64) {
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", service)
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("queue.length")
	m.SetUnit("{message}")
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(pcommon.NewTimestampFromTime(at))
	dp.SetDoubleValue(v)
	dp.Attributes().PutStr("queue", "orders")
}

func newTestConsole(endpoint string) *console {
	cfg := createDefaultConfig().(*Config)
	cfg.Server.NetAddr.Endpoint = endpoint
	set := extensiontest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type)
	set.BuildInfo.Version = "1.2.3"
	return newConsole(cfg, set)
}

// startConsole starts a console on a free port and returns its address as http://host:port.
func startConsole(t *testing.T, h component.Host) string {
	t.Helper()
	return startThis(t, newTestConsole("127.0.0.1:0"), h)
}

func startThis(t *testing.T, c *console, h component.Host) string {
	t.Helper()
	require.NoError(t, c.Start(t.Context(), h))
	t.Cleanup(func() { require.NoError(t, c.Shutdown(context.Background())) })
	return "http://" + c.addr.String()
}

// browser keeps no connection, since an idle one would be taken for a leak.
var browser = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}

// answer holds a response with its decoded body.
type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func ask(t *testing.T, req *http.Request) answer {
	t.Helper()
	resp, err := browser.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	a := answer{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	if req.Method != http.MethodHead {
		require.Equal(t, "application/json", resp.Header.Get("Content-Type"), a.raw)
		require.NoError(t, json.Unmarshal(raw, &a.body), a.raw)
		require.True(t, strings.HasSuffix(a.raw, "}\n"), a.raw)
	}
	return a
}

func request(t *testing.T, method, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	require.NoError(t, err)
	req.Header.Set(requestHeader, "1")
	return req
}

func getJSON(t *testing.T, url string) answer {
	t.Helper()
	return ask(t, request(t, http.MethodGet, url))
}

// list returns the objects under a key of an answer.
func (a answer) list(t *testing.T, key string) []map[string]any {
	t.Helper()
	require.Equal(t, http.StatusOK, a.status, a.raw)
	values, ok := a.body[key].([]any)
	require.True(t, ok, a.raw)
	out := make([]map[string]any, len(values))
	for i, v := range values {
		out[i] = v.(map[string]any)
	}
	return out
}
