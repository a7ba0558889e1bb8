// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/wire/esbulk"
)

func bytesOf(text ...string) io.Reader { return bytes.NewReader(lines(text...)) }

func lines(text ...string) []byte { return []byte(strings.Join(text, "\n") + "\n") }

// badInput lists invalid requests with the response and the counted reason. A well-behaved client
// is served throughout.
var badInput = []struct {
	name    string
	body    []byte
	headers []string
	status  int    // of the request
	items   []int  // of its items, if the request as a whole is valid
	reason  string // counted reason
	says    string
}{
	{name: "nothing", status: 400, reason: "empty", says: "request body is required"},
	{name: "no end of line", body: []byte(toIndex + "\n" + said("m")), status: 400, reason: "truncated", says: "must be terminated by a newline"},
	{name: "an action without its document", body: lines(toIndex), status: 400, reason: "truncated", says: "the last action has no document"},
	{name: "a document without its action", body: lines(said("m"), said("m")), status: 400, reason: "action", says: "Malformed action/metadata line [1]"},
	{name: "an unknown action", body: lines(`{"upsert":{"_index":"i"}}`, said("m")), status: 400, reason: "action", says: "use create, index, update, or delete"},
	{name: "two actions in one", body: lines(`{"index":{},"create":{}}`, said("m")), status: 400, reason: "action", says: "but has 2 names"},
	{name: "binary", body: []byte("\x00\x01\xff\n"), status: 400, reason: "action", says: "Malformed"},
	{name: "too many items", body: bytes.Repeat(lines(toIndex, "{}"), 11), status: 413, reason: "items", says: "more than 10 items"},
	{name: "an oversized request", body: lines(toIndex, `{"message":"`+strings.Repeat("x", 20_000)+`"}`), status: 413, reason: "body_size", says: "see max_request_body_size"},
	{name: "a zip bomb", body: nil, headers: []string{"Content-Encoding: gzip"}, status: 413, reason: "body_size", says: "more than 10000 bytes"},
	{name: "no gzip", body: []byte("this is not gzip\n"), headers: []string{"Content-Encoding: gzip"}, status: 400, reason: "encoding", says: "gzip"},
	{name: "truncated gzip", body: nil, headers: []string{"Content-Encoding: gzip"}, status: 400, reason: "read", says: "connection broke within"},
	{name: "an unknown encoding", body: lines(toIndex, said("m")), headers: []string{"Content-Encoding: br"}, status: 400, reason: "encoding", says: "unsupported Content-Encoding: br"},
	{name: "another media type", body: lines(toIndex, said("m")), headers: []string{"Content-Type: application/smile"}, status: 406, reason: "media_type", says: "application/smile"},
	{name: "an oversized document among good ones", body: lines(toIndex, said("a"), toIndex, `{"message":"`+strings.Repeat("x", 2000)+`"}`, toIndex, said("b")), status: 200, items: []int{201, 400, 201}, reason: "event_size", says: "more than 1000 bytes"},
	{name: "deep JSON among good ones", body: lines(toIndex, said("a"), toIndex, `{"a":`+strings.Repeat("[", 50)+strings.Repeat("]", 50)+`}`, toIndex, said("b")), status: 200, items: []int{201, 400, 201}, reason: "depth", says: "nested deeper than 32"},
	{name: "invalid UTF-8 among good ones", body: lines(toIndex, said("a"), toIndex, said("\xff\xfe"), toIndex, said("b")), status: 200, items: []int{201, 400, 201}, reason: "utf8", says: "not valid UTF-8"},
	{name: "no JSON among good ones", body: lines(toIndex, said("a"), toIndex, `{"message":`, toIndex, said("b")), status: 200, items: []int{201, 400, 201}, reason: "not_json", says: "is not JSON"},
	{name: "no object", body: lines(toIndex, `[1]`), status: 200, items: []int{400}, reason: "not_json", says: "is not a JSON object"},
	{name: "no index", body: lines(`{"index":{}}`, said("m")), status: 200, items: []int{400}, reason: "index", says: "index is missing"},
	{name: "a delete among good ones", body: lines(toIndex, said("a"), `{"delete":{"_index":"i","_id":"1"}}`, toIndex, said("b")), status: 200, items: []int{201, 400, 201}, reason: "delete", says: "delete is not supported"},
	{name: "many values among good ones", body: lines(toIndex, said("a"), toIndex, `{"a":[`+strings.Repeat("1,", 100)+`1]}`, toIndex, said("b")), status: 200, items: []int{201, 400, 201}, reason: "values", says: "more than 50 values"},
	{name: "a long name among good ones", body: lines(toIndex, said("a"), `{"index":{"_index":"`+strings.Repeat("i", 300)+`"}}`, said("m"), toIndex, said("b")), status: 200, items: []int{201, 400, 201}, reason: "name", says: "300 bytes, the limit is 255"},
	{name: "an update of nothing", body: lines(`{"update":{"_index":"i","_id":"1"}}`, `{}`), status: 200, items: []int{400}, reason: "action", says: "neither doc nor upsert"},
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	for _, tt := range badInput {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, &pipeline{}, func(c *Config) {
				c.ServerConfig.MaxRequestBodySize = 10_000
				c.Limits.ItemBytes, c.Limits.Items, c.Limits.Values = 1000, 10, 50
			})
			body := tt.body
			switch tt.name {
			case "a zip bomb":
				body = zipped(t, toIndex+"\n{\"message\":\""+strings.Repeat("0", 1_000_000)+"\"}\n")
				require.Less(t, len(body), 10_000)
			case "truncated gzip":
				body = zipped(t, toIndex+"\n"+said("m")+"\n")
				body = body[:len(body)-10]
			}
			a := r.do("POST", "/_bulk", bytes.NewReader(body), tt.headers...)
			require.Equal(t, tt.status, a.StatusCode, a.text)
			assert.Contains(t, a.text, tt.says)
			if tt.items != nil {
				assert.Equal(t, tt.items, a.statuses(t))
				r.counts(1, "refused_items", tt.reason)
				r.counts(1, "refused_items")
				r.counts(0, "errors")
			} else {
				assert.EqualValues(t, tt.status, a.object(t)["status"])
				r.counts(1, "errors", tt.reason)
				r.counts(1, "errors")
			}
			assert.Equal(t, []int{201}, r.bulk(toIndex, said("another client")).statuses(t))
		})
	}
}

// raw sends text over a new connection.
func (r *running) raw(text string) *bufio.Reader {
	r.Helper()
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(r.Context(), "tcp", r.http.Addr().String())
	require.NoError(r, err)
	r.Cleanup(func() { conn.Close() })
	_, err = io.WriteString(conn, text)
	require.NoError(r, err)
	require.NoError(r, conn.SetReadDeadline(time.Now().Add(patience)))
	return bufio.NewReader(conn)
}

// A client that sends its request too slowly or never completes it keeps its slot for
// read_timeout at most.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	next := &pipeline{}
	r := start(t, next, func(c *Config) {
		c.ServerConfig.ReadTimeout, c.ServerConfig.ReadHeaderTimeout = 300*time.Millisecond, 300*time.Millisecond
		c.Limits.ConcurrencyPerClient, c.Limits.Concurrency = 2, 2
	})
	half := "POST /_bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n" + toIndex + "\n"
	slow, headers := r.raw(half), r.raw("POST /_bulk HTTP/1.1\r\nHo")
	assert.Equal(t, []int{201}, r.bulk(toIndex, said("meanwhile")).statuses(t))
	res, err := http.ReadResponse(slow, nil)
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, http.StatusRequestTimeout, res.StatusCode)
	assert.Equal(t, "Elasticsearch", res.Header.Get("X-Elastic-Product"))
	r.counts(1, "errors", reasonStalled)
	_, err = io.ReadAll(headers)
	require.NoError(t, err, "closed without an answer")
	assert.Equal(t, []string{"meanwhile"}, next.accepted())
}

// The time in the pipeline does not count against the client.
func TestSlowPipelineIsNotASlowClient(t *testing.T) {
	t.Parallel()
	next := &pipeline{answer: func(context.Context, int, []string) error { time.Sleep(400 * time.Millisecond); return nil }}
	r := start(t, next, func(c *Config) { c.ServerConfig.ReadTimeout = 300 * time.Millisecond; c.Chunk.Items = 1 })
	assert.Equal(t, []int{201, 201}, r.bulk(toIndex, said("a"), toIndex, said("b")).statuses(t))
}

// If a connection breaks during a request, nothing of its last chunk reaches the pipeline.
func TestBrokenConnection(t *testing.T) {
	t.Parallel()
	next := &pipeline{}
	r := start(t, next, nil)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", r.http.Addr().String())
	require.NoError(t, err)
	fmt.Fprintf(conn, "POST /_bulk HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n%s\n%s\n", toIndex, said("m"))
	require.NoError(t, conn.Close())
	r.counts(1, "errors", reasonRead)
	assert.Empty(t, next.accepted())
}

// One client cannot take all slots. A request above the limit is rejected with Retry-After.
func TestNoisyClient(t *testing.T) {
	t.Parallel()
	open := make(chan struct{})
	next := &pipeline{answer: func(context.Context, int, []string) error { <-open; return nil }}
	r := start(t, next, func(c *Config) {
		c.Limits.Concurrency, c.Limits.ConcurrencyPerClient, c.RetryAfter = 3, 2, 1500*time.Millisecond
	})
	done := make(chan reply, 3)
	noisy := func() { done <- r.bulk(toIndex, said("noisy")) }
	go noisy()
	go noisy()
	require.Eventually(t, func() bool { next.mu.Lock(); defer next.mu.Unlock(); return next.calls == 2 }, patience, time.Millisecond)
	a := r.bulk(toIndex, said("one more"))
	assert.Equal(t, http.StatusTooManyRequests, a.StatusCode)
	assert.Equal(t, "2", a.Header.Get("Retry-After"))
	r.counts(1, "errors", reasonClient)

	// The other client has another address: 127.0.0.2.
	other := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).DialContext}}
	go func() {
		res, err := other.Post(r.url+"/_bulk", "application/x-ndjson", bytes.NewReader(lines(toIndex, said("quiet"))))
		if assert.NoError(t, err) {
			text, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			done <- reply{res, string(text)}
		}
	}()
	require.Eventually(t, func() bool { next.mu.Lock(); defer next.mu.Unlock(); return next.calls == 3 }, patience, time.Millisecond)
	close(open)
	for range 3 {
		assert.Equal(t, []int{201}, (<-done).statuses(t))
	}
	assert.ElementsMatch(t, []string{"noisy", "noisy", "quiet"}, next.accepted())
}

// With limits::wait a request that is one too many is served when another ends.
func TestWaitForATurn(t *testing.T) {
	t.Parallel()
	open := make(chan struct{})
	next := &pipeline{answer: func(_ context.Context, call int, _ []string) error {
		if call == 1 {
			<-open
		}
		return nil
	}}
	r := start(t, next, func(c *Config) { c.Limits.Concurrency, c.Limits.Wait = 1, patience })
	done := make(chan reply, 2)
	go func() { done <- r.bulk(toIndex, said("first")) }()
	require.Eventually(t, func() bool { next.mu.Lock(); defer next.mu.Unlock(); return next.calls == 1 }, patience, time.Millisecond)
	go func() { done <- r.bulk(toIndex, said("second")) }()
	time.AfterFunc(50*time.Millisecond, func() { close(open) })
	for range 2 {
		assert.Equal(t, []int{201}, (<-done).statuses(t))
	}
	assert.Equal(t, []string{"first", "second"}, next.accepted())
}

func TestDecompressedSizeIsBounded(t *testing.T) {
	t.Parallel()
	r := start(t, &pipeline{}, func(c *Config) { c.Limits.DecompressedBytes = 1000 })
	body := zipped(t, strings.Repeat(toIndex+"\n"+said("m")+"\n", 100))
	a := r.do(http.MethodPost, "/_bulk", bytes.NewReader(body), "Content-Type: application/x-ndjson", "Content-Encoding: gzip")
	assert.Equal(t, http.StatusRequestEntityTooLarge, a.StatusCode)
	assert.Contains(t, a.text, "more than 1000 bytes, see max_request_body_size and limits::decompressed_bytes")
	r.counts(1, "errors", reasonBodySize)
}

// Every reason that is used is declared in metadata.yaml.
func TestReasonsAreDeclared(t *testing.T) {
	assert.ElementsMatch(t, []string{
		reasonAnswer, reasonBodySize, reasonClient, reasonEncoding, reasonItem, reasonMediaType, reasonMemory, reasonRead, reasonRetryable, reasonRequests, reasonStalled, reasonStopping,
		reasonUnauthorized, reasonUnsupported, string(esbulk.ReasonAction), string(esbulk.ReasonEmpty), string(esbulk.ReasonItems), string(esbulk.ReasonTruncated),
	}, declared(t, "error_reason"))
	assert.ElementsMatch(t, []string{
		itemRetryable, itemMemory, itemNoPipeline, itemPermanent, string(esbulk.ReasonAction), string(esbulk.ReasonDelete), string(esbulk.ReasonDepth),
		string(esbulk.ReasonEventSize), string(esbulk.ReasonIndex), string(esbulk.ReasonName), string(esbulk.ReasonNotJSON), string(esbulk.ReasonUTF8), string(esbulk.ReasonValues),
	}, declared(t, "item_reason"))
}
