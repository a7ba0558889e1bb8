// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"flag"
	"fmt"
	"io"

	"github.com/auspex-otel/auspex/eval/score"
	"github.com/auspex-otel/auspex/internal/detect"
)

// quickSeries is the maximum number of series per family with -quick. Each fault is tried once on each.
const quickSeries = 4

// Run prints the report and returns the exit code: 0 targets met, 1 missed, 2 invalid usage.
func Run(args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("faults", flag.ContinueOnError)
	fs.SetOutput(stderr)
	path := fs.String("spec", "", "JSON file that says what to draw (default: testdata/default.json, built in)")
	quick := fs.Bool("quick", false, "draw fewer series and events: less than a minute, less certain figures")
	only := fs.Bool("product", false, "measure only the product")
	cadences := fs.Bool("cadences", false, "also measure the same signals sampled every 10 s, 1 min, and 5 min")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	if fs.NArg() > 0 {
		fmt.Fprintf(stderr, "faults: unexpected arguments %q\n", fs.Args())
		return 2
	}
	sp, err := loadSpec(*path)
	if err != nil {
		fmt.Fprintln(stderr, "faults:", err)
		return 2
	}
	if *quick {
		sp.shorten()
	}
	rows := []detectorKind{shipped}
	if !*only {
		rows = append(rows, others...)
	}
	all, weeks, err := figuresOf(sp, rows, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "faults:", err)
		return 1
	}
	printTables(stdout, sp, all, weeks)
	met := judge(stdout, sp, all)
	if *cadences {
		ok, err := reportCadences(stdout, sp, all[0].macro, stderr)
		if err != nil {
			fmt.Fprintln(stderr, "faults:", err)
			return 1
		}
		met = met && ok
	}
	if !met {
		return 1
	}
	return 0
}

// shorten reduces the series and events of a spec.
func (s *spec) shorten() { s.Series, s.Events, s.builtIn = min(s.Series, quickSeries), 1, false }

// figuresOf measures all rows, the product's first. weeks is the number of series-weeks that count.
func figuresOf(sp *spec, rows []detectorKind, progress io.Writer) (all []*figures, weeks float64, err error) {
	outcomes, err := measure(sp, rows, progress)
	if err != nil {
		return nil, 0, err
	}
	for i := range rows {
		all = append(all, evaluate(sp, outcomes, i, &rows[i]))
	}
	for i := range outcomes {
		weeks += outcomes[i].weeks
	}
	return all, weeks, nil
}

// Macro is the macro recall of one detector.
type Macro struct {
	Recall  float64
	Delay   float64   // median over the events found, in minutes
	Samples []float64 // of Recall, by score.Resample over families
}

// MacroRecall measures a bare model, without the engine, on the spec at path (the built-in one if empty). quick draws
// fewer series and events.
func MacroRecall(path string, quick bool, fresh func() detect.Model, progress io.Writer) (Macro, error) {
	sp, err := loadSpec(path)
	if err != nil {
		return Macro{}, err
	}
	if quick {
		sp.shorten()
	}
	all, _, err := figuresOf(sp, []detectorKind{ofModel(fresh)}, progress)
	if err != nil {
		return Macro{}, err
	}
	f := all[0]
	return Macro{f.macro, f.allDelay, score.Resample(len(f.families), func(units []int) float64 {
		var of []float64
		for _, i := range units {
			of = append(of, f.families[i].share)
		}
		return mean(known(of))
	})}, nil
}
