// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/tap"
)

// tapping is a host whose extension is a console.
type tapping struct {
	component.Host
	console *console
}

func (h tapping) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{h.console.set.ID: h.console}
}

func TestTap(t *testing.T) {
	c := newTestConsole("127.0.0.1:0")
	conf := wholeConfig("127.0.0.1", 1)
	require.NoError(t, conf.Merge(confmap.NewFromStringMap(map[string]any{"extensions": map[string]any{
		"anomaly_engine/a": map[string]any{"logs": map[string]any{"mask": []any{`cust-\w+`}}}, "anomaly_console": nil,
	}})))
	require.NoError(t, c.NotifyConfig(t.Context(), conf))
	base := startThis(t, c, newHost(newEngine()))
	point := tap.Find(tapping{console: c}, component.KindProcessor, component.MustNewID("anomaly"), "logs")
	assert.Equal(t, []any{map[string]any{"kind": "processor", "id": "anomaly", "signal": "logs"}}, getJSON(t, base+"/api/v1/pipelines").body["taps"])

	stop := make(chan struct{})
	defer func() { stop <- struct{}{} }()
	go func() {
		ld := plog.NewLogs()
		ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("<b>cust-12 has password=hunter2")
		for {
			select {
			case <-stop:
				return
			default:
				point.Logs(ld)
			}
		}
	}()
	a := post(t, base+"/api/v1/tap", "application/json", `{"kind":"processor","id":"anomaly","signal":"logs","records":3}`)
	list := a.list(t, "records")
	require.Len(t, list, 3)
	assert.Equal(t, "<b><*> has password=<*>", list[0]["text"])
	assert.Equal(t, true, a.body["full"])
}

func TestTapThatCannotBe(t *testing.T) {
	c := newTestConsole("127.0.0.1:0")
	base := startThis(t, c, newHost(newEngine())) + "/api/v1/tap"
	tap.Find(tapping{console: c}, component.KindReceiver, component.MustNewID("findings"), "logs")
	for body, want := range map[string]int{
		`{"kind":"receiver","id":"otlp","signal":"logs"}`:                  http.StatusNotFound,
		`{"kind":"receiver","id":"findings","signal":"logs","records":0}`:  http.StatusBadRequest,
		`{"kind":"receiver","id":"findings","signal":"logs","records":51}`: http.StatusBadRequest,
		`{"kind":"receiver","x":1}`:                                        http.StatusBadRequest,
		`[]`:                                                               http.StatusBadRequest,
	} {
		a := post(t, base, "application/json", body)
		assert.Equal(t, want, a.status, body)
		assert.NotEmpty(t, a.body["error"])
	}
	req := request(t, http.MethodPost, base)
	req.Header.Del(requestHeader)
	assert.Equal(t, http.StatusForbidden, ask(t, req).status)
	assert.Equal(t, http.StatusMethodNotAllowed, getJSON(t, base).status)
	for range 4 {
		open, err := c.api.taps.Open(tap.Place{Kind: "receiver", ID: "findings", Signal: "logs"}, 1)
		require.NoError(t, err)
		defer open.Close()
	}
	assert.Equal(t, http.StatusServiceUnavailable, post(t, base, "application/json", `{"kind":"receiver","id":"findings","signal":"logs"}`).status)
}

func TestShutdownEndsATap(t *testing.T) {
	c := newTestConsole("127.0.0.1:0")
	h := newHost(newEngine())
	require.NoError(t, c.Start(t.Context(), h))
	tap.Find(tapping{console: c}, component.KindReceiver, component.MustNewID("findings"), "logs")
	req := request(t, http.MethodPost, "http://"+c.addr.String()+"/api/v1/tap")
	req.Header.Set("Content-Type", "application/json")
	req.Body = io.NopCloser(strings.NewReader(`{"kind":"receiver","id":"findings","signal":"logs"}`))
	done := make(chan string)
	go func() {
		defer close(done)
		resp, err := browser.Do(req)
		if !assert.NoError(t, err) {
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		assert.NoError(t, err)
		done <- string(body)
	}()
	place := tap.Place{Kind: "receiver", ID: "findings", Signal: "logs"}
	for range 3 {
		open, err := c.api.taps.Open(place, 1)
		require.NoError(t, err)
		defer open.Close()
	}
	assert.Eventually(t, func() bool { // until the request has the fourth
		open, err := c.api.taps.Open(place, 1)
		if err == nil {
			open.Close()
		}
		return err != nil
	}, tapWithin/2, tapWithin/1000)
	require.NoError(t, c.Shutdown(t.Context()))
	assert.JSONEq(t, `{"records": [], "full": false}`, <-done)
}

func TestMaskThatIsNoPattern(t *testing.T) {
	conf := confmap.NewFromStringMap(map[string]any{"extensions": map[string]any{"anomaly_engine": map[string]any{"logs": map[string]any{"mask": []any{"("}}}}})
	require.ErrorContains(t, newTestConsole("127.0.0.1:0").NotifyConfig(t.Context(), conf), "extensions::anomaly_console")
}
