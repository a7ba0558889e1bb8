// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"io"
	"math"

	"github.com/auspex-otel/auspex/eval/score"
)

// table prints rows with one figure per detector.
type table struct {
	w   io.Writer
	all []*figures
}

func (t *table) head(title, rows string) {
	fmt.Fprintf(t.w, "\n%s\n\n%-18s", title, rows)
	for _, f := range t.all {
		fmt.Fprintf(t.w, " %12s", f.name)
	}
	fmt.Fprintln(t.w)
}

func (t *table) cells(name string, of func(*figures) string) {
	fmt.Fprintf(t.w, "%-18s", name)
	for _, f := range t.all {
		fmt.Fprintf(t.w, " %12s", of(f))
	}
	fmt.Fprintln(t.w)
}

func (t *table) row(name, format string, of func(*figures) float64) {
	t.cells(name, func(f *figures) string {
		if x := of(f); !math.IsNaN(x) {
			return fmt.Sprintf(format, x)
		}
		return "-"
	})
}

func (t *table) recall(name string, of func(*figures) recall) {
	t.cells(name, func(f *figures) string { return of(f).String() })
}

// String returns the share and, in parentheses, the delay in minutes.
func (r recall) String() string {
	switch {
	case math.IsNaN(r.share):
		return "-"
	case math.IsNaN(r.delay):
		return fmt.Sprintf("%.3f (-)", r.share)
	default:
		return fmt.Sprintf("%.3f (%.3g)", r.share, r.delay)
	}
}

// rowNames returns the names of the families, and one for incidents.
func rowNames(sp *spec) (names []string) {
	for _, f := range sp.Families {
		names = append(names, f.Name)
	}
	return append(names, incident)
}

func printTables(w io.Writer, sp *spec, all []*figures, weeks float64) {
	fmt.Fprintf(w, `Faults in telemetry: %d families × %d series, %.0f series-weeks without a fault after the warm-up; each fault %d times a
series and size, sizes %v σ of innovation. Each detector has one threshold for all series: the smallest with at most
%g openings per series-week. An opening: a score at or above it, and none in the %d slots before. In parentheses: the median
delay of the events found from their start, in minutes. The oracle knows the generator; random and flag all are controls.
`, len(sp.Families), sp.Series, weeks, sp.Events, sp.Sizes, allowedRate, cooldown)
	t := &table{w, all}
	t.head("Event recall by family: mean over faults and sizes", "family")
	for i, name := range rowNames(sp) {
		t.recall(name, func(f *figures) recall { return f.families[i] })
	}
	t.head("Event recall by fault: mean over families and sizes", "fault")
	for i, name := range sp.Faults {
		t.recall(name, func(f *figures) recall { return f.faults[i] })
	}
	t.head("Event recall by size: mean over families and faults that have sizes", "size, σ")
	for i, size := range sp.Sizes {
		t.recall(fmt.Sprintf("%g", size), func(f *figures) recall { return f.sizes[i] })
	}
	t.head(fmt.Sprintf("Median delay in slots of the events found at %g σ (flat line and silence have no size)", sp.Sizes[len(sp.Sizes)-1]), "fault")
	for i, name := range sp.Faults {
		t.row(name, "%.1f", func(f *figures) float64 { return score.Median(f.delays[i]) })
	}
	t.row("all", "%.1f", func(f *figures) float64 { return f.delay })
	printFalse(t, sp)
}

// printFalse prints the openings without a fault and the overall figures.
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
	t.recall("tuned by family", func(f *figures) recall { return f.byFamily })
	t.recall("tuned by series", func(f *figures) recall { return f.bySeries })
	t.recall("recall, no silence", func(f *figures) recall { return f.audible })
	t.recall("macro recall", func(f *figures) recall { return recall{f.macro, f.allDelay} })
}

// Targets of the product.
const (
	leastRecall = 0.42 // macro recall on the built-in spec
	lead        = 0.17 // of macro recall over the best baseline
	behind      = 0.10 // at most, in each family, behind the best baseline there
	maxDelay    = 2    // slots
)

// ofRole returns the rows with a role.
func ofRole(all []*figures, r role) (rows []*figures) {
	for _, f := range all {
		if f.role == r {
			rows = append(rows, f)
		}
	}
	return rows
}

// judge prints the targets and reports whether all are met. The product is the first row.
func judge(w io.Writer, sp *spec, all []*figures) bool {
	product, met := all[0], true
	line := func(ok bool, format string, args ...any) {
		fmt.Fprintf(w, format+": %s\n", append(args, verdict(ok))...)
		met = met && ok
	}
	fmt.Fprintln(w)
	if others := ofRole(all, baseline); len(others) > 0 {
		judgeLead(line, sp, product, others)
	}
	if sp.builtIn {
		line(product.macro >= leastRecall, "macro recall of %s on the built-in spec %.3f, target %.2f", product.name, product.macro, leastRecall)
	}
	line(product.delay <= maxDelay, "median delay at %g σ: %.1f slots, target at most %d", sp.Sizes[len(sp.Sizes)-1], product.delay, maxDelay)
	for _, o := range ofRole(all, limit) {
		fmt.Fprintf(w, "macro recall of %s: %.2f of that of %s, %.3f\n", product.name, product.macro/o.macro, o.name, o.macro)
	}
	return met
}

// judgeLead compares the product with the baselines.
func judgeLead(line func(ok bool, format string, args ...any), sp *spec, product *figures, others []*figures) {
	b := best(others)
	line(product.macro >= b.macro+lead, "macro recall of %s %.3f, best baseline %s %.3f: %+.3f, target %+.2f", product.name, product.macro, b.name, b.macro, product.macro-b.macro, lead)
	for i, name := range rowNames(sp) {
		top := others[0]
		for _, o := range others {
			if o.families[i].share > top.families[i].share {
				top = o
			}
		}
		x, y := product.families[i].share, top.families[i].share
		if !math.IsNaN(x) {
			line(x >= y-behind, "%s: %.3f, best baseline %s %.3f: %+.3f, target at least %+.2f", name, x, top.name, y, x-y, -behind)
		}
	}
}

func verdict(ok bool) string {
	if ok {
		return "met"
	}
	return "MISSED"
}
