// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/peertest"
)

// remembered holds the console's content at one time, with the generation of the latest snapshot.
type remembered struct {
	generation uint64
	points     uint64
	anomalies  map[string]incident.Anomaly // by the identity of their series
}

// witness polls the console, so that a test knows the state before a kill.
type witness struct {
	console console
	mu      sync.Mutex
	seen    []remembered
}

func startWitness(t *testing.T, c console) *witness {
	t.Helper()
	w := &witness{console: c}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
			if r, err := recall(c); err == nil {
				w.mu.Lock()
				w.seen = append(w.seen, r)
				w.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-done
	})
	return w
}

// recall requests the anomalies first. They existed before the generation that it reads after them was superseded.
func recall(c console) (r remembered, err error) {
	incidents, err := c.incidents()
	if err != nil {
		return r, err
	}
	r.anomalies = map[string]incident.Anomaly{}
	for _, i := range incidents {
		for _, a := range i.Anomalies {
			if a.Observed > brokenAbove { // noise may open an anomaly
				r.anomalies[a.Series] = a
			}
		}
	}
	s, err := c.status()
	r.generation, r.points = s.Generation, s.Points
	return r, err
}

// take returns the observations of the witness and clears them.
func (w *witness) take() []remembered {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}

// mustHold returns the minimum content of a state that was restored from the given generation. What was observed
// under one generation may be missing from that snapshot, but not from the one after the next.
func mustHold(seen []remembered, generation uint64) remembered {
	least := remembered{}
	for _, r := range seen {
		if r.generation+2 <= generation && r.points >= least.points {
			least = r
		}
	}
	return least
}

var restoredLine = regexp.MustCompile(`restored state\t.*"generation": (\d+)`)

// restored returns the number of times that the collector logged a restored state, and the generation of the last
// one.
func restored(t *testing.T, c *peertest.Collector) (times int, generation uint64) {
	t.Helper()
	lines := restoredLine.FindAllStringSubmatch(c.Log(), -1)
	if len(lines) == 0 {
		return 0, 0
	}
	generation, err := strconv.ParseUint(lines[len(lines)-1][1], 10, 64)
	require.NoError(t, err)
	return len(lines), generation
}

// TestKillAndReload kills the collector under load at random times, then reloads its configuration. It verifies that
// models and open anomalies are restored.
func TestKillAndReload(t *testing.T) {
	kills := 5
	if testing.Short() {
		kills = 1
	}
	s := seed(t, uint64(time.Now().UnixNano()%1_000_000))
	random := rand.New(rand.NewPCG(s, 1))
	c := peertest.StartCollector(t, peertest.CollectorOptions{Config: config(t, "engine.yaml")})
	api := console{c.Console}
	l := startLoad(t, c.OTLP, rand.New(rand.NewPCG(s, 2)))
	peertest.Eventually(t, 30*time.Second, "warm models", func() error {
		status, err := api.status()
		if err == nil && (status.Series != loadSeries || status.Warming > 0) {
			err = fmt.Errorf("%d series, %d of them warming", status.Series, status.Warming)
		}
		return err
	})
	w := startWitness(t, api)
	k := &killing{c: c, api: api, load: l, witness: w, ids: map[string]string{}}
	for n := range kills {
		l.breakSeries(2 * n)
		time.Sleep(3*time.Second + time.Duration(random.IntN(1500))*time.Millisecond) // a snapshot is due every second
		l.breakSeries(2*n + 1)
		time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
		k.kill(t, n)
	}
	l.breakSeries(loadSeries - 1)
	time.Sleep(time.Duration(500+random.IntN(1000)) * time.Millisecond)
	k.reload(t)
}

// killing holds the state of the test between two restarts.
type killing struct {
	c       *peertest.Collector
	api     console
	load    *load
	witness *witness
	ids     map[string]string // of anomalies and their incidents, by series: they never change
	base    uint64            // points that the engine knew at the last start
	sent    int               // points acknowledged by then
	pending int               // points sent without an answer by then
}

// kill ends the collector with SIGKILL, starts it again, and compares.
func (k *killing) kill(t *testing.T, n int) {
	t.Helper()
	k.c.Kill()
	sent, unanswered, release := k.load.hold()
	seen := k.witness.take()
	k.c.Start()
	times, generation := restored(t, k.c)
	require.Equal(t, n+1, times, "number of restarts that restored a state")
	status := k.api.mustStatus(t)
	r, err := recall(k.api)
	require.NoError(t, err)
	release()

	require.NotEmpty(t, seen)
	assert.GreaterOrEqual(t, generation, seen[len(seen)-1].generation, "the latest complete snapshot was not restored")
	least := mustHold(seen, generation)
	require.NotZero(t, least.generation, "no snapshot was written before kill %d", n+1)
	k.compare(t, least, r, status)
	lost := k.known(sent) - int(status.Points)
	t.Logf("kill %d: %d points acknowledged so far; generation %d restored; points of state lost: %d (%d of a request were unanswered); %d anomalies remembered",
		n+1, sent, generation, lost, unanswered, len(r.anomalies))
	k.base, k.sent, k.pending = status.Points, sent, unanswered
}

// known returns the number of points that the engine knows if it lost none since the last start.
func (k *killing) known(sent int) int { return int(k.base) + sent - k.sent }

// compare verifies that the required state is present and that no id changed.
func (k *killing) compare(t *testing.T, least, now remembered, status engine.Status) {
	t.Helper()
	groups := status.Series - loadSeries
	assert.True(t, groups >= 0 && groups <= loadServices, "%d series, and a group for each service at most", status.Series)
	assert.LessOrEqual(t, status.Warming, groups, "a model lost its state")
	assert.GreaterOrEqual(t, now.points, least.points, "points of generation %d", status.Generation)
	assert.NotEmpty(t, least.anomalies)
	for series, a := range least.anomalies {
		b, ok := now.anomalies[series]
		if assert.True(t, ok, "the anomaly %s of %s %v is lost", a.ID, a.Service, a.Attributes) {
			assert.Equal(t, a.State, b.State, "state of anomaly %s", a.ID)
		}
	}
	for series, a := range now.anomalies {
		ids := a.ID + " of incident " + a.Incident
		if before, ok := k.ids[series]; ok {
			assert.Equal(t, before, ids, "ids of series %s", series)
		}
		k.ids[series] = ids
	}
}

// reload makes the collector reload its configuration, which rebuilds all components, and verifies that no state is
// lost.
func (k *killing) reload(t *testing.T) {
	t.Helper()
	before, err := recall(k.api)
	require.NoError(t, err)
	times, _ := restored(t, k.c)
	k.c.Signal(syscall.SIGHUP)
	peertest.Eventually(t, 20*time.Second, "the reload", func() error {
		if now, _ := restored(t, k.c); now == times {
			return errors.New("the log does not say that state was restored")
		}
		_, err := k.api.status()
		return err
	})
	k.c.WaitHealthy()
	first := k.load.acknowledged()
	peertest.Eventually(t, 10*time.Second, "points are accepted again", func() error {
		if k.load.acknowledged() == first {
			return fmt.Errorf("no point was accepted since %d", first)
		}
		return nil
	})
	sent, unanswered, release := k.load.hold()
	defer release()
	require.Zero(t, unanswered)
	after, err := recall(k.api)
	require.NoError(t, err)
	k.compare(t, before, after, k.api.mustStatus(t))
	// The load resends the request that was unanswered at the last kill. If the snapshot contained it, it counts
	// once.
	lost := k.known(sent) - int(after.points)
	if lost == k.pending {
		lost = 0
	}
	assert.Zero(t, lost, "points of state lost by a reload")
	t.Logf("reload: points of state lost: %d of %d; %d anomalies remembered", lost, sent, len(after.anomalies))
}
