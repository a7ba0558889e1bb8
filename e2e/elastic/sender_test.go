// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	lumber "github.com/elastic/go-lumber/client/v2"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// sender sends events with go-lumber and resends unacknowledged ones.
type sender struct {
	address, run, name string
	window             int
	files              bool          // every event has its position in a file, as with Filebeat
	pause              time.Duration // between two windows
	started            time.Time
	lists              ledger
	resent             int // windows
}

// ledger holds the lists of a sender as files with one number per line.
type ledger struct{ folder, name string }

func (l ledger) path(list string) string { return filepath.Join(l.folder, l.name+"."+list) }

func (l ledger) add(list, lines string) error {
	f, err := os.OpenFile(l.path(list), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(lines); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// read returns the numbers of a list. It ignores an incomplete last line.
func (l ledger) read(t *testing.T, list string) map[int]bool {
	t.Helper()
	text, err := os.ReadFile(l.path(list))
	require.NoError(t, err)
	numbers := map[int]bool{}
	lines := strings.Split(string(text), "\n")
	for _, line := range lines[:len(lines)-1] {
		n, err := strconv.Atoi(line)
		require.NoError(t, err)
		numbers[n] = true
	}
	return numbers
}

// event returns event n. A third of the events have their position in a file, a third an id, and a third neither,
// unless files is set.
func (s *sender) event(n int) map[string]any {
	e := map[string]any{
		"@timestamp": s.started.UTC().Format("2006-01-02T15:04:05.000Z"), "message": fmt.Sprintf("line %d of %s", n, s.name),
		"run": s.run, "sender": s.name, "n": n,
	}
	switch {
	case s.files || n%3 == 0:
		e["agent"] = map[string]any{"id": "agent-" + s.run, "type": "filebeat"}
		e["log"] = map[string]any{"offset": 64 * n, "file": map[string]any{"path": "/var/log/" + s.name + ".log", "inode": "17"}}
	case n%3 == 1:
		e["@metadata"] = map[string]any{"beat": "filebeat", "_id": fmt.Sprintf("%s-%s-%d", s.run, s.name, n)}
	}
	return e
}

// send sends count events, or sends until done is closed if count is 0. It then completes the current window. ctx
// ends it at once.
func (s *sender) send(ctx context.Context, count int, done <-chan struct{}) error {
	var client *lumber.SyncClient
	defer func() {
		if client != nil {
			_ = client.Close()
		}
	}()
	for first := 0; count == 0 || first < count; first += s.window {
		select {
		case <-done:
			return nil
		case <-time.After(s.pause):
		}
		var lines strings.Builder
		var events []any
		for n := first; n < first+s.window && (count == 0 || n < count); n++ {
			fmt.Fprintln(&lines, n)
			events = append(events, s.event(n))
		}
		if err := s.lists.add("sent", lines.String()); err != nil {
			return err
		}
		for try := 0; ; try++ {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			var err error
			if client == nil {
				client, err = lumber.SyncDial(s.address, lumber.CompressionLevel(3), lumber.Timeout(15*time.Second))
				if dialed := client; err == nil {
					// A collector that waits for Elasticsearch blocks the client. Closing the connection ends the
					// wait.
					context.AfterFunc(ctx, func() { _ = dialed.Close() })
				}
			}
			if err == nil {
				if _, err = client.Send(events); err == nil {
					break
				}
				_ = client.Close()
			}
			client = nil
			s.resent++
			time.Sleep(50 * time.Millisecond)
		}
		if err := s.lists.add("acknowledged", lines.String()); err != nil {
			return err
		}
	}
	return nil
}

// searched returns the number of documents of each event of a sender in Elasticsearch.
func searched(t *testing.T, es *peertest.Elasticsearch, run, name string, sent map[int]bool) map[int]int {
	t.Helper()
	highest := -1
	for n := range sent {
		highest = max(highest, n)
	}
	found := map[int]int{}
	const part = 20_000 // limits memory
	for from := 0; from <= highest; from += part {
		hits, err := es.Search(t.Context(), "logs-*", fmt.Sprintf(
			`{"bool":{"filter":[{"term":{"attributes.run":%q}},{"term":{"attributes.sender":%q}},{"range":{"attributes.n":{"gte":%d,"lt":%d}}}]}}`,
			run, name, from, from+part))
		require.NoError(t, err)
		for _, h := range hits {
			attributes, ok := h.Source["attributes"].(map[string]any)
			require.True(t, ok, "%v", h.Source)
			n, ok := attributes["n"].(float64)
			require.True(t, ok, "%v", h.Source)
			found[int(n)]++
		}
	}
	return found
}
