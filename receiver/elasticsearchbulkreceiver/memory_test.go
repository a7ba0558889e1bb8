// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestManyItems: one million items in 70 KB are rejected before they use memory.
func TestManyItems(t *testing.T) {
	t.Parallel()
	r := start(t, &pipeline{}, nil)
	body := zipped(t, strings.Repeat(`{"create":{"_index":"a"}}`+"\n[]\n", 1_000_000))
	require.Less(t, len(body), 100<<10)
	a := r.do("POST", "/_bulk", bytes.NewReader(body), "Content-Type: application/x-ndjson", "Content-Encoding: gzip")
	assert.Equal(t, http.StatusRequestEntityTooLarge, a.StatusCode)
	assert.Less(t, len(a.text), 1000)
	assert.Equal(t, []int{201}, r.bulk(toIndex, said("m")).statuses(t))
}

// heap returns the size of the heap in use, in bytes.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Clients that each hold an unfinished document stay within the memory of the receiver, and a
// well-behaved client is served at the same time.
func TestUnfinishedDocumentsStayWithinMemory(t *testing.T) {
	next := &pipeline{}
	r := start(t, next, func(c *Config) {
		c.Limits.MemoryBytes, c.Limits.ItemBytes, c.Limits.Values, c.Limits.Items = 18<<20, 2<<20, 1000, 1000
	})
	before := heap()
	part := strings.Repeat("x", 1<<20)
	for range 50 {
		reader, writer := io.Pipe()
		t.Cleanup(func() { writer.Close() })
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/_bulk", reader)
		require.NoError(t, err)
		go func() {
			if res, err := http.DefaultClient.Do(req); err == nil {
				res.Body.Close()
			}
		}()
		fmt.Fprintf(writer, "%s\n{\"message\":\"%s", toIndex, part)
	}
	assert.Less(t, heap()-before, 36<<20, "twice for a moment while a buffer grows, and the buffers of the connections")
	assert.Equal(t, []int{201}, r.bulk(toIndex, said("m")).statuses(t))
	assert.Equal(t, []string{"m"}, next.accepted())
}

// Items for which memory is missing get a retryable error, and the other items of the request are
// accepted.
func TestPartsShrinkWithMemory(t *testing.T) {
	t.Parallel()
	next := &pipeline{}
	r := start(t, next, func(c *Config) {
		c.Limits.MemoryBytes, c.Limits.ItemBytes, c.Limits.Values, c.Limits.Items = 600_000, 1000, 100, 500
	})
	var lines []string
	for i := range 400 {
		lines = append(lines, toIndex, said(strconv.Itoa(i)))
	}
	for _, status := range r.bulk(lines...).statuses(t) {
		assert.Equal(t, 201, status)
	}
	assert.Len(t, next.accepted(), 400)
	assert.Greater(t, next.calls, 1)
}
