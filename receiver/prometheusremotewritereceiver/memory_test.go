// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/wire/promwrite"
)

// heap returns the size of the heap in use, in bytes.
func heap() int {
	runtime.GC()
	runtime.GC() // frees what pools keep for one more cycle
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// field returns a length-delimited protobuf field.
func field(number uint64, content string) string {
	head := binary.AppendUvarint(binary.AppendUvarint(nil, number<<3|2), uint64(len(content)))
	return string(head) + content
}

// simple returns a version 1 series with one sample.
func simple(labels ...string) string {
	var text strings.Builder
	for i := 0; i < len(labels); i += 2 {
		text.WriteString(field(1, field(1, labels[i])+field(2, labels[i+1])))
	}
	sample := append([]byte{1<<3 | 1, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 2 << 3}, binary.AppendUvarint(nil, 1_700_000_000_000)...)
	return field(1, text.String()+field(2, string(sample)))
}

// Remembered data of a series must not reference its request.
func TestSeriesDoNotKeepTheirRequest(t *testing.T) {
	next := &pipeline{}
	r := start(t, next, nil)
	before := heap()
	for i := range 20 {
		body := simple("__name__", "m", "i", strconv.Itoa(i)) + field(15, strings.Repeat("\x00", 5<<20))
		require.Equal(t, http.StatusNoContent, r.post(contentV1, []byte(body)).status)
	}
	assert.Equal(t, 20, next.points())
	assert.Less(t, heap()-before, 4<<20, "20 requests of 5 MiB, and what pools hold")
}

// The estimated memory of a request covers its actual memory.
func TestCost(t *testing.T) {
	for _, labels := range []int{1, 5, 20} {
		t.Run(strconv.Itoa(labels), func(t *testing.T) {
			const n = 5000
			var body strings.Builder
			for i := range n {
				list := []string{"__name__", "m"}
				for l := range labels {
					list = append(list, fmt.Sprintf("label%02d", l), fmt.Sprintf("value %d of series %d", l, i))
				}
				body.WriteString(simple(list...))
			}
			var reserved counter
			require.NoError(t, promwrite.NewReader(promwrite.DefaultLimits()).Read(promwrite.Version1, []byte(body.String()), &reserved, &reading{}))
			reserved += counter(textCopies * body.Len())
			compressed := snappy.Encode(nil, []byte(body.String()))
			body.Reset()

			took := 0
			next := &pipeline{}
			r := start(t, next, nil)
			before := heap()
			next.answer = func(context.Context, pmetric.Metrics) error { took = heap() - before; return nil }
			require.Equal(t, http.StatusNoContent, r.do(r.request(contentV1, compressed)).status)
			reserved += counter(2 * len(compressed))
			t.Logf("%d series of %d labels: %d KiB, reserved %d KiB", n, labels, took>>10, reserved>>10)
			assert.Less(t, took, int(reserved))
			assert.Greater(t, took, int(reserved)/3)
		})
	}
}

// counter counts reserved bytes.
type counter int

func (c *counter) Reserve(n int) error { *c += counter(n); return nil }
func (c *counter) Release(int)         {}

// Clients that never complete their requests stay within the memory of the receiver, and a
// well-behaved client is served at the same time.
func TestUnfinishedRequestsStayWithinMemory(t *testing.T) {
	r := start(t, consumertest.NewNop(), func(c *Config) {
		c.Limits.MemoryBytes, c.Limits.DecompressedBytes, c.Server.MaxRequestBodySize = 16<<20, 1<<20, 3<<20
		c.Limits.Concurrency, c.Limits.ConcurrencyPerClient = 64, 60
	})
	before := heap()
	for range 40 {
		reader, writer := io.Pipe()
		t.Cleanup(func() { writer.Close() })
		req := r.request(contentV1, nil)
		req.Body, req.ContentLength = reader, -1
		go func() {
			if res, err := http.DefaultClient.Do(req); err == nil {
				res.Body.Close()
			}
		}()
		_, _ = io.Copy(writer, bytes.NewReader(make([]byte, 1<<20))) // The receiver may reject it meanwhile.
	}
	assert.Less(t, heap()-before, 32<<20)
	assert.Equal(t, http.StatusNoContent, r.post(contentV1, []byte(simple("__name__", "m"))).status)
}

// A request that needs more memory than the limit is rejected permanently. One that needs more
// than is free gets a retryable error.
func TestRequestsAboveMemory(t *testing.T) {
	t.Parallel()
	open, inside := make(chan struct{}), make(chan struct{}, 1)
	next := &pipeline{answer: func(context.Context, pmetric.Metrics) error { inside <- struct{}{}; <-open; return nil }}
	r := start(t, next, func(c *Config) {
		c.Limits.MemoryBytes, c.Limits.DecompressedBytes, c.Server.MaxRequestBodySize = 4<<20, 500<<10, 500<<10
	})
	many := func(n int) []byte { return []byte(strings.Repeat(simple("__name__", "m", "a", "b"), n)) }
	a := r.post(contentV1, many(2200))
	assert.Equal(t, http.StatusBadRequest, a.status)
	assert.Contains(t, a.text, "more than half of the memory for all clients, see limits::memory_bytes: send fewer series at once")
	done := make(chan int)
	go func() { done <- r.post(contentV1, many(900)).status }()
	<-inside
	a = r.post(contentV1, many(1500))
	assert.Equal(t, http.StatusServiceUnavailable, a.status)
	assert.Equal(t, retryAfter, a.header.Get("Retry-After"))
	assert.EqualValues(t, 2, r.count("errors", reasonMemory))
	close(open)
	assert.Equal(t, http.StatusNoContent, <-done)
	assert.Equal(t, http.StatusNoContent, r.post(contentV1, many(1500)).status)
}
