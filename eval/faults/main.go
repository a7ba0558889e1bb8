// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// quickSeries is how many series each family has at most with -quick, and each fault is tried once on each.
const quickSeries = 4

// run prints the report and returns the exit code: 0 targets met, 1 missed, 2 wrong use.
func run(args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("faults", flag.ContinueOnError)
	fs.SetOutput(stderr)
	model := fs.String("model", "ensemble", "ensemble: the product's; constant: says the same of every point, to show that the report can fail")
	path := fs.String("spec", "", "JSON file that says what to draw (default: testdata/default.json, built in)")
	quick := fs.Bool("quick", false, "fewer series and events: less than a minute, figures less certain")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	fresh := models[*model]
	if fresh == nil || fs.NArg() > 0 {
		fmt.Fprintf(stderr, "faults: -model is ensemble or constant, and there are no arguments (got -model %s %q)\n", *model, fs.Args())
		return 2
	}
	sp, err := loadSpec(*path)
	if err != nil {
		fmt.Fprintln(stderr, "faults:", err)
		return 2
	}
	if *quick {
		sp.Series, sp.Events = min(sp.Series, quickSeries), 1
	}
	detectors := append([]detectorKind{{*model, newProduct(fresh)}}, baselines...)
	outcomes, err := measure(sp, detectors, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "faults:", err)
		return 1
	}
	if !report(stdout, sp, outcomes, detectors) {
		return 1
	}
	return 0
}

// report prints all tables and returns whether all targets are met.
func report(w io.Writer, sp *spec, outcomes []outcome, detectors []detectorKind) bool {
	var all []*figures
	for i, d := range detectors {
		all = append(all, evaluate(sp, outcomes, i, d.name))
	}
	weeks := 0.0
	for _, o := range outcomes {
		weeks += o.weeks
	}
	printTables(w, sp, all, weeks)
	return judge(w, sp, all)
}
