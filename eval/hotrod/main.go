// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/eval/evaldata"
	"github.com/auspex-otel/auspex/internal/backtest/otlp"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	shift   = time.Hour        // from the recording to its repetition
	atMost  = 30 * time.Second // delay of the first anomaly
	repeats = 2
)

func main() {
	os.Exit(run(os.Args[1:], backtest, os.Stdout, os.Stderr))
}

// backtest returns the anomalies that the product finds in a folder of recorded OTLP.
func backtest(in string) ([]*incident.Anomaly, error) {
	out, err := os.MkdirTemp("", "auspex-hotrod-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	r, err := otlp.Run(otlp.Options{In: []string{in}, Out: out, Engine: engine.DefaultConfig()})
	if err != nil {
		return nil, err
	}
	return r.Anomalies, errors.Join(r.Failed...)
}

// fault is a fault in truth.json.
type fault struct {
	Name       string
	Start, End time.Time
	Suspects   []string // faulty services
}

// run prints the report and returns the exit code.
func run(args []string, test func(in string) ([]*incident.Anomaly, error), stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("hotrod", flag.ContinueOnError)
	fs.SetOutput(stderr)
	eval := fs.String("eval", evaldata.Folder(), "folder of the evaluation data")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	if fs.NArg() > 0 {
		fmt.Fprintf(stderr, "hotrod: unexpected arguments %q\n", fs.Args())
		return 2
	}
	dir := filepath.Join(*eval, "hotrod")
	if _, err := os.Stat(filepath.Join(dir, "truth.json")); err != nil {
		fmt.Fprintf(stdout, "HotROD: skipped: no recording in %s.\n", dir)
		return 0
	}
	met, err := report(stdout, dir, test)
	if err != nil {
		fmt.Fprintln(stderr, "hotrod:", err)
		return 1
	}
	if !met {
		return 1
	}
	return 0
}

// report prints a row for each fault and repetition, and reports whether all meet the target.
func report(w io.Writer, dir string, test func(in string) ([]*incident.Anomaly, error)) (bool, error) {
	faults, err := readFaults(filepath.Join(dir, "truth.json"))
	if err != nil {
		return false, err
	}
	in, err := os.MkdirTemp("", "auspex-hotrod-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(in)
	for i := range repeats {
		if err := copyShifted(filepath.Join(dir, "otlp"), in, i, time.Duration(i)*shift); err != nil {
			return false, err
		}
	}
	anomalies, err := test(in)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(w, "HotROD, then the same recording again, %s later. Anomalies that opened on duration series of the services at\nfault, with the delay from the start of the fault. Target: one within %s each time.\n\n", shift, atMost)
	met := true
	for _, f := range faults {
		for i := range repeats {
			ok := printFault(w, f, i, anomalies)
			met = met && ok
		}
	}
	return met, nil
}

func readFaults(path string) ([]fault, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var truth struct{ Faults []fault }
	if err := json.Unmarshal(b, &truth); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(truth.Faults) == 0 {
		return nil, fmt.Errorf("%s lists no faults", path)
	}
	return truth.Faults, nil
}

// printFault prints the anomalies that opened during a fault in the given repetition.
func printFault(w io.Writer, f fault, repetition int, anomalies []*incident.Anomaly) bool {
	start, end := f.Start.Add(time.Duration(repetition)*shift), f.End.Add(time.Duration(repetition)*shift)
	var opened []*incident.Anomaly
	for _, a := range anomalies {
		if slices.Contains(f.Suspects, a.Service) && strings.Contains(a.Metric, durationName) && !a.Opened.Before(start) && !a.Opened.After(end) {
			opened = append(opened, a)
		}
	}
	slices.SortStableFunc(opened, func(a, b *incident.Anomaly) int { return a.Opened.Compare(b.Opened) })
	met := len(opened) > 0 && opened[0].Opened.Sub(start) <= atMost
	verdict := "MISSED"
	if met {
		verdict = "met"
	}
	fmt.Fprintf(w, "%s, time %d: %d anomalies: %s\n", f.Name, repetition+1, len(opened), verdict)
	for _, a := range opened {
		fmt.Fprintf(w, "  %6s  %s %s %s %s: %.3g, expected %.3g, score %.2f\n", a.Opened.Sub(start).Round(time.Second),
			a.Service, cmp.Or(a.Attributes[vocabulary.AttrSpanName], "-"), a.Metric, a.Statistic, a.Observed, a.Expected, a.MaxScore)
	}
	return met
}

// durationName is part of the name of every duration series, the product's and those of semantic conventions.
const durationName = "duration"
