// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.yaml.in/yaml/v3"

	"github.com/auspex-otel/auspex/internal/wire/promwrite"
)

// v1 returns a version 1 request. Each series is a list of label names and values, unchanged.
func v1(series ...[]string) []byte {
	var req prompb.WriteRequest
	for _, l := range series {
		ts := prompb.TimeSeries{Samples: []prompb.Sample{{Value: 1, Timestamp: 1000}}}
		for i := 0; i+1 < len(l); i += 2 {
			ts.Labels = append(ts.Labels, prompb.Label{Name: l[i], Value: l[i+1]})
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	b, err := req.Marshal()
	if err != nil {
		panic(err)
	}
	return b
}

func text(s string) []byte {
	m, err := parseMessage(s)
	if err != nil {
		panic(err)
	}
	return m.v1()
}

func bad(reference uint32) []byte {
	req := writev2.Request{Symbols: []string{"", "__name__", "ok"}, Timeseries: []writev2.TimeSeries{
		{LabelsRefs: []uint32{1, reference}, Samples: []writev2.Sample{{Value: 1, Timestamp: 1000}}},
		{LabelsRefs: []uint32{1, 2}, Samples: []writev2.Sample{{Value: 1, Timestamp: 1000}}},
	}}
	b, err := req.Marshal()
	if err != nil {
		panic(err)
	}
	return b
}

// claims returns a snappy block that claims to expand to size bytes.
func claims(size uint64) []byte { return append(binary.AppendUvarint(nil, size), 0, 'x') }

var good = []string{"__name__", "good", "job", "j"}

// badInput lists invalid requests with the response, the counted reason, and the number of
// accepted points. Another client is served throughout.
var badInput = []struct {
	name   string
	plain  []byte // compressed before it is sent
	body   []byte // or sent unchanged
	change func(*http.Request)
	status int
	says   string
	reason string
	taken  int // points
}{
	{name: "no snappy", body: []byte("\xff\xff\xff\xff\xff\xff"), status: 400, says: "not snappy", reason: "snappy"},
	{name: "an empty body", body: []byte{}, status: 400, says: "not snappy", reason: "snappy"},
	{name: "the framed format of snappy", body: []byte("\xff\x06\x00\x00sNaPpY\x01\x05\x00\x00abcdx"), status: 400, says: "19 bytes of snappy cannot expand to 895 bytes", reason: "snappy"},
	{name: "truncated snappy", body: snappy.Encode(nil, v1(good))[:20], status: 400, says: "the snappy data is damaged", reason: "snappy"},
	{name: "snappy that claims 4 GiB", body: claims(1<<32 - 1), status: 400, says: "expands to 4294967295 bytes, the limit is 100000", reason: "decompressed"},
	{name: "snappy that claims more than it can hold", body: claims(99_999), status: 400, says: "cannot expand to 99999 bytes", reason: "snappy"},
	{name: "a zip bomb", plain: make([]byte, 100_001), status: 400, says: "expands to 100001 bytes, the limit is 100000", reason: "decompressed"},
	{name: "oversized before decompression", body: make([]byte, 20_001), status: 400, says: "more than the limit of 20000 bytes", reason: "body_size"},
	{name: "no protobuf", plain: []byte("hello, world"), status: 400, says: "malformed", reason: "malformed"},
	{name: "truncated protobuf", plain: v1(good)[:12], status: 400, says: "ends within a field", reason: "malformed"},
	{name: "a length of 4 GiB", plain: []byte("\x0a\xff\xff\xff\xff\x0f"), status: 400, says: "ends within a field", reason: "malformed"},
	{name: "too many points", plain: append(v1(good), strings.Repeat("\x0a\x02\x12\x00", 101)...), status: 400, says: "more than the limit of 100", reason: "points"},
	{name: "too many labels in all", plain: append(v1(good), strings.Repeat("\x0a\x02\x0a\x00", 3201)...), status: 400, says: "more than the limit of 100", reason: "points"},
	{name: "JSON", body: []byte("{}"), change: header("Content-Type", "application/json"), status: 415, says: "is not application/x-protobuf", reason: "content_type"},
	{name: "another message", body: []byte("x"), change: header("Content-Type", "application/x-protobuf;proto=io.prometheus.write.v9.Request"), status: 415, says: "is neither", reason: "content_type"},
	{name: "gzip", body: []byte("x"), change: header("Content-Encoding", "gzip"), status: 415, says: "remote write supports snappy only", reason: "encoding"},
	{name: "GET", body: []byte{}, change: func(r *http.Request) { r.Method = http.MethodGet }, status: 405, says: "remote write uses POST", reason: "method"},
	{name: "labels out of order", plain: v1([]string{"job", "j", "__name__", "x", "a", "1"}, good), status: 204, taken: 2},
	{name: "a label twice", plain: v1([]string{"__name__", "x", "a", "1", "a", "2"}, good), status: 400, says: `duplicate_label: label "a" twice`, reason: "duplicate_label", taken: 1},
	{name: "a label twice, apart", plain: v1([]string{"a", "1", "__name__", "x", "a", "1"}, good), status: 400, says: `label "a" twice`, reason: "duplicate_label", taken: 1},
	{name: "a label name that is not UTF-8", plain: v1([]string{"__name__", "x", "a\xff", "1"}, good), status: 400, says: `"a\xff"`, reason: "utf8", taken: 1},
	{name: "a label value that is not UTF-8", plain: v1([]string{"__name__", "x", "a", "\xc3("}, good), status: 400, says: "is not UTF-8", reason: "utf8", taken: 1},
	{name: "an empty label name", plain: v1([]string{"", "1", "__name__", "x"}, good), status: 400, says: "an empty label name", reason: "label_name", taken: 1},
	{name: "an empty label value", plain: v1([]string{"__name__", "x", "a", ""}, good), status: 204, taken: 2},
	{name: "no name", plain: v1([]string{"job", "j"}, good), status: 400, says: "has no __name__", reason: "no_name", taken: 1},
	{name: "no labels", plain: v1(nil, good), status: 400, says: "has no __name__", reason: "no_name", taken: 1},
	{name: "too many labels", plain: v1(many(11), good), status: 400, says: "the limit is 10", reason: "labels", taken: 1},
	{name: "an oversized label", plain: v1([]string{"__name__", strings.Repeat("x", 1001)}, good), status: 400, says: "1001 bytes, the limit is 1000", reason: "label_size", taken: 1},
	{name: "a reference to no symbol", plain: bad(7), change: header("Content-Type", contentV2), status: 400, says: "symbol 7 of 3", reason: "symbol", taken: 1},
	{name: "a time before 1970", plain: text("x{} : 1@-5 2@1000"), status: 400, says: "at -5 ms", reason: "timestamp", taken: 1},
	{name: "a time after 2262", plain: text("x{} : 1@9223372036855 2@1000"), status: 400, says: "at 9223372036855 ms", reason: "timestamp", taken: 1},
	{name: "a histogram of 2 billion buckets", plain: text(`x{} : nh({"t":1000,"count":2,"sum":1,"pos":[[0,1],[2000000000,1]],"posn":[1,0]}) 2@1000`), status: 400, says: "more than 50 buckets", reason: "histogram", taken: 1},
	{name: "a gauge histogram", plain: text(`x{} : nh({"t":1000,"count":1,"sum":1,"pos":[[0,1]],"posn":[1],"hint":3}) 2@1000`), status: 400, says: "has no form", reason: "gauge_histogram", taken: 1},
	{name: "an exemplar with a bad time", plain: text(`x{} : ex(1@-1 {}) 2@1000`), status: 400, says: "an exemplar at -1 ms", reason: "exemplar", taken: 1},
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func many(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("l%02d", i), "v")
	}
	return list
}

func TestBadInput(t *testing.T) {
	rows := []string{fmt.Sprintf("%-42s %-6s %-16s %-6s %s", "input", "status", "counted as", "taken", "answer")}
	for _, tt := range badInput {
		t.Run(tt.name, func(t *testing.T) {
			next := &pipeline{}
			r := start(t, next, func(c *Config) {
				c.Server.MaxRequestBodySize = 20_000
				c.Limits.DecompressedBytes, c.Limits.Items, c.Limits.Fields, c.Limits.FieldBytes, c.Limits.Values = 100_000, 100, 10, 1000, 50
			})
			body := tt.body
			if body == nil {
				body = snappy.Encode(nil, tt.plain)
			}
			req := r.request(contentV1, body)
			if tt.change != nil {
				tt.change(req)
			}
			a := r.do(req)
			assert.Equal(t, tt.status, a.status, a.text)
			assert.Contains(t, a.text, tt.says)
			assert.Equal(t, tt.taken, next.points())
			assert.Empty(t, a.header.Get("Retry-After"), "it will never be right")
			if tt.reason != "" {
				assert.EqualValues(t, 1, r.count("errors", tt.reason)+r.count("refused_points", tt.reason))
				r.says(tt.says)
			}
			assert.EqualValues(t, 1, r.count("requests"))
			rows = append(rows, fmt.Sprintf("%-42s %-6d %-16s %-6d %s", tt.name, a.status, tt.reason, next.points(), a.text))

			b := r.post(contentV1, v1(good))
			assert.Equal(t, http.StatusNoContent, b.status, "another is served")
			assert.Equal(t, "1 0 0", b.written())
		})
	}
	t.Log("\n" + strings.Join(rows, "\n"))
}

// Series with unsorted labels are accepted and counted.
func TestUnsortedLabelsAreSorted(t *testing.T) {
	next := &pipeline{}
	r := start(t, next, nil)
	r.post(contentV1, v1([]string{"le", "0.5", "__name__", "x_bucket", "job", "j"}))
	assert.EqualValues(t, 1, r.count("unsorted_series"))
	assert.Equal(t, "resource {service.name=j}\n  Gauge x_bucket (unknown)\n    1000 {le=0.5} 1\n", render(next.accepted()[0]))
}

// A client that sends slowly is disconnected and does not block other clients.
func TestSlowLoris(t *testing.T) {
	next := &pipeline{}
	r := start(t, next, func(c *Config) {
		c.Server.ReadTimeout, c.Server.ReadHeaderTimeout = 500*time.Millisecond, 300*time.Millisecond
		c.Limits.Concurrency, c.Limits.ConcurrencyPerClient = 4, 2
	})
	var lorises []net.Conn
	for _, begin := range []string{"POST /api/v1/wr", "POST /api/v1/write HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000\r\n\r\nab"} {
		// All connections of a test have the same address, so a second address represents another
		// client.
		conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}).DialContext(t.Context(), "tcp", r.addr)
		require.NoError(t, err)
		defer conn.Close()
		_, err = conn.Write([]byte(begin))
		require.NoError(t, err)
		lorises = append(lorises, conn)
	}
	begin := time.Now()
	assert.Equal(t, http.StatusNoContent, r.post(contentV1, v1(good)).status)
	assert.Less(t, time.Since(begin), 250*time.Millisecond, "served while the others are there")
	for i, conn := range lorises {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		said, err := io.ReadAll(conn)
		require.NoError(t, err, "it is closed")
		if i == 1 {
			assert.Contains(t, string(said), "408 Request Timeout")
		}
	}
	assert.Less(t, time.Since(begin), patience)
	assert.EqualValues(t, 1, r.count("errors", reasonStalled))
}

// A client that disconnects before the end of a request has sent nothing.
func TestSenderGoes(t *testing.T) {
	next := &pipeline{}
	r := start(t, next, nil)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", r.addr)
	require.NoError(t, err)
	_, err = conn.Write([]byte("POST /api/v1/write HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000\r\n\r\nab"))
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	assert.Eventually(t, func() bool { return r.count("errors", reasonTruncated) == 1 }, patience, 5*time.Millisecond)
	assert.Zero(t, next.points())
}

// A noisy client uses only its own slots.
func TestNoisySender(t *testing.T) {
	release := make(chan struct{})
	next := &pipeline{answer: func(_ context.Context, md pmetric.Metrics) error {
		if name, _ := md.ResourceMetrics().At(0).Resource().Attributes().Get("service.name"); name.Str() == "noisy" {
			<-release
		}
		return nil
	}}
	r := start(t, next, func(c *Config) {
		c.Limits.Concurrency, c.Limits.ConcurrencyPerClient, c.Limits.Wait = 4, 2, 300*time.Millisecond
	})
	noisy := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}).DialContext}}
	defer noisy.CloseIdleConnections()
	const sent = 30
	answers := make(chan *http.Response, sent)
	for range sent {
		go func() {
			res, err := noisy.Do(r.request(contentV1, snappy.Encode(nil, v1([]string{"__name__", "x", "job", "noisy"}))))
			if assert.NoError(t, err) {
				res.Body.Close()
			}
			answers <- res
		}()
	}
	time.Sleep(50 * time.Millisecond)
	for range 20 {
		begin := time.Now()
		require.Equal(t, http.StatusNoContent, r.post(contentV1, v1(good)).status)
		require.Less(t, time.Since(begin), 250*time.Millisecond)
	}
	for range sent - 2 { // Two are in progress.
		res := <-answers
		assert.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
		assert.Equal(t, "1", res.Header.Get("Retry-After"))
	}
	close(release)
	for range 2 {
		assert.Equal(t, http.StatusNoContent, (<-answers).StatusCode)
	}
	assert.EqualValues(t, sent-2, r.count("errors", reasonBusy))
}

// Every reason in use is declared in metadata.yaml.
func TestReasonsAreDeclared(t *testing.T) {
	declared := func(attribute string) []string {
		data, err := os.ReadFile("metadata.yaml")
		require.NoError(t, err)
		var m struct {
			Attributes map[string]struct{ Enum []string }
		}
		require.NoError(t, yaml.Unmarshal(data, &m))
		return m.Attributes[attribute].Enum
	}
	assert.ElementsMatch(t, []string{
		reasonAuth, reasonBodySize, reasonBusy, reasonContentType, reasonDecompressed, reasonEncoding, reasonMemory, reasonMethod, reasonPermanent, reasonRetryable,
		reasonSnappy, reasonStalled, reasonTruncated, string(promwrite.ReasonMalformed), string(promwrite.ReasonPoints),
	}, declared("error_reason"))
	var refusals []string
	for _, r := range []promwrite.Reason{
		promwrite.ReasonNoName, promwrite.ReasonLabelName, promwrite.ReasonDuplicateLabel, promwrite.ReasonUTF8, promwrite.ReasonSymbol, promwrite.ReasonLabels,
		promwrite.ReasonLabelSize, promwrite.ReasonTimestamp, promwrite.ReasonHistogram, promwrite.ReasonExemplar, reasonGaugeHistogram,
	} {
		refusals = append(refusals, string(r))
	}
	assert.ElementsMatch(t, refusals, declared("refusal_reason"))
}
