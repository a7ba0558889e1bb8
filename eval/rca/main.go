// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"text/tabwriter"
	"time"

	"github.com/auspex-otel/auspex/eval/evaldata"
)

func main() { os.Exit(run(os.Args[1:], shipped, os.Stdout, os.Stderr)) }

// system is a system with known faults and its targets.
type system struct {
	name         string
	first, three float64
}

var systems = []system{{"online-boutique", 0.75, 0.80}, {"train-ticket", 0.50, 0.70}}

// report is one run.
type report struct {
	predict
	eval, work    string
	seed          uint64
	vary          bool
	out, progress io.Writer
	missed        int
	// found, quiet, and open sum the counts of byItself over all systems.
	found       tally
	quiet, open int
}

// run prints the report and returns the exit code.
func run(args []string, p predict, stdout, stderr io.Writer) int {
	r := &report{predict: p, out: stdout, progress: stderr}
	fs := flag.NewFlagSet("rca", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&r.eval, "eval", evaldata.Folder(), "folder of the evaluation data")
	fs.Uint64Var(&r.seed, "seed", uint64(time.Now().UnixNano()%1e6), "seed of the random names")
	fs.BoolVar(&r.vary, "vary", false, "also print results with less data")
	if fs.Parse(args) != nil || fs.NArg() > 0 {
		return 2
	}
	if _, err := os.Stat(filepath.Join(r.eval, "nezha")); err != nil {
		fmt.Fprintf(stdout, "rca: skipped: no evaluation data in %s\n", r.eval)
		return 0
	}
	if err := r.all(); err != nil {
		fmt.Fprintln(stderr, "rca:", err)
		return 1
	}
	fmt.Fprintf(r.out, "\ntargets missed: %d\n", r.missed)
	if r.missed > 0 {
		return 1
	}
	return 0
}

func (r *report) all() (err error) {
	if r.work, err = os.MkdirTemp("", "rca"); err != nil {
		return err
	}
	defer os.RemoveAll(r.work)
	for _, s := range systems {
		if err := r.system(s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	r.foundInAll()
	return nil
}

// verdict returns the last column of a row with a target.
func (r *report) verdict(ok bool) string {
	if ok {
		return "ok"
	}
	r.missed++
	return "MISSED"
}

func (r *report) system(s system) error {
	dir := filepath.Join(r.eval, "nezha", s.name)
	faults, err := readFaults(filepath.Join(dir, "faults.json"))
	if err != nil {
		return err
	}
	fmt.Fprintf(r.progress, "%s\n", s.name)
	in := []string{filepath.Join(dir, "baseline"), filepath.Join(dir, "faults")}
	work := filepath.Join(r.work, s.name)
	a, err := r.predict(in, work, times(faults))
	if err != nil {
		return err
	}
	r.table(s, score(faults, a.predictions))
	if err := r.byItself(faults, in, a.findings); err != nil {
		return err
	}
	same, err := r.disguised(in, filepath.Join(r.work, s.name+"-disguised"), faults, a.predictions)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "renamed at random (seed %d) and moved by seven weeks: %d of %d predictions equal  %s\n", r.seed, same, len(a.predictions), r.verdict(same == len(faults)))
	if r.vary {
		return r.variations(in, filepath.Join(r.work, s.name+"-varied"), faults)
	}
	return nil
}

func times(faults []fault) (list []string) {
	for _, f := range faults {
		list = append(list, f.InjectedAt)
	}
	return list
}

func (r *report) table(s system, list []*ranks) {
	fmt.Fprintf(r.out, "\n%s, time given\n", s.name)
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "fault\tn\tAS@1\tAS@3\tAS@5\ttarget\t\t")
	for i, x := range list {
		target, verdict := "", ""
		if i == 0 {
			target, verdict = fmt.Sprintf("≥ %.2f / ≥ %.2f", s.first, s.three), r.verdict(x.within(1) >= s.first && x.within(3) >= s.three)
		}
		fmt.Fprintf(w, "%s\t%d\t%.3f\t%.3f\t%.3f\t%s\t%s\t\n", x.kind, len(x.list), x.within(1), x.within(3), x.within(5), target, verdict)
	}
	_ = w.Flush() // errors on out are ignored
}

// disguised returns the number of predictions that are identical on a copy with other names and times.
func (r *report) disguised(in []string, work string, faults []fault, want []prediction) (same int, err error) {
	d := newDisguise(r.seed, sevenWeeks)
	var copies, asks []string
	for _, dir := range in {
		to := filepath.Join(work, filepath.Base(dir))
		if err := copyAll(dir, to, d.edit()); err != nil {
			return 0, err
		}
		copies = append(copies, to)
	}
	for _, f := range faults {
		at, err := moved(f.InjectedAt, d.shift)
		if err != nil {
			return 0, err
		}
		asks = append(asks, at)
	}
	a, err := r.predict(copies, filepath.Join(work, "out"), asks)
	if err != nil {
		return 0, err
	}
	got, err := d.undo(a.predictions)
	if err != nil {
		return 0, err
	}
	for i := range min(len(got), len(want)) {
		if reflect.DeepEqual(got[i], want[i]) {
			same++
		}
	}
	return same, os.RemoveAll(work)
}
