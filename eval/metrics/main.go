// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/auspex-otel/auspex/eval/evaldata"
)

func main() {
	os.Exit(run(os.Args[1:], shipped, os.Stdout, os.Stderr))
}

// options holds the flags.
type options struct {
	eval          string
	sections      string
	perFile, cost bool
	quick, full   bool
	seeds, series int
	days          int
}

// report is one run: its output, its product, and its results.
type report struct {
	options
	product
	out, progress io.Writer
	missed        int
}

// verdict returns the last column of a row with a target.
func (r *report) verdict(ok bool) string {
	if ok {
		return "ok"
	}
	r.missed++
	return "MISSED"
}

func (r *report) printf(format string, a ...any)    { fmt.Fprintf(r.out, format, a...) }
func (r *report) progressf(format string, a ...any) { fmt.Fprintf(r.progress, format, a...) }

// section is a part of the report that can run alone.
type section struct {
	name  string
	print func(*report) error
}

var sections = []section{
	{"nab", (*report).nab},
	{"invariance", (*report).invariance},
	{"alarms", (*report).alarms},
	{"traps", (*report).traps},
	{"cost", (*report).costs},
}

// run prints the report on p and returns the exit code: 0 targets met, 1 missed, 2 invalid usage.
func run(args []string, p product, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if err != nil {
		if !errors.Is(err, errFlag) {
			fmt.Fprintln(stderr, "metrics:", err)
		}
		return 2
	}
	r := &report{options: o, product: p, out: stdout, progress: stderr}
	failed := false
	for _, s := range sections {
		if !r.wants(s.name) {
			continue
		}
		if err := s.print(r); err != nil {
			fmt.Fprintf(stderr, "metrics: %s: %v\n", s.name, err)
			r.printf("%s: could not be measured\n", s.name)
			failed = true
		}
	}
	r.printf("\ntargets missed: %d\n", r.missed)
	if failed || r.missed > 0 {
		return 1
	}
	return 0
}

// wants reports whether a section is selected. The cost section requires -cost.
func (r *report) wants(name string) bool {
	if name == "cost" && !r.cost {
		return false
	}
	return r.sections == "" || slices.Contains(strings.Split(r.sections, ","), name)
}

// errFlag is an error that the flag package has already printed.
var errFlag = errors.New("invalid flag")

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("metrics", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.eval, "eval", evaldata.Folder(), "folder of the evaluation data; sections without data are skipped")
	fs.StringVar(&o.sections, "section", "", "sections to run, separated by commas: nab,invariance,alarms,traps,cost")
	fs.BoolVar(&o.perFile, "per-file", false, "print the benchmark's figures for each file")
	fs.BoolVar(&o.cost, "cost", false, "also measure time and memory; these figures differ between runs")
	fs.BoolVar(&o.quick, "quick", false, "smaller report in less than half a minute; its false-alarm figures are not reliable")
	fs.IntVar(&o.seeds, "seeds", 5, "number of seeds of the false-alarm runs of the small fleet")
	fs.IntVar(&o.series, "series", largeFleet, "number of series of the large fleet, which has one seed")
	fs.IntVar(&o.days, "days", 30, "days of each false-alarm run, including the first week")
	fs.BoolVar(&o.full, "full", false, "use a large fleet of 10,000 series; its false-alarm run takes 40 minutes on one core")
	if err := fs.Parse(args); err != nil {
		return o, errFlag
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("arguments are not accepted (got %q)", fs.Args())
	}
	if o.seeds < 1 || o.series < len(families) || o.days < 8 {
		return o, fmt.Errorf("-seeds must be at least 1, -series at least %d, and -days at least 8 (got %d, %d, %d)", len(families), o.seeds, o.series, o.days)
	}
	if o.sections == "" {
		return o, nil
	}
	for name := range strings.SplitSeq(o.sections, ",") {
		if !slices.ContainsFunc(sections, func(s section) bool { return s.name == name }) {
			return o, fmt.Errorf("unknown section %q", name)
		}
		if name == "cost" && !o.cost {
			return o, errors.New("-section cost requires -cost")
		}
	}
	return o, nil
}
