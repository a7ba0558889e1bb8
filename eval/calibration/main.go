// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/ensemble"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// models lists the values of -model.
var models = map[string]func() detect.Model{
	"ensemble": func() detect.Model { return ensemble.New(nil) },
	"constant": func() detect.Model { return constant{surprise: 0.7} },
}

// constant returns the same surprise for every point. The report must reject it.
type constant struct{ surprise float64 }

func (c constant) Observe(int64, float64) detect.Judgment {
	return detect.Judgment{Surprise: c.surprise}
}
func (constant) AppendBinary(b []byte) ([]byte, error) { return append(b, 1), nil }
func (constant) UnmarshalBinary([]byte) error          { return nil }

// run prints the report and returns the exit code: 0 targets met, 1 missed, 2 invalid usage.
func run(args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("calibration", flag.ContinueOnError)
	fs.SetOutput(stderr)
	model := fs.String("model", "ensemble", "ensemble: the product's; constant: says the same of every point, to show that the report can fail")
	series := fs.Int("series", 100, "series per family")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	fresh := models[*model]
	if fresh == nil || *series < 1 || fs.NArg() > 0 {
		fmt.Fprintf(stderr, "calibration: -model must be ensemble or constant, -series must be at least 1, and arguments are not accepted (got -model %s -series %d %q)\n", *model, *series, fs.Args())
		return 2
	}
	o := report(stdout, stderr, fresh, *series)
	holds, err := reportFar(stdout, stderr, fresh, 2**series)
	if err != nil {
		fmt.Fprintln(stderr, "calibration:", err)
		return 1
	}
	fmt.Fprintf(stdout, "\ncalibration: %s; detection: %s; far tail: %s\n", verdict(o.calibrated), verdict(o.detects), verdict(holds))
	if !o.calibrated || !o.detects || !holds {
		return 1
	}
	return 0
}

// outcome reports which targets are met in all families.
type outcome struct{ calibrated, detects bool }

// report measures every family and prints the table.
func report(stdout, stderr io.Writer, fresh func() detect.Model, series int) outcome {
	o := outcome{true, true}
	printHeader(stdout, series)
	for i, f := range families {
		var r result
		model := inFleet(f, fresh, uint64(1000*i))
		for s := range series {
			r.measure(f, model(), uint64(1000*i+s))
			fmt.Fprintf(stderr, "\r%d/%d %s: %d/%d series  ", i+1, len(families), f.name, s+1, series)
		}
		printRow(stdout, f.name, &r)
		o.calibrated = o.calibrated && r.calibrated()
		o.detects = o.detects && r.detects()
	}
	fmt.Fprintln(stderr)
	return o
}
