// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	writeKills  = 10
	aimedKills  = 15
	outageAt    = 6                // kills before Prometheus stops; the next one occurs while it is stopped
	shortOutage = 20 * time.Second // AUSPEX_E2E=full: 60 s
	settleFor   = 15 * time.Second // the wait ends after this time without new samples
)

// writeRow is a row of the table. It counts samples.
type writeRow struct {
	mode                                                string
	sent, acknowledged, found, letters, missing, byCore int
}

// TestRemoteWriteKills kills the collector under load, stops Prometheus for a while, and makes it reject requests. It
// verifies that each acknowledged sample is in Prometheus or in a dead letter. Remote write has no duplicates:
// writing a sample again has no effect.
func TestRemoteWriteKills(t *testing.T) {
	if testing.Short() {
		t.Skip("kills and outages in three modes take two minutes")
	}
	s := seed(t, uint64(time.Now().UnixNano()%1_000_000))
	var rows []writeRow
	for i, mode := range []struct {
		name    string
		configs []string
		play    func(*writeRun, *testing.T)
	}{
		{"direct", []string{"remote_write.yaml"}, (*writeRun).play},
		{"queue on disk", []string{"remote_write.yaml", "remote_write_queue.yaml"}, (*writeRun).play},
		{"queue on disk, aimed", []string{"remote_write.yaml", "remote_write_queue.yaml"}, (*writeRun).aim},
	} {
		t.Run(mode.name, func(t *testing.T) {
			k := startWriteRun(t, rand.New(rand.NewPCG(s, uint64(i))), mode.configs)
			mode.play(k, t)
			rows = append(rows, k.judge(t, mode.name))
		})
	}
	table := writeTable(rows)
	t.Logf("\n%s", table)
	keep(t, "table.txt", []byte(table))
}

func writeTable(rows []writeRow) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "mode\t| sent\t| acknowledged\t| found\t| in dead letters\t| missing\t| lost by core at start\t| duplicates")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t| %d\t| %d\t| %d\t| %d\t| %d\t| %d\t| n/a\n", r.mode, r.sent, r.acknowledged, r.found, r.letters, r.missing, r.byCore)
	}
	_ = w.Flush()
	return b.String()
}

// writeRun is one mode of the test.
type writeRun struct {
	run       string
	random    *rand.Rand
	peer      *writePeer
	collector *victim
	sender    *writeSender
	stopped   bool // Prometheus stays stopped until the test ends
}

func startWriteRun(t *testing.T, random *rand.Rand, configs []string) *writeRun {
	t.Helper()
	k := &writeRun{run: newRun(), random: random, peer: startWritePeer(t)}
	k.collector = newVictim(t, k.peer.proxy.URL+"/api/v1/write", configs...)
	k.collector.start()
	k.sender = startWriteSender(t, k.collector.otlp, k.run)
	return k
}

// play runs kills, rejections, and an outage under load.
func (k *writeRun) play(t *testing.T) {
	t.Helper()
	for n := range writeKills {
		switch n {
		case 2:
			k.peer.answer(http.StatusBadRequest)
		case 4:
			k.sender.sendLate()
		case outageAt:
			k.outage(t, n)
			continue
		case 8:
			k.peer.answer(http.StatusTooManyRequests)
		}
		k.kill(t, n)
	}
	k.finish(t)
}

// aim kills the collector while the queue re-enqueues the requests that were in flight. This takes only milliseconds,
// so random kills rarely hit it.
func (k *writeRun) aim(t *testing.T) {
	t.Helper()
	k.peer.answer(http.StatusBadRequest)
	k.acknowledgeMore(t)
	k.sender.sendLate()
	time.Sleep(time.Second)
	k.peer.server.Stop() // Requests are then in flight.
	for range aimedKills {
		k.collector.waitHealthy()
		time.Sleep(300 * time.Millisecond)
		k.collector.kill()
		before := len(k.collector.text())
		k.collector.start()
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Microsecond) {
			if strings.Contains(k.collector.text()[before:], queuePutsBack) {
				break
			}
		}
		time.Sleep(time.Duration(k.random.IntN(3000)) * time.Microsecond)
		k.collector.kill()
		k.collector.start()
	}
	k.peer.answer(http.StatusTooManyRequests)
	if k.stopped = permanently(); !k.stopped {
		k.peer.start()
	}
	k.finish(t)
}

// finish restores normal operation and ends the load.
func (k *writeRun) finish(t *testing.T) {
	t.Helper()
	k.collector.waitHealthy()
	if !k.stopped {
		k.acknowledgeMore(t)
	}
	k.sender.end()
}

func permanently() bool { return os.Getenv("AUSPEX_E2E_STOP_PROMETHEUS") == "1" }

// kill waits for a random time, kills the collector, and restarts it. Every third kill occurs within the first second
// after the start.
func (k *writeRun) kill(t *testing.T, n int) {
	t.Helper()
	wait := time.Duration(k.random.IntN(1000)) * time.Millisecond
	when := fmt.Sprintf("%v after its start", wait)
	if n%3 != 2 {
		k.collector.waitHealthy()
		if !k.stopped {
			k.acknowledgeMore(t)
		}
		wait *= 3
		when = fmt.Sprintf("%v after it acknowledged data", wait)
	}
	time.Sleep(wait)
	k.restart(t, n, when)
}

func (k *writeRun) restart(t *testing.T, n int, when string) {
	t.Helper()
	k.collector.kill()
	t.Logf("kill %d, %s: %d samples acknowledged so far", n+1, when, k.sender.count())
	k.collector.start()
}

// acknowledgeMore waits for another acknowledgement of the collector.
func (k *writeRun) acknowledgeMore(t *testing.T) {
	t.Helper()
	before := k.sender.count()
	peertest.Eventually(t, 30*time.Second, "an acknowledgement", func() error {
		if k.sender.count() == before {
			return errors.New("no new acknowledgement")
		}
		return nil
	})
}

// outage stops Prometheus for a while and kills the collector meanwhile.
func (k *writeRun) outage(t *testing.T, n int) {
	t.Helper()
	long := shortOutage
	if os.Getenv("AUSPEX_E2E") == "full" {
		long = time.Minute
	}
	k.collector.waitHealthy()
	k.peer.server.Stop()
	before := k.sender.count()
	time.Sleep(long / 2)
	k.restart(t, n, "while Prometheus is stopped")
	time.Sleep(long / 2)
	t.Logf("Prometheus was stopped for %v: %d samples were acknowledged meanwhile", long, k.sender.count()-before)
	if k.stopped = permanently(); !k.stopped {
		k.peer.start()
	}
}

// judge compares the acknowledged samples with those found.
func (k *writeRun) judge(t *testing.T, mode string) writeRow {
	t.Helper()
	letters, found, err := k.settle(t)
	assert.NoError(t, err)
	row := writeRow{mode: mode, sent: len(k.sender.sent), acknowledged: len(k.sender.acknowledged), letters: len(letters)}
	for key, s := range k.sender.sent {
		if v, ok := found[key]; ok && v == s.value {
			row.found++
		}
	}
	missing := k.missing(letters, found)
	row.missing, row.byCore = len(missing), k.explain(t, missing)
	t.Logf("\n%s%d requests were rejected or interrupted and sent again; the proxy forwarded %d requests and answered others itself, by status: %v",
		writeTable([]writeRow{row}), k.sender.refusals, k.peer.passed, k.peer.given)

	strange := len(found) - row.found
	assert.Zero(t, strange, "Prometheus has samples or values that were not sent")
	if !k.stopped {
		assert.Equal(t, map[int]int{http.StatusBadRequest: 1, http.StatusTooManyRequests: 1}, k.peer.given)
		assert.NotZero(t, row.letters, "a dead letter with the sample that is too old for Prometheus")
	}
	assert.Equal(t, row.byCore, row.missing, "samples are missing that the core's re-enqueue does not explain")
	return row
}

// settle waits until all acknowledged samples are found or no more arrive.
func (k *writeRun) settle(t *testing.T) (letters, found map[sampleKey]float64, err error) {
	t.Helper()
	best, since := -1, time.Now()
	for {
		var now map[sampleKey]float64
		if now, err = k.peer.found(context.WithoutCancel(t.Context()), k.run); err == nil {
			found = now
		}
		letters = inLetters(t, filepath.Join(k.collector.state, "dead_letter"), k.run)
		if len(k.missing(letters, found)) == 0 {
			return letters, found, err
		}
		if n := len(found) + len(letters); n > best {
			best, since = n, time.Now()
		}
		if time.Since(since) > settleFor {
			return letters, found, err
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// missing returns the acknowledged samples that are in neither place.
func (k *writeRun) missing(letters, found map[sampleKey]float64) []sampleKey {
	var missing []sampleKey
	for key, s := range k.sender.acknowledged {
		a, inFound := found[key]
		b, inLetter := letters[key]
		if (!inFound || a != s.value) && (!inLetter || b != s.value) {
			missing = append(missing, key)
		}
	}
	slices.SortFunc(missing, func(a, b sampleKey) int { return int(a.at - b.at) })
	return missing
}

// explain logs the missing samples and returns how many of them the core lost at a start: all if the log proves as
// many lost requests, otherwise none.
func (k *writeRun) explain(t *testing.T, missing []sampleKey) int {
	t.Helper()
	log := k.collector.text()
	keep(t, "collector.log", []byte(log))
	lost, proof := peertest.LostByCore(log)
	if lost > 0 {
		t.Logf("the collector's core lost %d requests while it re-enqueued those in flight at the start:\n%s", lost, strings.Join(proof, "\n"))
	}
	if len(missing) == 0 {
		return 0
	}
	requests := map[int]bool{}
	for _, key := range missing {
		requests[k.sender.acknowledged[key].request] = true
	}
	first := missing[0]
	t.Logf("missing: %d samples of %d requests, the first of worker %d, series %d at %v",
		len(missing), len(requests), first.worker, first.series, time.UnixMilli(first.at).UTC())
	if len(requests) > lost {
		return 0
	}
	return len(missing)
}
