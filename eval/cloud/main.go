// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Cloud is the quality report on labeled telemetry of a cloud operator: event recall of the product at equal rates of
// false alarms.
//
//	go run ./eval/cloud [-eval DIR] [-results DIR]
//
// The data is outside the repository, in DIR/cloud. If it is missing, the report prints this and exits with 0. The
// product evaluates each file independently, like `auspex backtest csv`. -results scores the output of an earlier
// backtest instead.
//
// An event is found if a row at or above the threshold is within it or at most two rows after it. Other rows at or
// above the threshold are false alarms. Those at most five rows apart count as one. The first 15 % of each file is
// warm-up. All files share one threshold. Recall is the mean over domains, at the threshold where false alarms per
// 1,000 rows, the mean over domains, are .2, .5, 1, and 3.
//
// The exit code is 0 if all targets are met, 1 if one is missed or the report failed, or 2 for an invalid flag.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/auspex-otel/auspex/eval/evaldata"
	"github.com/auspex-otel/auspex/eval/score"
	"github.com/auspex-otel/auspex/internal/backtest/csv"
	"github.com/auspex-otel/auspex/internal/engine"
)

// targets holds the minimum mean recall by score column.
var targets = [...]float64{score.Point: .62, score.Opening: .60}

func main() {
	os.Exit(run(os.Args[1:], backtestCSV, os.Stdout, os.Stderr))
}

// run prints the report on a backtest and returns the exit code.
func run(args []string, test func(in, out string) error, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("cloud", flag.ContinueOnError)
	fs.SetOutput(stderr)
	eval := fs.String("eval", evaldata.Folder(), "folder of the evaluation data")
	results := fs.String("results", "", "score the output of a backtest in this folder instead of running one")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	if fs.NArg() > 0 {
		fmt.Fprintf(stderr, "cloud: unexpected arguments %q\n", fs.Args())
		return 2
	}
	dir := filepath.Join(*eval, "cloud")
	if _, err := os.Stat(filepath.Join(dir, "labels.json")); err != nil {
		fmt.Fprintf(stdout, "Cloud: skipped: no evaluation data in %s.\n", dir)
		return 0
	}
	met, err := report(stdout, dir, *results, test)
	if err != nil {
		fmt.Fprintln(stderr, "cloud:", err)
		return 1
	}
	if !met {
		return 1
	}
	return 0
}

// report prints the tables and reports whether the targets are met.
func report(w io.Writer, dir, results string, test func(in, out string) error) (bool, error) {
	if results == "" {
		var err error
		if results, err = os.MkdirTemp("", "auspex-cloud-"); err != nil {
			return false, err
		}
		defer os.RemoveAll(results)
		if err := test(filepath.Join(dir, "data"), results); err != nil {
			return false, err
		}
	}
	var both [len(targets)]score.CloudFigures
	for c := range targets {
		cloud, err := score.LoadCloud(dir, score.ResultsIn(results, score.Column(c)))
		if err != nil {
			return false, err
		}
		if c == 0 {
			fmt.Fprintf(w, "Cloud: %d labeled series. Recall is the mean over domains; in parentheses the median delay from the start of an\nevent, in minutes. ± is the bootstrap standard error over files.\n\n", len(cloud))
		}
		both[c] = cloud.Figures()
	}
	met := printRecall(w, both[:])
	printDomains(w, both[:])
	return met, nil
}

// printRecall prints one row per score column.
func printRecall(w io.Writer, both []score.CloudFigures) bool {
	fmt.Fprintf(w, "%-8s", "scores")
	for _, rate := range score.CloudRates {
		fmt.Fprintf(w, " %16s", fmt.Sprintf("%g per 1,000", rate))
	}
	fmt.Fprintf(w, " %13s  %-22s\n", "mean", "at a threshold of 1")
	met := true
	for c, f := range both {
		fmt.Fprintf(w, "%-8s", score.Column(c))
		for i, r := range f.Recalls {
			fmt.Fprintf(w, " %16s", cell(r, f.Delays[i]))
		}
		ok := f.Mean >= targets[c]
		met = met && ok
		fmt.Fprintf(w, "  %.3f ± %.3f  %s, %.2f false per 1,000   target %.2f: %s\n", f.Mean, f.Error, cell(f.AtOne.Recall, f.AtOne.Delay), f.AtOne.False, targets[c], verdict(ok))
	}
	return met
}

// printDomains prints the found events of each domain at 1 false alarm per 1,000 rows.
func printDomains(w io.Writer, both []score.CloudFigures) {
	fmt.Fprintf(w, "\nBy domain, at the threshold for 1 false alarm per 1,000 rows\n\n%-36s", "domain")
	for c := range both {
		fmt.Fprintf(w, "   %-30s", score.Column(c).String()+" scores")
	}
	fmt.Fprintln(w)
	names := map[string]bool{}
	for _, f := range both {
		for name := range f.Domains {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		fmt.Fprintf(w, "%-36s", name)
		for _, f := range both {
			d := f.Domains[name]
			fmt.Fprintf(w, "   %-30s", fmt.Sprintf("%2d of %2d %8s, %3d false", d.Found, d.Events, minutes(d.Delay), d.False))
		}
		fmt.Fprintln(w)
	}
}

// cell formats a recall and, in parentheses, its delay.
func cell(recall, delay float64) string { return fmt.Sprintf("%.3f %s", recall, minutes(delay)) }

func minutes(delay float64) string {
	if math.IsNaN(delay) {
		return "(-)"
	}
	return fmt.Sprintf("(%.4g)", delay)
}

func verdict(ok bool) string {
	if ok {
		return "met"
	}
	return "MISSED"
}

// backtestCSV runs the backtest and returns an error if any file fails.
func backtestCSV(in, out string) error {
	r, err := csv.Run(csv.Options{In: in, Out: out, Engine: engine.DefaultConfig()})
	if err != nil {
		return err
	}
	return errors.Join(r.Failed...)
}
