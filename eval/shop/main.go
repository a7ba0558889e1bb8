// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// faults lists the faults in the order of the table.
var faults = []string{
	"latency", "errors", "throughput", "database", "cpu", "memory", "network", "deployment", "queue", "vanished",
}

// plan holds the runs and programs of the report.
type plan struct {
	programs
	faults       []string
	seeds, quiet int
	before, day  time.Duration
}

// run prints the report and returns the exit code: 0 targets met, 1 missed, 2 invalid usage or a failed run.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	p, err := parse(args, stderr)
	if err == nil {
		var met bool
		if met, err = p.report(ctx, stdout, stderr); err == nil {
			if met {
				return 0
			}
			return 1
		}
	}
	if !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(stderr, "shop:", err)
	}
	return 2
}

func parse(args []string, stderr io.Writer) (plan, error) {
	p := plan{faults: faults}
	fs := flag.NewFlagSet("shop", flag.ContinueOnError)
	fs.SetOutput(stderr)
	only := fs.String("faults", "", "comma-separated `names` of the faults to try; default all")
	fs.IntVar(&p.seeds, "seeds", 3, "number of shops per fault")
	fs.IntVar(&p.quiet, "quiet", 5, "number of shops without a fault")
	fs.DurationVar(&p.before, "before", 6*time.Hour, "time before the fault")
	fs.DurationVar(&p.day, "day", 24*time.Hour, "duration of a shop without a fault")
	fs.StringVar(&p.demo, "demo", "bin/auspex-demo", "the `program` that writes telemetry")
	fs.StringVar(&p.auspex, "auspex", "bin/auspex", "the `program` that evaluates it")
	fs.StringVar(&p.keep, "keep", "", "keep the telemetry and the results in this `folder`")
	if err := fs.Parse(args); err != nil {
		return p, err
	}
	if *only != "" {
		p.faults = strings.Split(*only, ",")
	}
	if fs.NArg() > 0 || p.seeds < 0 || p.quiet < 0 {
		return p, fmt.Errorf("-seeds and -quiet must be 0 or more, and arguments are not accepted (got %q)", fs.Args())
	}
	return p, nil
}

// report executes the plan sequentially, prints the tables, and reports whether the targets are met.
func (p *plan) report(ctx context.Context, stdout, stderr io.Writer) (bool, error) {
	rows := make([]row, len(p.faults))
	for i, fault := range p.faults {
		rows[i].fault = fault
		for seed := range p.seeds {
			fmt.Fprintf(stderr, "shop: %s, seed %d\n", fault, seed)
			t, f, err := p.try(ctx, fault, seed, p.before)
			if err != nil {
				return false, fmt.Errorf("%s, seed %d: %w", fault, seed, err)
			}
			rows[i].tries = append(rows[i].tries, score(t, f))
		}
	}
	var days []day
	for seed := range p.quiet {
		fmt.Fprintf(stderr, "shop: no fault, seed %d\n", seed)
		t, f, err := p.try(ctx, "none", seed, p.day)
		if err != nil {
			return false, fmt.Errorf("no fault, seed %d: %w", seed, err)
		}
		days = append(days, day{seed, t.End.Sub(t.Start), len(f.anomalies), len(f.incidents)})
	}
	met := true
	if p.seeds > 0 {
		met = faultTable(stdout, rows, p.before)
	}
	if p.quiet > 0 {
		met = quietTable(stdout, days) && met
	}
	return met, nil
}
