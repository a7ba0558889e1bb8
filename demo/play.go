// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/auspex-otel/auspex/demo/shop"
	"github.com/auspex-otel/auspex/demo/telemetry"
)

// due reports whether the next interval has ended on the wall clock.
func (d *demo) due(now time.Time) bool { return !d.end.Add(cadence).After(now) }

// next simulates the next interval and records it in the instruments.
func (d *demo) next() *shop.Interval {
	iv := d.sim.Next()
	d.end = iv.End
	d.fleet.Record(iv)
	return iv
}

// history plays the past, up to the current interval, and returns when the collector has accepted all of it. It also
// plays the intervals that pass meanwhile.
func (d *demo) history(ctx context.Context) error {
	began, from, intervals := time.Now(), d.end, 0
	for d.due(time.Now()) {
		n, err := d.catchUp(ctx, from)
		if err != nil {
			return err
		}
		intervals += n
	}
	s, err := d.console.status(ctx)
	if err != nil {
		return err
	}
	d.screen.say("%.0f h of history in %.1f s: %d services, a point each %v, %d intervals",
		d.end.Sub(from).Hours(), time.Since(began).Seconds(), len(shop.Services()), cadence, intervals)
	d.screen.say("the engine (%s) has seen %d points of %d series", s.Version, s.Points, s.Series)
	return nil
}

// catchUp plays the intervals that are due and returns their number. It simulates and sends in separate goroutines.
func (d *demo) catchUp(ctx context.Context, from time.Time) (played int, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	batches, sent := make(chan telemetry.Batch, 2), make(chan error, 1)
	go func() {
		var err error
		for b := range batches {
			if err == nil {
				if err = d.sink.Send(ctx, b); err != nil {
					stop(err)
				}
			}
		}
		sent <- err
	}()
	for ctx.Err() == nil && d.due(time.Now()) {
		iv := d.next()
		d.record.Add(iv)
		if played++; played%pastBatch == 0 {
			batches <- d.fleet.Take()
			d.screen.progress("history", float64(iv.End.Sub(from))/float64(time.Since(from)))
		}
	}
	batches <- d.fleet.Take()
	close(batches)
	return played, <-sent
}

// outcome holds the truth and its description.
type outcome struct {
	truth
	kind shop.Kind
	what string
}

// live runs the shop on the wall clock: some quiet intervals, then the fault, until the answer is stable or the time
// limit is reached.
func (d *demo) live(ctx context.Context) (*watch, outcome, error) {
	w, o := newWatch(d.end), outcome{what: "nothing is broken"}
	quiet, faulty := d.set.quiet(), 0
	var broken time.Time // wall clock
	d.screen.say("live from here on; %d earlier incidents are ignored", d.earlier(ctx, w))
	for {
		if d.due(time.Now()) {
			if quiet > 0 {
				quiet--
			} else {
				if faulty++; faulty == 1 {
					broken, o = time.Now(), d.breakOne()
				}
			}
			if err := d.step(ctx, w); err != nil {
				return nil, o, err
			}
			o.to = d.end
		}
		if err := d.poll(ctx, w); err != nil {
			return nil, o, err
		}
		now := time.Now()
		if faulty >= faultMost || (len(o.culprits) > 0 && w.stable(now, broken)) {
			return w, o, nil
		}
		d.screen.wait("next points in %.0f s", max(0, d.end.Add(cadence).Sub(now).Seconds()))
		if err := pause(ctx, until(now, d.end.Add(cadence))); err != nil {
			return nil, o, err
		}
	}
}

// until returns the time until the next poll: one second, or less if an interval ends earlier.
func until(now, next time.Time) time.Duration {
	return min(time.Second, max(10*time.Millisecond, next.Sub(now)))
}

// breakOne injects the fault that the seed selects, unless the kind is none.
func (d *demo) breakOne() outcome {
	if d.set.kind == shop.None {
		return outcome{what: "nothing is broken"}
	}
	fault := shop.Draw(d.set.seed, d.set.kind)
	normal := d.record.Normal(fault.Service)
	d.sim.Break(fault, normal)
	d.screen.say("injecting the fault")
	return outcome{
		truth: truth{culprits: fault.Culprits(), from: d.end},
		kind:  fault.Kind,
		what:  fault.Describe(normal, cadence),
	}
}

// step plays one live interval and prints it with the API's current result.
func (d *demo) step(ctx context.Context, w *watch) error {
	iv := d.next()
	if err := d.sink.Send(ctx, d.fleet.Take()); err != nil {
		return err
	}
	if w == nil {
		return nil
	}
	if err := d.poll(ctx, w); err != nil {
		return err
	}
	d.screen.interval(iv, w.open)
	return nil
}

// poll requests the open incidents. It retries once after an error.
func (d *demo) poll(ctx context.Context, w *watch) error {
	var err error
	for range 3 {
		open, e := d.console.open(ctx)
		if e == nil {
			w.observe(time.Now(), open)
			return nil
		}
		err = e
		if e := pause(ctx, 200*time.Millisecond); e != nil {
			return e
		}
	}
	return fmt.Errorf("the console does not respond: %w", err)
}

// earlier counts the incidents that are open at the start of the live period.
func (d *demo) earlier(ctx context.Context, w *watch) int {
	if err := d.poll(ctx, w); err != nil {
		return 0
	}
	return len(w.earlier)
}

// goOn keeps the shop running after the answer, until ctx ends.
func (d *demo) goOn(ctx context.Context) error {
	for {
		for d.due(time.Now()) {
			if err := d.step(ctx, nil); err != nil {
				return errors.Join(context.Cause(ctx), err)
			}
		}
		if err := pause(ctx, until(time.Now(), d.end.Add(cadence))); err != nil {
			return err
		}
	}
}
