// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/auspex-otel/auspex/e2e/clients"
)

const (
	rowWorkers = 2
	retryPause = 30 * time.Millisecond
	// lastTries is the time in which open requests are sent again at the end.
	lastTries = 30 * time.Second
)

// phase states how a latency is counted.
type phase = int32

const (
	uncounted phase = iota
	quiet           // half load without faults
	misused         // other clients misbehave
)

// row is one receiver in front of one exporter, with its well-behaved client.
type row struct {
	*ledger
	receiver, exporter string
	metrics            bool // points instead of log records
	send               clients.Client

	rate   atomic.Int64 // maximum records per second, 0 for no limit
	paused *atomic.Bool
	phase  *atomic.Int32
	offset *atomic.Int64 // of the sender's clock, in nanoseconds

	latencies struct {
		sync.Mutex
		of map[phase][]time.Duration
	}
	opened map[string]bool // anomalies of this row's service
}

func (r *row) service() string { return "campaign-" + r.receiver }

// work sends batches until ctx ends, and then sends unacknowledged batches again until lastTries.
func (r *row) work(ctx context.Context, worker int, random *rand.Rand) {
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastTries, cancel) })()
	due, at := time.Now(), time.Time{}
	for ctx.Err() == nil {
		if rate := r.rate.Load(); rate > 0 {
			due = due.Add(time.Second * batchRecords * rowWorkers / time.Duration(rate))
			if wait := time.Until(due); wait > 0 {
				time.Sleep(wait)
			} else {
				due = time.Now()
			}
		}
		if r.paused.Load() {
			time.Sleep(retryPause)
			continue
		}
		// Remote write has a resolution of one millisecond. Two points of a series at the same time would be the same
		// point.
		at = later(time.Now(), at.Add(time.Millisecond)).Truncate(time.Millisecond)
		first := r.next()
		if r.deliver(last, r.batch(worker, first, at.Add(time.Duration(r.offset.Load())), random)) {
			r.acknowledge(first)
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (r *row) batch(worker, first int, at time.Time, random *rand.Rand) clients.Batch {
	b := clients.Batch{Service: r.service(), Metric: metricName}
	if r.metrics {
		b.Points = r.points(worker, first, at, random)
	} else {
		b.Logs = r.logs(first, at)
	}
	return b
}

// deliver sends a batch until it is acknowledged and records the latency. It returns false if ctx ends first.
func (r *row) deliver(ctx context.Context, b clients.Batch) bool {
	began, counted := time.Now(), r.phase.Load()
	for r.send(ctx, b) != nil {
		if ctx.Err() != nil {
			return false
		}
		time.Sleep(retryPause)
	}
	if counted != uncounted && counted == r.phase.Load() {
		r.latencies.Lock()
		defer r.latencies.Unlock()
		r.latencies.of[counted] = append(r.latencies.of[counted], time.Since(began))
	}
	return true
}

// p99 returns the 99th percentile of the latency of acknowledgements in a phase, or 0 if there are none.
func (r *row) p99(of phase) time.Duration {
	r.latencies.Lock()
	defer r.latencies.Unlock()
	return clients.P99(r.latencies.of[of])
}

// slower returns clients.Slower of the row.
func (r *row) slower() float64 { return clients.Slower(r.p99(quiet), r.p99(misused)) }
