// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"
)

// table prints rows of one figure per detector.
type table struct {
	w   io.Writer
	all []*figures
}

func (t *table) head(title, rows string) {
	fmt.Fprintf(t.w, "\n%s\n\n%-18s", title, rows)
	for _, f := range t.all {
		fmt.Fprintf(t.w, " %8s", f.name)
	}
	fmt.Fprintln(t.w)
}

func (t *table) row(name, format string, of func(*figures) float64) {
	fmt.Fprintf(t.w, "%-18s", name)
	for _, f := range t.all {
		if x := of(f); math.IsNaN(x) {
			fmt.Fprintf(t.w, " %8s", "-")
		} else {
			fmt.Fprintf(t.w, " %8s", fmt.Sprintf(format, x))
		}
	}
	fmt.Fprintln(t.w)
}

// rowNames are those of the families, and one for the incidents, which strike series of all.
func rowNames(sp *spec) (names []string) {
	for _, f := range sp.Families {
		names = append(names, f.Name)
	}
	return append(names, incident)
}

func printTables(w io.Writer, sp *spec, all []*figures, weeks float64) {
	fmt.Fprintf(w, `Faults in telemetry: %d families × %d series, %.0f series-weeks without a fault after the warm-up; each fault %d times a
series and size, sizes %v σ of innovation. Each detector has one threshold for all series: the smallest with at most
%g openings per series-week. An opening: a score at or above it, and none in the %d slots before.
`, len(sp.Families), sp.Series, weeks, sp.Events, sp.Sizes, allowedRate, holdOff)
	t := &table{w, all}
	t.head("Event recall by family: mean over faults and sizes", "family")
	for i, name := range rowNames(sp) {
		t.row(name, "%.3f", func(f *figures) float64 { return f.families[i] })
	}
	t.head("Event recall by fault: mean over families and sizes", "fault")
	for i, name := range sp.Faults {
		t.row(name, "%.3f", func(f *figures) float64 { return f.faults[i] })
	}
	t.head("Event recall by size: mean over families and faults that have sizes", "size, σ")
	for i, size := range sp.Sizes {
		t.row(fmt.Sprintf("%g", size), "%.3f", func(f *figures) float64 { return f.ofSize(sp, i) })
	}
	t.head(fmt.Sprintf("Median delay in slots of the events found at %g σ (flat line and silence have no size)", sp.Sizes[len(sp.Sizes)-1]), "fault")
	for i, name := range sp.Faults {
		t.row(name, "%.1f", func(f *figures) float64 { return median(f.delays[i]) })
	}
	t.row("all", "%.1f", func(f *figures) float64 { return f.delay })
	printFalse(t, sp)
}

// printFalse prints what opened where nothing was wrong, and the sums of all.
func printFalse(t *table, sp *spec) {
	t.head("Openings per series-week without a fault", "family")
	for i, f := range sp.Families {
		t.row(f.Name, "%.3f", func(f *figures) float64 { return f.rates[i] })
	}
	t.row("all", "%.3f", func(f *figures) float64 { return f.rate })
	t.row("threshold", "%.4g", func(f *figures) float64 { return float64(f.threshold) })
	t.head("Openings per decoy", "decoy")
	for i, name := range sp.Decoys {
		t.row(name, "%.3f", func(f *figures) float64 { return f.decoys[i].share() })
	}
	t.head("All", "")
	t.row("event F1", "%.3f", func(f *figures) float64 { return f.f1 })
	t.row("tuned by family", "%.3f", func(f *figures) float64 { return f.byFamily })
	t.row("tuned by series", "%.3f", func(f *figures) float64 { return f.bySeries })
	t.row("recall, no silence", "%.3f", func(f *figures) float64 { return f.audible })
	t.row("macro recall", "%.3f", func(f *figures) float64 { return f.macro })
}

// ofSize is the recall at one size, over the faults that have sizes.
func (f *figures) ofSize(sp *spec, size int) float64 {
	var rows []float64
	for _, row := range f.cells {
		var of []float64
		for j, cells := range row {
			if isSized(sp.Faults[j]) && cells[size].n > 0 {
				of = append(of, cells[size].share())
			}
		}
		rows = append(rows, mean(of))
	}
	return mean(known(rows))
}

// Targets of the product against the best baseline.
const (
	lead     = 0.10 // of macro recall
	behind   = 0.10 // at most, in each family, behind the best there
	maxDelay = 2    // slots
)

// judge prints the targets and returns whether all are met. The product comes first.
func judge(w io.Writer, sp *spec, all []*figures) bool {
	product, others := all[0], all[1:]
	b := best(others)
	met := true
	line := func(ok bool, format string, args ...any) {
		fmt.Fprintf(w, format+": %s\n", append(args, verdict(ok))...)
		met = met && ok
	}
	fmt.Fprintln(w)
	line(product.macro >= b.macro+lead, "macro recall of %s %.3f, best baseline %s %.3f: %+.3f, target %+.2f", product.name, product.macro, b.name, b.macro, product.macro-b.macro, lead)
	for i, name := range rowNames(sp) {
		top := others[0]
		for _, o := range others {
			if o.families[i] > top.families[i] {
				top = o
			}
		}
		if x := product.families[i]; !math.IsNaN(x) {
			line(x >= top.families[i]-behind, "%s: %.3f, best baseline %s %.3f: %+.3f, target at least %+.2f", name, x, top.name, top.families[i], x-top.families[i], -behind)
		}
	}
	line(product.delay <= maxDelay, "median delay at %g σ: %.1f slots, target at most %d", sp.Sizes[len(sp.Sizes)-1], product.delay, maxDelay)
	return met
}

func verdict(ok bool) string {
	if ok {
		return "met"
	}
	return "MISSED"
}
