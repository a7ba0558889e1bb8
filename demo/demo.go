// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/auspex-otel/auspex/demo/shop"
	"github.com/auspex-otel/auspex/demo/telemetry"
)

// readyWithin is the time that the collector has to start listening.
const readyWithin = 40 * time.Second

// demo is one run: the shop, the destination of its telemetry, and the fault.
type demo struct {
	set     settings
	screen  *screen
	otlp    string // host:port
	console *console

	sim    *shop.Simulation
	record *shop.Record
	sink   telemetry.Sink
	fleet  *telemetry.Fleet
	end    time.Time // event time of the latest interval
}

func newDemo(set settings, s *screen) *demo {
	return &demo{set: set, screen: s, otlp: defaults.of(otlpVariable), console: newConsole("http://" + defaults.of(consoleVariable))}
}

// run runs the demo and returns the exit code. All processes that it started have exited by then. cancel ends ctx if
// the collector exits early.
func (d *demo) run(ctx context.Context, cancel context.CancelCauseFunc) (code int, err error) {
	d.screen.plain("%s  seed %d  (to repeat: make demo SEED=%d)\n", d.screen.bold("Auspex demo"), d.set.seed, d.set.seed)
	at, moved, err := defaults.available()
	if err != nil {
		return exitUnable, err
	}
	var env []string
	if moved {
		env = at.environment()
		d.otlp, d.console = at.of(otlpVariable), newConsole("http://"+at.of(consoleVariable))
		d.screen.say("the default ports are in use, so the demo uses others")
	}
	c, err := startCollector(d.set.collector, env...)
	if err != nil {
		return exitUnable, err
	}
	answered := false
	defer func() {
		d.screen.clear()
		if err != nil && errors.Is(context.Cause(ctx), errEnded) {
			err = c.died()
		}
		keep := err != nil && !errors.Is(err, errInterrupted)
		c.end(keep)
		if keep {
			err = fmt.Errorf("%w\nThe collector's log: %s", err, c.log)
		}
	}()
	go func() {
		<-c.ended
		cancel(errEnded)
	}()
	code, err = d.course(ctx, &answered)
	if err != nil && !answered {
		code = exitWrong
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		if errors.Is(err, errInterrupted) {
			code = exitInterrupted
		}
	}
	return code, err
}

// errEnded is the cancellation cause of the context if the collector exits early.
var errEnded = errors.New("the collector exited on its own")

// course runs all steps after the collector was launched, up to the answer.
func (d *demo) course(ctx context.Context, answered *bool) (int, error) {
	began := time.Now()
	if err := d.ready(ctx); err != nil {
		return exitWrong, err
	}
	d.screen.say("the collector is ready after %.1f s, with its built-in configuration", time.Since(began).Seconds())
	d.screen.say("its console: %s", d.screen.bold(d.console.base))
	if err := d.open(); err != nil {
		return exitWrong, err
	}
	defer d.sink.Close()
	if err := d.history(ctx); err != nil {
		return exitWrong, err
	}
	if d.set.desktop {
		if err := browse(d.console.base); err != nil {
			d.screen.say("the browser does not open (%v): open %s yourself", err, d.console.base)
		}
	}
	w, t, err := d.live(ctx)
	if err != nil {
		return exitWrong, err
	}
	*answered = true
	code, err := d.answer(w, t)
	if err != nil || !d.set.stay {
		return code, err
	}
	d.screen.say("the shop and the collector continue, and the fault stays; Ctrl-C ends them")
	return code, d.goOn(ctx)
}

// ready waits until the collector accepts OTLP and its console responds.
func (d *demo) ready(ctx context.Context) error {
	ctx, stop := context.WithTimeoutCause(ctx, readyWithin, fmt.Errorf("the collector is not ready after %v", readyWithin))
	defer stop()
	for {
		d.screen.wait("waiting for the collector")
		if _, err := d.console.status(ctx); err == nil {
			if conn, err := net.DialTimeout("tcp", d.otlp, time.Second); err == nil {
				return conn.Close()
			}
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// open creates the shop and its instruments. Event time starts in the past, at a multiple of the cadence.
func (d *demo) open() (err error) {
	d.build(time.Now().UTC().Truncate(cadence).Add(-past))
	d.sink, err = telemetry.Dial(d.otlp)
	return err
}

// build creates the shop and its instruments.
func (d *demo) build(start time.Time) {
	services := shop.Services()
	d.end = start
	d.sim = shop.New(d.set.seed, start, cadence, followed)
	d.record = shop.NewRecord(len(services), normalOver)
	d.fleet = telemetry.NewFleet(services, start)
}

// answer prints the fault, the finding, and the verdict as the last line.
func (d *demo) answer(w *watch, t outcome) (int, error) {
	f := w.answer()
	v, right := judge(d.set.seed, f, t.truth)
	if f == nil {
		d.screen.plain("\n%s\n  no incident opened during the live period", d.screen.bold("Result of the API"))
	} else {
		d.screen.found(f)
	}
	d.screen.broken(f, t)
	if f != nil {
		d.screen.tour(f, d.console.base)
	}
	code, word := exitRight, d.screen.green("The answer is right.")
	if !right {
		code, word = exitWrong, d.screen.red("The answer is wrong.")
	}
	d.screen.plain("%s\n", word)
	line, err := json.Marshal(v)
	if err != nil {
		return exitWrong, err
	}
	d.screen.plain("%s", line)
	return code, nil
}

// pause waits for d, or returns the cause if ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
