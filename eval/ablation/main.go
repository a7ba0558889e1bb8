// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/auspex-otel/auspex/eval/evaldata"
	"github.com/auspex-otel/auspex/eval/faults/bench"
	"github.com/auspex-otel/auspex/eval/score"
	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/ensemble"
)

func main() {
	os.Exit(run(os.Args[1:], shipped, os.Stdout, os.Stderr))
}

// model is the model under measurement: the names of its parts, and a function that removes one of them from all
// instances, or none for "".
type model struct {
	parts    []string
	leaveOut func(part string)
}

// run prints the report and returns the exit code.
func run(args []string, m model, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("ablation", flag.ContinueOnError)
	fs.SetOutput(stderr)
	eval := fs.String("eval", evaldata.Folder(), "folder of the evaluation data")
	quick := fs.Bool("quick", false, "draw fewer series for the bench; figures are less certain")
	only := fs.String("only", "", "views to leave out, separated by commas (default: all in turn)")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	if fs.NArg() > 0 {
		fmt.Fprintf(stderr, "ablation: unexpected arguments %q\n", fs.Args())
		return 2
	}
	if len(m.parts) == 0 {
		fmt.Fprintln(stderr, "ablation: this binary cannot leave out a view: build it with -tags ablation, or run make quality-ablation")
		return 2
	}
	parts := m.parts
	if *only != "" {
		parts = strings.Split(*only, ",")
	}
	for _, part := range parts {
		if !slices.Contains(m.parts, part) {
			fmt.Fprintf(stderr, "ablation: unknown view %q; -only accepts %s\n", part, strings.Join(m.parts, ","))
			return 2
		}
	}
	if err := report(stdout, stderr, sources(*eval, *quick, stdout), parts, m.leaveOut); err != nil {
		fmt.Fprintln(stderr, "ablation:", err)
		return 1
	}
	return 0
}

// figure is the result of a model on one source.
type figure struct {
	value, delay float64 // delay in minutes
	samples      []float64
}

// source is a data set on which models are measured. It produces one figure for each of its columns.
type source struct {
	columns []string
	format  string // of figures
	measure func(progress io.Writer) ([]figure, error)
}

// sources returns the sources with files, and prints the missing ones.
func sources(eval string, quick bool, w io.Writer) (list []source) {
	fresh := func() detect.Model { return ensemble.New(nil) }
	judge := func() score.Judge { return score.ModelJudge(fresh()) }
	there := func(name string) bool {
		dir := filepath.Join(eval, name)
		_, err := os.Stat(dir)
		if err != nil {
			fmt.Fprintf(w, "Left out: no evaluation data in %s.\n", dir)
		}
		return err == nil
	}
	if there("cloud") {
		list = append(list, source{[]string{"cloud, point", "cloud, opening"}, "%.3f", func(io.Writer) ([]figure, error) {
			both, err := score.CloudOf(eval, judge)
			var figures []figure
			for _, f := range both {
				figures = append(figures, figure{f.Mean, f.Delays[slices.Index(score.CloudRates[:], 1)], f.Samples})
			}
			return figures, err
		}})
	}
	if there("nab") {
		list = append(list, source{[]string{"NAB"}, "%.1f", func(io.Writer) ([]figure, error) {
			s, err := score.NABOf(eval, judge)
			if err != nil {
				return nil, err
			}
			return []figure{{s.Profiles[score.Standard].Score, s.Delay, s.Samples()}}, nil
		}})
	}
	return append(list, source{[]string{"bench"}, "%.3f", func(progress io.Writer) ([]figure, error) {
		m, err := bench.MacroRecall("", quick, fresh, progress)
		return []figure{{m.Recall, m.Delay, m.Samples}}, err
	}})
}
