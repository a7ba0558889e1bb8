// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// sampleID identifies a sample by its series, as text, and its time in milliseconds.
type sampleID struct {
	series string
	at     int64
}

// sentSample holds the value that a client sent and the response.
type sentSample struct {
	value        float64 // the count for native histograms
	histogram    bool
	request      int
	acknowledged bool
}

// staleBits holds the bits of the stale marker, which ends a series. Queries do not return it.
const staleBits = 0x7ff0000000000002

// wiretap is a proxy between remote-write clients and the receiver. It records requests and responses. It keeps its
// address, so that a client finds the collector again after a kill.
type wiretap struct {
	*httptest.Server
	client *http.Client

	mu        sync.Mutex
	receiver  string // current address of the collector
	requests  int
	sent      map[string]map[sampleID]sentSample // by client
	exemplars map[string]int
	statuses  map[string]map[int]int
	said      map[string]map[string]int // rejections, by the receiver's message
}

func startWiretap(t *testing.T, receiver string) *wiretap {
	t.Helper()
	w := &wiretap{
		receiver: receiver, client: &http.Client{Timeout: 30 * time.Second}, sent: map[string]map[sampleID]sentSample{},
		exemplars: map[string]int{}, statuses: map[string]map[int]int{}, said: map[string]map[string]int{},
	}
	w.Server = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.Close)
	return w
}

func (w *wiretap) serve(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadGateway)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	samples, exemplars, err := decode(r.Header.Get("Content-Type"), body)
	if err != nil {
		http.Error(rw, "the wiretap cannot decode the request: "+err.Error(), http.StatusTeapot)
		return
	}
	request := w.note(name, samples)
	req, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+w.receiver+"/api/v1/write", strings.NewReader(string(body)))
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadGateway)
		return
	}
	req.Header = r.Header.Clone()
	res, err := w.client.Do(req)
	if err != nil {
		w.told(name, 0, "", request, nil, 0)
		http.Error(rw, "the collector is stopped", http.StatusServiceUnavailable)
		return
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		http.Error(rw, "the collector stopped during the request", http.StatusServiceUnavailable)
		return
	}
	w.told(name, res.StatusCode, string(text), request, samples, exemplars)
	maps.Copy(rw.Header(), res.Header)
	rw.WriteHeader(res.StatusCode)
	_, _ = rw.Write(text)
}

// note records the samples that a client sends, before the receiver gets them.
func (w *wiretap) note(name string, samples map[sampleID]sentSample) (request int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	if w.sent[name] == nil {
		w.sent[name], w.statuses[name], w.said[name] = map[sampleID]sentSample{}, map[int]int{}, map[string]int{}
	}
	for id, s := range samples {
		s.request = w.requests
		if before, ok := w.sent[name][id]; ok {
			s.acknowledged = before.acknowledged
		}
		w.sent[name][id] = s
	}
	return w.requests
}

// told records the receiver's response, before the client gets it.
func (w *wiretap) told(name string, status int, text string, request int, samples map[sampleID]sentSample, exemplars int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.statuses[name][status]++
	if status/100 != 2 {
		if text != "" {
			w.said[name][text[:min(len(text), 300)]]++
		}
		return
	}
	for id, s := range samples {
		s.request, s.acknowledged = request, true
		w.sent[name][id] = s
	}
	w.exemplars[name] += exemplars
}

func (w *wiretap) acknowledged() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, list := range w.sent {
		for _, s := range list {
			if s.acknowledged {
				n++
			}
		}
	}
	return n
}

// decode decodes a request with Prometheus's own code. It omits stale markers, because queries do not return them.
func decode(contentType string, body []byte) (samples map[sampleID]sentSample, exemplars int, err error) {
	plain, err := snappy.Decode(nil, body)
	if err != nil {
		return nil, 0, err
	}
	samples = map[sampleID]sentSample{}
	add := func(labels map[string]string, at int64, v float64, histogram bool) {
		if math.Float64bits(v) != staleBits && labels["__name__"] != "target_info" {
			samples[sampleID{seriesText(labels), at}] = sentSample{value: v, histogram: histogram}
		}
	}
	if strings.Contains(contentType, "write.v2") {
		var req writev2.Request
		if err := req.Unmarshal(plain); err != nil {
			return nil, 0, err
		}
		for _, ts := range req.Timeseries {
			labels := map[string]string{}
			for i := 0; i+1 < len(ts.LabelsRefs); i += 2 {
				labels[req.Symbols[ts.LabelsRefs[i]]] = req.Symbols[ts.LabelsRefs[i+1]]
			}
			for _, s := range ts.Samples {
				add(labels, s.Timestamp, s.Value, false)
			}
			for _, h := range ts.Histograms {
				addHistogram(add, labels, h.Timestamp, h.Sum, h.GetCountInt(), h.GetCountFloat())
			}
			exemplars += len(ts.Exemplars)
		}
		return samples, exemplars, nil
	}
	var req prompb.WriteRequest
	if err := req.Unmarshal(plain); err != nil {
		return nil, 0, err
	}
	for _, ts := range req.Timeseries {
		labels := map[string]string{}
		for _, l := range ts.Labels {
			labels[l.Name] = l.Value
		}
		for _, s := range ts.Samples {
			add(labels, s.Timestamp, s.Value, false)
		}
		for _, h := range ts.Histograms {
			addHistogram(add, labels, h.Timestamp, h.Sum, h.GetCountInt(), h.GetCountFloat())
		}
		exemplars += len(ts.Exemplars)
	}
	return samples, exemplars, nil
}

func addHistogram(add func(map[string]string, int64, float64, bool), labels map[string]string, at int64, sum float64, whole uint64, count float64) {
	if math.Float64bits(sum) != staleBits {
		add(labels, at, float64(whole)+count, true)
	}
}

// seriesText returns a series as text. It normalizes bounds and quantiles, because 1 and 1.0 are the same bound.
func seriesText(labels map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		value := labels[name]
		if name == "le" || name == "quantile" {
			if v, err := strconv.ParseFloat(value, 64); err == nil {
				value = strconv.FormatFloat(v, 'g', -1, 64)
			}
		}
		if value != "" {
			fmt.Fprintf(&b, "%s=%q,", name, value)
		}
	}
	return b.String()
}

// backend is a real Prometheus that can be stopped and restarted. Its address does not change.
type backend struct {
	t      sameFolder
	server *peertest.Prometheus
	front  *httptest.Server
	to     atomic.Pointer[url.URL]
}

// sameFolder is a TB that always returns the same temporary folder, so that a restarted Prometheus finds its data.
type sameFolder struct {
	*testing.T
	dir string
}

func (s sameFolder) TempDir() string { return s.dir }

func startBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{t: sameFolder{t, t.TempDir()}}
	b.start()
	b.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req := r.Clone(r.Context())
		req.URL.Scheme, req.URL.Host, req.RequestURI = "http", b.to.Load().Host, ""
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			panic(http.ErrAbortHandler) // Close the connection without a response.
		}
		defer res.Body.Close()
		maps.Copy(w.Header(), res.Header)
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
	}))
	t.Cleanup(b.front.Close)
	return b
}

func (b *backend) start() {
	b.t.Helper()
	b.server = peertest.StartPrometheus(b.t, peertest.PrometheusOptions{OutOfOrder: 30 * time.Minute})
	to, err := url.Parse(b.server.URL())
	require.NoError(b.t, err)
	b.to.Store(to)
}

// found returns all samples of a selector. The value of a native histogram is its count.
func (b *backend) found(selector string) (map[sampleID]float64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	a, err := b.server.Query(ctx, selector+"[1h]", time.Now().Add(time.Minute))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Result []struct {
				Metric     map[string]string    `json:"metric"`
				Values     [][2]json.RawMessage `json:"values"`
				Histograms [][2]json.RawMessage `json:"histograms"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(a.Raw, &answer); err != nil {
		return nil, err
	}
	found := map[sampleID]float64{}
	for _, r := range answer.Data.Result {
		series := seriesText(r.Metric)
		put := func(pair [2]json.RawMessage, text string) error {
			at, err := strconv.ParseFloat(string(pair[0]), 64)
			if err != nil {
				return err
			}
			found[sampleID{series, int64(at*1000 + 0.5)}], err = strconv.ParseFloat(text, 64)
			return err
		}
		for _, v := range r.Values {
			var text string
			if err := json.Unmarshal(v[1], &text); err != nil {
				return nil, err
			}
			if err := put(v, text); err != nil {
				return nil, err
			}
		}
		for _, v := range r.Histograms {
			var h struct{ Count string }
			if err := json.Unmarshal(v[1], &h); err != nil {
				return nil, err
			}
			if err := put(v, h.Count); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// same reports whether two values are equal. NaN equals NaN.
func same(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) }
