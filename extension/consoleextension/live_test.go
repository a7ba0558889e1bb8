// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// streamed is an event of a stream, without its data.
type streamed struct{ id, topic string }

// follow opens a stream and returns a function that reads the next event.
func follow(t *testing.T, base, last string) (next func() streamed, leave func()) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/v1/stream", http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Last-Event-ID", last)
	resp, err := (&http.Client{Transport: browser.Transport}).Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { leave(); resp.Body.Close() })
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 8<<20)
	return func() (e streamed) {
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				e.id = value
			case "event":
				e.topic = value
			case "data":
				return e
			}
		}
		return e
	}, leave
}

func TestStreamIsResumable(t *testing.T) {
	base := startConsole(t, newHost(busyEngine(t)))
	next, leave := follow(t, base, "")
	first, second := next(), next()
	assert.ElementsMatch(t, []string{"status", "incidents"}, []string{first.topic, second.topic})
	leave()
	for last, want := range map[string]string{
		first.id:         second.topic, // what came after it
		"other-" + "7":   first.topic,  // of another run: all
		"garbage":        first.topic,
		first.id + "abc": first.topic,
	} {
		next, leave := follow(t, base, last)
		assert.Equal(t, want, next().topic, last)
		leave()
	}
}

func TestStreamHasALimit(t *testing.T) {
	c := newTestConsole("127.0.0.1:0")
	c.cfg.MaxClients = 2
	c.api.live.max = 2
	base := startThis(t, c, newHost(newEngine()))
	_, leave := follow(t, base, "")
	follow(t, base, "")
	a := ask(t, request(t, http.MethodGet, base+"/api/v1/stream"))
	assert.Equal(t, http.StatusServiceUnavailable, a.status)
	assert.Contains(t, a.body["error"], "2 pages are updated live")
	assert.Equal(t, "10", a.header.Get("Retry-After"))
	leave()
	require.Eventually(t, func() bool {
		c.api.live.mu.Lock()
		defer c.api.live.mu.Unlock()
		return c.api.live.clients == 1
	}, 5*time.Second, 10*time.Millisecond)
}

// A state that does not change is not sent again, and one that changes often reaches a slow client once.
func TestTopicsKeepTheLatestStateOnly(t *testing.T) {
	l := newLive(start, 1)
	require.NoError(t, l.publish("a", 1))
	require.NoError(t, l.publish("b", 1))
	_, changed := l.since(0)
	require.NoError(t, l.publish("a", 1))
	select {
	case <-changed:
		t.Error("nothing has changed")
	default:
	}
	for n := range 1000 {
		require.NoError(t, l.publish("a", n))
	}
	<-changed
	events, _ := l.since(0)
	require.Len(t, events, 2)
	assert.Equal(t, "b", events[0].topic)
	assert.Equal(t, "999", string(events[1].data))
	require.Error(t, l.publish("a", func() {}))
}

// A client that reads nothing is disconnected, and holds up no other.
func TestSlowClient(t *testing.T) {
	c := newTestConsole("127.0.0.1:0")
	c.api.live.within = 200 * time.Millisecond
	base := startThis(t, c, newHost(newEngine()))
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	require.NoError(t, err)
	require.Eventually(t, c.api.live.watched, 5*time.Second, time.Millisecond)
	large := strings.Repeat("x", 1<<20)
	deadline := time.Now().Add(20 * time.Second)
	for n := 0; c.api.live.watched() && time.Now().Before(deadline); n++ {
		require.NoError(t, c.api.live.publish("large", []any{n, large}))
		assert.Equal(t, http.StatusOK, getJSON(t, base+"/api/v1/status").status)
		time.Sleep(10 * time.Millisecond)
	}
	assert.False(t, c.api.live.watched(), "the slow client is gone")
}

func TestShutdownEndsStreams(t *testing.T) {
	c := newTestConsole("127.0.0.1:0")
	require.NoError(t, c.Start(t.Context(), newHost(newEngine())))
	next, _ := follow(t, "http://"+c.addr.String(), "")
	next()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	require.NoError(t, c.Shutdown(ctx))
}
