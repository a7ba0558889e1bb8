// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/auspex-otel/auspex/e2e/clients"
	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	// calibration is the time in which senders send at their maximum rate, to determine half load.
	calibration = 8 * time.Second
	quietTime   = 6 * time.Second
	// recoverWithin is the maximum time without an acknowledgement after a fault.
	recoverWithin = time.Minute
	// settleTime is the time without new records after which the count ends.
	settleTime = 30 * time.Second
	// leastRate is the minimum number of records per second of a row.
	leastRate = 100
)

// stage is one exporter with every receiver whose signals it accepts.
type stage struct {
	plan
	t        peertest.TB
	exporter string
	random   *rand.Rand
	rows     []*row
	backend  backend
	proxy    *proxy
	victim   *victim
	hostile  *deck[hostileAt]
	faults   *deck[fault]

	paused atomic.Bool
	phase  atomic.Int32
	offset atomic.Int64
	doing  atomic.Value // the current step, for the progress line
	began  time.Time
	hangs  int
	junk   int // records sent as junk
	failed []string
}

// receivers lists all receivers and their signals.
var receivers = []struct {
	name          string
	logs, metrics bool
}{
	{"otlp/grpc", true, true},
	{"otlp/http", true, true},
	{"lumberjack", true, false},
	{"elasticsearch_bulk", true, false},
	{"prometheus_remote_write", false, true},
}

func (p plan) newStage(t peertest.TB, exporter string, hostile *deck[hostileAt], random *rand.Rand) *stage {
	t.Helper()
	s := &stage{plan: p, t: t, exporter: exporter, random: random, hostile: hostile, faults: newDeck(faults, random)}
	s.backend = startBackend(t, exporter, p.run)
	s.proxy = startProxy(t, s.backend.address())
	s.victim = newVictim(t, exporter, s.proxy.address)
	for _, r := range receivers {
		if r.logs && exporter != "prometheus_remote_write" {
			s.addRow(r.name, false)
		}
		if r.metrics {
			s.addRow(r.name, true)
		}
	}
	s.say("starting")
	return s
}

func (s *stage) addRow(receiver string, metrics bool) {
	r := &row{
		ledger: newLedger(s.run, len(s.rows)), receiver: receiver, exporter: s.exporter, metrics: metrics,
		send: clients.New(s.t, receiver, s.victim.at[receiver]), paused: &s.paused, phase: &s.phase, offset: &s.offset, opened: map[string]bool{},
	}
	r.latencies.of = map[phase][]time.Duration{}
	s.rows = append(s.rows, r)
}

// play runs the stage until its time has passed and its kills and records are reached.
func (s *stage) play(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s.victim.begin(memoryLimit)
	var all, watchers sync.WaitGroup
	defer watchers.Wait()
	watch, unwatch := context.WithCancel(ctx)
	defer unwatch()
	watchers.Go(func() { s.victim.watch(watch) })
	watchers.Go(func() { s.countAnomalies(watch) })
	for _, r := range s.rows {
		for w := range rowWorkers {
			random := rand.New(rand.NewPCG(s.random.Uint64(), uint64(w)))
			all.Go(func() { r.work(ctx, w, random) })
		}
	}
	s.recover("start")
	s.calibrate()
	s.began = time.Now()
	for !s.done() {
		if err := s.step(ctx); err != nil {
			return err
		}
	}
	s.say("delivering")
	s.proxy.set(false, 0)
	stop()
	all.Wait()
	return s.judge(context.WithoutCancel(ctx))
}

func (s *stage) done() bool {
	return time.Since(s.began) >= s.time && s.victim.kills >= s.kills && s.acknowledged() >= s.records && s.junk >= s.plan.junk
}

func (s *stage) acknowledged() (n int) {
	for _, r := range s.rows {
		n += r.count()
	}
	return n
}

// step runs one fault: a kill if kills are due, or the next fault of the deck.
func (s *stage) step(ctx context.Context) error {
	time.Sleep(time.Duration(s.random.IntN(1500)) * time.Millisecond)
	f := kill
	past := min(1, time.Since(s.began).Seconds()/s.time.Seconds())
	switch {
	case float64(s.victim.kills) < past*float64(s.kills):
	case past == 1 && s.junk < s.plan.junk:
		f = fault{"junk", junk}
	default:
		f = s.faults.draw()
	}
	s.say(f.name)
	if err := f.befall(ctx, s); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	s.recover(f.name)
	if s.victim.crashes > 10 {
		return errors.New("the collector exited on its own more than ten times")
	}
	return nil
}

func (s *stage) say(what string) { s.doing.Store(what) }

// fail records a failed requirement.
func (s *stage) fail(format string, args ...any) {
	s.failed = append(s.failed, s.exporter+": "+fmt.Sprintf(format, args...))
}

// recover waits until every row has received an acknowledgement again.
func (s *stage) recover(after string) {
	before := map[*row]int{}
	for _, r := range s.rows {
		before[r] = r.count()
	}
	end := time.Now().Add(recoverWithin)
	for time.Now().Before(end) {
		waiting := 0
		for _, r := range s.rows {
			if r.count() == before[r] {
				waiting++
			}
		}
		if waiting == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.hangs++
	for _, r := range s.rows {
		if r.count() == before[r] {
			s.fail("%s is not served %v after the fault %q", r.receiver, recoverWithin, after)
		}
	}
	s.victim.kill(memoryLimit)
}

// calibrate measures the maximum rate of the collector and assigns each row half of its share.
func (s *stage) calibrate() {
	s.say("finding half load")
	time.Sleep(calibration / 2) // until backends are warm
	before, total := map[*row]int{}, 0
	for _, r := range s.rows {
		before[r] = r.count()
	}
	queuedBefore, errBefore := s.victim.queued()
	time.Sleep(calibration)
	queued, err := s.victim.queued()
	s.paused.Store(true)
	for _, r := range s.rows {
		total += r.count() - before[r]
	}
	if err := errors.Join(errBefore, err); err != nil {
		s.t.Logf("size of the queues: %v", err)
	}
	delivered := total - (queued-queuedBefore)*batchRecords
	for _, r := range s.rows {
		full := float64(r.count()-before[r]) / calibration.Seconds() * float64(delivered) / float64(max(total, 1))
		r.rate.Store(int64(min(max(full/2, leastRate), float64(s.most))))
	}
	s.victim.drain()
	s.paused.Store(false)
	s.t.Logf("%s: the collector delivers %.0f records/s; half load is half of that, and at most %d/s for a row", s.exporter, float64(delivered)/calibration.Seconds(), s.most)
}

// measure records latencies while f runs, after a quiet period.
func (s *stage) measure(f func() error) error {
	s.phase.Store(quiet)
	time.Sleep(quietTime)
	s.phase.Store(misused)
	defer s.phase.Store(uncounted)
	return f()
}

// countAnomalies records the anomalies of the rows' services. They are false alarms, because these services send
// nothing anomalous.
func (s *stage) countAnomalies(ctx context.Context) {
	for ; ctx.Err() == nil; time.Sleep(2 * time.Second) {
		var answer struct {
			Anomalies []struct {
				ID      string `json:"id"`
				Service string `json:"service"`
				Metric  string `json:"metric"`
			} `json:"anomalies"`
		}
		if s.victim.Ask(ctx, "/api/v1/anomalies", &answer) != nil {
			continue
		}
		for _, r := range s.rows {
			for _, a := range answer.Anomalies {
				if a.Service == r.service() && (a.Metric == metricName) == r.metrics {
					r.opened[a.ID] = true
				}
			}
		}
	}
}

// judge counts the records in the backend until all acknowledged ones are found or no more arrive.
func (s *stage) judge(ctx context.Context) error {
	if !s.backend.alive() {
		s.fail("the backend does not run")
	}
	s.victim.drain()
	best, since := -1, time.Now()
	for {
		s.say("counting")
		for _, r := range s.rows {
			r.forget()
		}
		if err := s.backend.read(ctx, s.rows, func(row, n int) { s.rows[row].find(n) }); err != nil {
			return err
		}
		if err := readDeadLetters(s.run, filepath.Join(s.victim.State, "dead_letter"), func(row, n int) { s.rows[row].findLetter(n) }); err != nil {
			return err
		}
		found, missing := 0, 0
		for _, r := range s.rows {
			b := r.balance()
			found, missing = found+b.found+b.letters, missing+b.missing
		}
		if found > best {
			best, since = found, time.Now()
		}
		if missing == 0 || time.Since(since) > settleTime {
			return s.keepLog()
		}
		time.Sleep(time.Second)
	}
}

// keepLog copies the collector's log into the output folder.
func (s *stage) keepLog() error {
	folder := filepath.Join("e2e", "out", "campaign")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, strings.ReplaceAll(s.exporter, "/", "-")+".log"), []byte(s.victim.Log()), 0o600)
}
