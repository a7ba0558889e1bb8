// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/deadletter"
	"github.com/auspex-otel/auspex/internal/peertest"
)

// sameFolder is a TB that always returns the same temporary folder, so that a restarted Prometheus finds its data.
type sameFolder struct {
	*testing.T
	dir string
}

func (s sameFolder) TempDir() string { return s.dir }

// writePeer is a real Prometheus behind a proxy. The proxy keeps its address while Prometheus is stopped, and can
// answer in its place.
type writePeer struct {
	t      sameFolder
	server *peertest.Prometheus
	proxy  *httptest.Server
	to     atomic.Pointer[url.URL]

	mu     sync.Mutex
	next   int         // status of the next response, 0 to forward the request
	given  map[int]int // number of responses by the proxy itself, by status
	passed int         // requests forwarded to Prometheus
}

func startWritePeer(t *testing.T) *writePeer {
	t.Helper()
	p := &writePeer{t: sameFolder{t, t.TempDir()}, given: map[int]int{}}
	p.start()
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(p.to.Load()) },
		// Close the connection without a response.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p.proxy = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := p.fault()
		if status == 0 {
			forward.ServeHTTP(w, r)
			return
		}
		if status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "1")
		}
		http.Error(w, fmt.Sprintf("a fault of the test: %d", status), status)
	}))
	t.Cleanup(p.proxy.Close)
	return p
}

// start runs Prometheus on its existing data at a new address.
func (p *writePeer) start() {
	p.t.Helper()
	p.server = peertest.StartPrometheus(p.t, peertest.PrometheusOptions{OutOfOrder: 30 * time.Minute})
	to, err := url.Parse(p.server.WriteURL())
	require.NoError(p.t, err)
	p.to.Store(&url.URL{Scheme: to.Scheme, Host: to.Host})
}

// answer makes the proxy answer the next request with a status.
func (p *writePeer) answer(status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = status
}

func (p *writePeer) fault() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	status := p.next
	p.next = 0
	if status != 0 {
		p.given[status]++
	} else {
		p.passed++
	}
	return status
}

// found returns the samples of a run in Prometheus.
func (p *writePeer) found(ctx context.Context, run string) (map[sampleKey]float64, error) {
	a, err := p.server.Query(ctx, fmt.Sprintf(`%s{e2e_run="%s"}[4h]`, writeMetric, run), time.Now())
	if err != nil {
		return nil, err
	}
	found := map[sampleKey]float64{}
	for _, s := range a.Series {
		k, err := newSampleKey(s.Labels)
		if err != nil {
			return nil, err
		}
		for _, sample := range s.Samples {
			k.at = sample.Time.UnixMilli()
			found[k] = sample.Value
		}
	}
	return found, nil
}

func newSampleKey(labels map[string]string) (k sampleKey, err error) {
	if k.worker, err = strconv.Atoi(labels["worker"]); err == nil {
		k.series, err = strconv.Atoi(labels["series"])
	}
	return k, err
}

// inLetters returns the samples of a run in the dead letters below a folder.
func inLetters(t *testing.T, folder, run string) map[sampleKey]float64 {
	t.Helper()
	samples := map[sampleKey]float64{}
	_, err := deadletter.Read(folder, func(l deadletter.Letter) error {
		body, err := snappy.Decode(nil, l.Payload)
		require.NoError(t, err)
		var request prompb.WriteRequest
		require.NoError(t, request.Unmarshal(body))
		for _, ts := range request.Timeseries {
			labels := map[string]string{}
			for _, l := range ts.Labels {
				labels[l.Name] = l.Value
			}
			if labels["__name__"] != writeMetric || labels["e2e_run"] != run {
				continue
			}
			k, err := newSampleKey(labels)
			require.NoError(t, err)
			for _, s := range ts.Samples {
				k.at = s.Timestamp
				samples[k] = s.Value
			}
		}
		return nil
	})
	require.NoError(t, err)
	return samples
}
