// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/auspex-otel/auspex/demo/shop"
)

// The demo's course.
const (
	// cadence is the time between two points of a series, in the past and live alike.
	cadence = 5 * time.Second
	// past is how much history there is.
	past = 25 * time.Hour
	// pastBatch is how many intervals of the past travel in one request: a minute.
	pastBatch = 12
	// followed is the share of requests from outside the shop that are traced: about two a second.
	followed = .01
	// quietLeast and quietMost bound the live intervals before the fault.
	quietLeast, quietMost = 3, 5
	// faultMost is how many intervals the demo waits for an answer.
	faultMost = 12
	// normalOver is how many intervals say what is normal for a service: an hour.
	normalOver = 720
)

// settings are what the caller chose.
type settings struct {
	seed      uint64
	kind      shop.Kind // empty: drawn from the seed
	collector string
	stay      bool          // go on after the answer, until interrupted
	write     string        // the folder to write to instead
	before    time.Duration // how long the shop is well in what is written
}

const usage = `auspex-demo starts the collector, plays a day of a small shop into it, breaks one
service, and says what the collector's API answers. Or it writes the telemetry to files.

  auspex-demo                  a random seed, which is printed
  SEED=7 auspex-demo           the same shop and the same fault again
  FAULT=none auspex-demo       nothing breaks; the answer should be nothing
  FAULT=latency auspex-demo    what breaks; the seed draws the rest. Also errors, throughput,
                               database, cpu, memory, network, deployment, queue, vanished
  auspex-demo -write DIR       no collector: DIR/otlp gets what it would have been sent, in
                               the form of a file exporter, and DIR/truth.json what was broken

Exit code: 0 the answer is right, 1 it is not, 2 the demo could not start.
The last line on standard output is the answer as JSON.

`

// parse reads the command line and the environment.
func parse(args []string, getenv func(string) string, errs io.Writer) (settings, error) {
	set := settings{}
	flags := flag.NewFlagSet("auspex-demo", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() {
		fmt.Fprint(errs, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&set.collector, "collector", "bin/otelcol-auspex", "the `program` to start as the collector")
	flags.BoolVar(&set.stay, "stay", false, "go on after the answer until interrupted, as on a terminal")
	flags.StringVar(&set.write, "write", "", "write to this `folder` instead of a collector")
	flags.DurationVar(&set.before, "before", 6*time.Hour, "with -write: how long the shop is well before something breaks for three minutes")
	if err := flags.Parse(args); err != nil {
		return set, err
	}
	if flags.NArg() > 0 {
		return set, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	set.seed = rand.Uint64N(100_000)
	if v := getenv("SEED"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			return set, fmt.Errorf("SEED=%s: want a whole number, 0 or above", v)
		}
		set.seed = n
	}
	set.kind = shop.Kind(getenv("FAULT"))
	if known, word := shop.Known(set.kind); set.kind != "" && !known {
		return set, fmt.Errorf("FAULT=%s: want %s", set.kind, word)
	}
	if least := normalOver * cadence; set.before < least {
		return set, fmt.Errorf("-before %v: want %v or more, to know what is normal", set.before, least)
	}
	return set, nil
}

// quiet draws how many live intervals pass before the fault.
func (s settings) quiet() int {
	rng := rand.New(rand.NewPCG(s.seed, 0x5175_6965_74))
	return quietLeast + rng.IntN(quietMost-quietLeast+1)
}
