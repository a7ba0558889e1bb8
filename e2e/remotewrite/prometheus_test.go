// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package remotewrite tests the exporter prometheus_remote_write with a real Prometheus.
package remotewrite

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// prometheus is a real server that keeps its data when it is restarted.
type prometheus struct {
	*peertest.Prometheus
	t      sameFolder
	window time.Duration
	url    string
}

// sameFolder is a TB that always returns the same temporary folder.
type sameFolder struct {
	*testing.T
	dir string
}

func (s sameFolder) TempDir() string { return s.dir }

// startPrometheus starts a server that accepts samples up to window out of order. 0 rejects all such samples, and so
// tests the order.
func startPrometheus(t *testing.T, window time.Duration) *prometheus {
	t.Helper()
	p := &prometheus{t: sameFolder{t, t.TempDir()}, window: max(window, time.Nanosecond)} // 0 would be a window, too.
	p.start()
	return p
}

// start runs the server at a new address.
func (p *prometheus) start() {
	p.t.Helper()
	p.Prometheus = peertest.StartPrometheus(p.t, peertest.PrometheusOptions{OutOfOrder: p.window})
	p.url = strings.TrimSuffix(p.WriteURL(), "/api/v1/write")
}

// found holds the samples in Prometheus: a value by series and time. The value of a native histogram is its count.
type found map[string]map[int64]float64

func (f found) samples() int {
	n := 0
	for _, s := range f {
		n += len(s)
	}
	return n
}

// all returns all samples of the tests' series in their stored form.
func (p *prometheus) all() found {
	p.t.Helper()
	return p.query(`{job="shop"}[1h]`, time.Now())
}

// now returns the series that are live at a time.
func (p *prometheus) now(at time.Time) found {
	p.t.Helper()
	return p.query(`{job="shop"}`, at)
}

func (p *prometheus) query(expr string, at time.Time) found {
	p.t.Helper()
	a, err := p.Query(p.t.Context(), expr, at)
	require.NoError(p.t, err)
	var answer struct {
		Data struct {
			Result []struct {
				Metric     map[string]string    `json:"metric"`
				Values     [][2]json.RawMessage `json:"values"`
				Histograms []json.RawMessage    `json:"histograms"`
			} `json:"result"`
		} `json:"data"`
	}
	require.NoError(p.t, json.Unmarshal(a.Raw, &answer), "%s", a.Raw)
	f := found{}
	for _, r := range answer.Data.Result {
		name := seriesName(r.Metric)
		f[name] = map[int64]float64{}
		for _, v := range r.Values {
			var text string
			require.NoError(p.t, json.Unmarshal(v[1], &text))
			f[name][millis(p.t.T, v[0])] = number(p.t.T, text)
		}
		for _, raw := range r.Histograms {
			var at json.RawMessage
			var h struct {
				Count string `json:"count"`
			}
			require.NoError(p.t, json.Unmarshal(raw, &[]any{&at, &h}))
			f[name][millis(p.t.T, at)] = number(p.t.T, h.Count)
		}
	}
	return f
}

func millis(t *testing.T, raw json.RawMessage) int64 {
	t.Helper()
	return int64(number(t, string(raw))*1000 + 0.5)
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return v
}

func seriesName(labels map[string]string) string {
	b, _ := json.Marshal(labels) // sorted by name
	return string(b)
}

// proxy forwards to a Prometheus. While fault is not 0, it answers with that status.
type proxy struct {
	*httptest.Server
	fault atomic.Int32
	once  atomic.Int32 // as fault, for one request
	asked atomic.Int32
}

func startProxy(t *testing.T, to string) *proxy {
	t.Helper()
	p := &proxy{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		status := int(p.once.Swap(0))
		if status == 0 {
			status = int(p.fault.Load())
		}
		if status != 0 {
			_, _ = io.Copy(io.Discard, r.Body)
			if status == http.StatusTooManyRequests {
				w.Header().Set("Retry-After", "1")
			}
			http.Error(w, fmt.Sprintf("fault %d", status), status)
			return
		}
		forward(w, r, to)
	}))
	t.Cleanup(p.Close)
	return p
}

func forward(w http.ResponseWriter, r *http.Request, to string) {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, to+r.URL.Path, r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	req.Header = r.Header
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer res.Body.Close()
	maps.Copy(w.Header(), res.Header)
	w.WriteHeader(res.StatusCode)
	_, _ = io.Copy(w, res.Body)
}
