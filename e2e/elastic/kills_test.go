// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	killed  = 10 // times
	senders = 4
	window  = 50 // events
)

// TestKills ends the collector ten times with SIGKILL while go-lumber sends. Every third kill occurs within the first
// second after a start, one of them while core restores the queue. Elasticsearch is stopped once meanwhile. The test
// verifies that every acknowledged event is found exactly once.
//
// With the queue on disk, the collector's core may lose requests at the start: it removes requests in flight from the
// disk before it appends them to the queue again. The test reports a loss that the log explains in this way. Every
// other loss fails the test.
func TestKills(t *testing.T) {
	needPeers(t)
	t.Run("direct", func(t *testing.T) { testKills(t, direct) })
	t.Run("queue on disk", func(t *testing.T) { testKills(t) })
}

func testKills(t *testing.T, config ...string) {
	t.Helper()
	seed := uint64(number(t, "AUSPEX_E2E_SEED", int(time.Now().UnixNano()%1_000_000)))
	t.Logf("seed %d: AUSPEX_E2E_SEED=%d repeats it", seed, seed)
	random := rand.New(rand.NewPCG(seed, 3))
	down := 20 * time.Second
	if os.Getenv("AUSPEX_E2E") == "full" {
		down = time.Minute
	}
	es := peertest.StartElasticsearch(t, 8)
	c := newCollector(t, es, config...)
	c.start()
	began := time.Now()
	run, folder, done := newRun(), t.TempDir(), make(chan struct{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var all sync.WaitGroup
	var sending [senders]*sender
	var errs [senders]error
	for i := range sending {
		name := fmt.Sprintf("go-lumber-%d", i+1)
		s := &sender{address: c.beats, run: run, name: name, window: window, files: true, pause: 40 * time.Millisecond, started: time.Now(), lists: ledger{folder, name}}
		sending[i] = s
		all.Go(func() { errs[i] = s.send(ctx, 0, done) })
	}

	launched, back := began, make(chan struct{})
	for n := range killed {
		if n == killed/2 {
			es.Stop()
			t.Logf("%6.1f s: Elasticsearch stops for %v", time.Since(began).Seconds(), down)
			go func() {
				defer close(back)
				time.Sleep(down)
			}()
		}
		wait := time.Duration(1000+random.IntN(3000)) * time.Millisecond
		early := n%3 == 2
		if early {
			wait = time.Duration(random.IntN(1000)) * time.Millisecond
		}
		if early && n > killed/2 && len(config) == 0 {
			// The queue now holds many requests. A kill at this point is most likely to lose one.
			for time.Since(launched) < time.Second && !fetching.MatchString(c.process().Log()) {
				time.Sleep(100 * time.Microsecond)
			}
			t.Logf("%6.1f s: core takes requests from the disk", time.Since(began).Seconds())
		} else {
			time.Sleep(wait)
		}
		c.kill()
		t.Logf("%6.1f s: kill %d, %v after the start", time.Since(began).Seconds(), n+1, time.Since(launched).Round(time.Millisecond))
		launched = time.Now()
		if n%3 == 1 { // the next kill follows early
			c.launch()
		} else {
			c.start()
		}
	}
	<-back
	es.Start()
	t.Logf("%6.1f s: Elasticsearch is back", time.Since(began).Seconds())
	time.Sleep(5 * time.Second)
	close(done)
	all.Wait()
	for i, err := range errs {
		require.NoError(t, err, "%s", sending[i].name)
	}
	rows, lost := settled(t, es, run, sending[:], time.Since(began))
	table(t, fmt.Sprintf("run %s, %d kills, %v in all", run, killed, time.Since(began).Round(time.Second)), rows)
	if len(config) > 0 {
		assert.Empty(t, lost, "acknowledged, but not in Elasticsearch")
		return
	}
	explain(t, c, lost)
}

// settled compares until no event is missing, or until the queue is empty and no more events are found.
func settled(t *testing.T, es *peertest.Elasticsearch, run string, sending []*sender, took time.Duration) (rows []row, lost map[string]int) {
	t.Helper()
	for last, still := -1, 0; still < 4; {
		rows, lost = nil, map[string]int{}
		total := 0
		for _, s := range sending {
			r := compare(t, es, run, s.lists, func(int) bool { return true })
			r.took = took
			rows, total = append(rows, r), total+r.found
			assert.Zero(t, r.repeated, "%s: duplicates, although every event has its position in a file", s.name)
			for n := range missing(t, es, run, s) {
				lost[fmt.Sprintf("%s, window %d", s.name, n/s.window)]++
			}
		}
		if len(lost) == 0 {
			break
		}
		if total == last {
			still++
		} else {
			last, still = total, 0
		}
		time.Sleep(2 * time.Second)
	}
	return rows, lost
}

// missing returns the acknowledged events of a sender that are not found.
func missing(t *testing.T, es *peertest.Elasticsearch, run string, s *sender) map[int]bool {
	t.Helper()
	acknowledged := s.lists.read(t, "acknowledged")
	for n := range searched(t, es, run, s.name, acknowledged) {
		delete(acknowledged, n)
	}
	return acknowledged
}

var fetching = regexp.MustCompile(`Fetching items left for dispatch by consumers.*"numberOfItems": (\d+)`)

// explain verifies that a queue on disk lost events only because core re-enqueues at the start. Such a loss consists
// of whole windows, because a request of the queue is one window here. It contains no more windows than core took
// from the disk in starts that were killed during the re-enqueue.
func explain(t *testing.T, c *collector, lost map[string]int) {
	t.Helper()
	events, whole, taken := 0, true, 0
	for name, n := range lost {
		events += n
		whole = whole && n == window
		t.Logf("lost: %d events of %s", n, name)
	}
	for i, start := range c.starts {
		text := start.Log()
		m := fetching.FindStringSubmatch(text)
		moved := strings.Contains(text, "Moved items for dispatching back to queue")
		if m == nil || moved {
			continue
		}
		n, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		taken += n
		t.Logf("start %d was killed after core took %d requests from the disk and before it logged that they were queued again", i+1, n)
	}
	switch {
	case events == 0:
		t.Logf("lost: no acknowledged event; requests that core was re-enqueuing when a start was killed: %d", taken)
	case whole && len(lost) <= taken:
		t.Logf("lost: %d acknowledged events, %d whole requests, by core's re-enqueue at start, which had %d requests in flight when it was killed", events, len(lost), taken)
	default:
		t.Errorf("lost: %d acknowledged events in %d requests, whole: %v. Core's re-enqueue at start explains %d requests at most", events, len(lost), whole, taken)
		for n, start := range c.starts {
			t.Logf("start %d: %s", n+1, unusual(start.Log()))
		}
	}
}

// unusual returns the first lines of a log that concern the queue, or that are warnings or errors.
func unusual(log string) string {
	var lines []string
	for line := range strings.Lines(log) {
		if strings.Contains(line, "dispatch") || strings.Contains(line, "\terror\t") || strings.Contains(line, "\twarn\t") {
			lines = append(lines, line[:min(len(line), 300)])
		}
	}
	return strings.Join(lines[:min(len(lines), 8)], "\n")
}
