// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// Targets. budget is the engine's default: false alarms per day.
const (
	budget          = 5.
	incidentsWanted = 2.
)

// row is a fault with the results of its tries.
type row struct {
	fault string
	tries []try
}

// day holds the number of openings in a shop without a fault.
type day struct {
	seed                 int
	long                 time.Duration
	anomalies, incidents int
}

// share formats a count and its total.
func share(n, of int) string { return fmt.Sprintf("%d/%d", n, of) }

// faultTable prints a line for each fault and reports whether each had at most the wanted number of incidents.
func faultTable(w io.Writer, rows []row, before time.Duration) bool {
	fmt.Fprintf(w, "The demo shop with a fault, after %s without one; found within %s\n\n", span(before), span(window))
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "fault\tincident\tfirst suspect right\tamong three\tmedian delay\tincidents per fault\tfalse incidents\tfalse anomalies")
	var all row
	met := true
	for _, r := range rows {
		met = line(out, r) && met
		all.tries = append(all.tries, r.tries...)
	}
	all.fault = "all"
	line(out, all)
	_ = out.Flush()
	fmt.Fprintln(w, "\nNamed first instead:")
	for _, r := range rows {
		var wrong []string
		for _, t := range r.tries {
			if t.found && !t.right {
				wrong = append(wrong, t.first)
			}
		}
		if slices.Sort(wrong); len(wrong) > 0 {
			fmt.Fprintf(w, "  %s: %v\n", r.fault, wrong)
		}
	}
	fmt.Fprintf(w, "\nIncidents per fault, at most %.0f wanted for each: %s\n\n", incidentsWanted, verdict(met))
	return met
}

// line prints a line and reports whether it has at most the wanted number of incidents per fault.
func line(w io.Writer, r row) bool {
	found, right, among, incidents, falseIncidents, falseAnomalies := 0, 0, 0, 0, 0, 0
	var delays []time.Duration
	for _, t := range r.tries {
		incidents, falseIncidents, falseAnomalies = incidents+t.incidents, falseIncidents+t.falseIncidents, falseAnomalies+t.falseAnomalies
		if !t.found {
			continue
		}
		found++
		delays = append(delays, t.delay)
		if t.right {
			right++
		}
		if t.among {
			among++
		}
	}
	n := len(r.tries)
	mean := float64(incidents) / float64(n)
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%.2f\t%d\t%d\n", r.fault, share(found, n), share(right, n), share(among, n),
		median(delays), mean, falseIncidents, falseAnomalies)
	return mean <= incidentsWanted
}

// median returns the median delay, or the earlier of two middle values.
func median(delays []time.Duration) string {
	if len(delays) == 0 {
		return "-"
	}
	slices.Sort(delays)
	return fmt.Sprintf("%.0f s", delays[(len(delays)-1)/2].Seconds())
}

// quietTable prints a line for each shop without a fault and reports whether all together met the budget.
func quietTable(w io.Writer, days []day) bool {
	fmt.Fprintf(w, "The demo shop without a fault\n\n")
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "seed\ttime\tanomalies\tincidents\tbudget")
	var all day
	allowed := func(d day) float64 { return budget * d.long.Hours() / 24 }
	for _, d := range days {
		fmt.Fprintf(out, "%d\t%s\t%d\t%d\t%.1f\n", d.seed, span(d.long), d.anomalies, d.incidents, allowed(d))
		all.long, all.anomalies, all.incidents = all.long+d.long, all.anomalies+d.anomalies, all.incidents+d.incidents
	}
	fmt.Fprintf(out, "all\t%s\t%d\t%d\t%.1f\n", span(all.long), all.anomalies, all.incidents, allowed(all))
	_ = out.Flush()
	met := float64(all.anomalies) <= allowed(all)
	fmt.Fprintf(w, "\nAnomalies opened, at most the budget: %s\n", verdict(met))
	return met
}

// span formats a duration in hours, or in minutes if it is short.
func span(d time.Duration) string {
	if d < time.Hour {
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.0f h", d.Hours())
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "missed"
}
