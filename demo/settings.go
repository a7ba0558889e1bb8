// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/auspex-otel/auspex/demo/shop"
)

// Parameters of the demo.
const (
	// cadence is the time between two points of a series, in the history and live.
	cadence = 5 * time.Second
	// past is the length of the history.
	past = 25 * time.Hour
	// pastBatch is the number of intervals of the history per request: one minute.
	pastBatch = 12
	// followed is the share of traced requests from outside the shop: about two per second.
	followed = .01
	// quietLeast and quietMost bound the number of live intervals before the fault.
	quietLeast, quietMost = 3, 5
	// faultMost is the maximum number of intervals that the demo waits for an answer.
	faultMost = 12
	// normalOver is the number of intervals that define the normal behavior of a service: one hour.
	normalOver = 720
)

// settings holds the user's settings.
type settings struct {
	seed      uint64
	kind      shop.Kind // empty to draw it from the seed
	collector string
	stay      bool          // go on after the answer, until interrupted
	desktop   bool          // a browser can be opened
	write     string        // the folder to write to instead
	before    time.Duration // how long the shop is well in what is written
}

const usage = `auspex-demo starts the collector, sends it a day of telemetry of a small shop, injects a
fault, and prints the incident that the collector reports. Or it writes the telemetry to files.

  auspex-demo                  use a random seed and print it
  SEED=7 auspex-demo           repeat the shop and the fault of a seed
  FAULT=none auspex-demo       inject no fault; no incident is expected
  FAULT=latency auspex-demo    inject this kind of fault; the seed selects the rest. Also errors,
                               throughput, database, cpu, memory, network, deployment, queue, vanished
  auspex-demo -write DIR       start no collector: write the telemetry to DIR/otlp in the format
                               of a file exporter, and the fault to DIR/truth.json

Exit code: 0 the answer is right, 1 the answer is wrong, 2 the demo could not start.
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
	flags.StringVar(&set.collector, "collector", beside("otelcol-auspex"), "the `program` to start as the collector")
	flags.BoolVar(&set.stay, "stay", false, "continue after the answer until interrupted, as on a terminal")
	flags.StringVar(&set.write, "write", "", "write the telemetry to this `folder` instead of starting a collector")
	flags.DurationVar(&set.before, "before", 6*time.Hour, "with -write: time before a fault of three minutes")
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
			return set, fmt.Errorf("SEED=%s: must be an integer, 0 or above", v)
		}
		set.seed = n
	}
	set.kind = shop.Kind(getenv("FAULT"))
	if known, word := shop.Known(set.kind); set.kind != "" && !known {
		return set, fmt.Errorf("FAULT=%s: want %s", set.kind, word)
	}
	if least := normalOver * cadence; set.before < least {
		return set, fmt.Errorf("-before %v: must be %v or more, so that the normal behavior is known", set.before, least)
	}
	return set, nil
}

// beside returns the path of a program in the folder of this one.
func beside(program string) string {
	own, err := os.Executable()
	if err != nil {
		return program
	}
	return filepath.Join(filepath.Dir(own), program+filepath.Ext(own)) // .exe on Windows
}

// quiet draws the number of live intervals before the fault.
func (s settings) quiet() int {
	rng := rand.New(rand.NewPCG(s.seed, 0x5175_6965_74))
	return quietLeast + rng.IntN(quietMost-quietLeast+1)
}
