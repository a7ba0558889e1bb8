// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"

	"github.com/auspex-otel/auspex/eval/score"
)

// report measures all views together, then without each of the parts. It prints each row when it is complete.
func report(w, progress io.Writer, from []source, parts []string, leaveOut func(string)) error {
	fmt.Fprintf(w, "%-10s", "without")
	for _, s := range from {
		for _, column := range s.columns {
			fmt.Fprintf(w, "  %-25s", column)
		}
	}
	fmt.Fprintln(w)
	var all []figure
	for _, part := range append([]string{""}, parts...) {
		leaveOut(part)
		got, formats, err := measure(from, part, progress)
		leaveOut("")
		if err != nil {
			return err
		}
		if part == "" {
			all = got
		}
		printRow(w, part, formats, got, all)
	}
	return nil
}

// measure returns the figures of all sources in order, and the format of each.
func measure(from []source, part string, progress io.Writer) (all []figure, formats []string, err error) {
	for _, s := range from {
		fmt.Fprintf(progress, "without %q: %s\n", part, s.columns[0])
		got, err := s.measure(progress)
		if err != nil {
			return nil, nil, err
		}
		for _, f := range got {
			all, formats = append(all, f), append(formats, s.format)
		}
	}
	return all, formats, nil
}

// printRow prints the figures of all views, or the differences from them if part is not empty.
func printRow(w io.Writer, part string, formats []string, got, all []figure) {
	name := part
	if part == "" {
		name = "nothing"
	}
	fmt.Fprintf(w, "%-10s", name)
	for i, f := range got {
		text := fmt.Sprintf(formats[i]+" ± "+formats[i], f.value, score.Spread(f.samples))
		if part != "" {
			change, spread := f.value-all[i].value, score.SpreadOfDifference(f.samples, all[i].samples)
			text = fmt.Sprintf("%s ± %s", signed(formats[i], change), fmt.Sprintf(formats[i], spread))
			if -change > spread {
				text += " *"
			}
		}
		fmt.Fprintf(w, "  %-16s %-8s", text, minutes(f.delay))
	}
	fmt.Fprintln(w)
}

func signed(format string, x float64) string { return fmt.Sprintf("%+"+format[1:], x) }

func minutes(delay float64) string {
	if math.IsNaN(delay) {
		return "(-)"
	}
	return fmt.Sprintf("(%.3g)", delay)
}
