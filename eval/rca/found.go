// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/backtest"
)

const (
	// faultLasts is the time after its injection in which a fault counts as active.
	faultLasts = 3 * time.Minute
	// Targets without a given fault time.
	leastFound, mostOpen, mostIncidents = 0.60, 0.20, 2
)

// anomaly is an anomaly that the product opened.
type anomaly struct {
	incident, service string
	opened            time.Time
}

// findings holds the results without a given fault time.
type findings struct {
	anomalies []anomaly
	incidents []time.Time // opening times
	open      []backtest.Window
}

// foundItself is the result for one fault: the number of incidents that opened during it, and whether one of those,
// or an earlier one that added its first anomaly of the culprit, shows it.
type foundItself struct {
	opened int
	found  bool
}

func (f *findings) of(x fault, at time.Time) (r foundItself) {
	within := func(t time.Time) bool { return !t.Before(at) && !t.After(at.Add(faultLasts)) }
	for _, i := range f.incidents {
		if within(i) {
			r.opened++
		}
	}
	first := map[string]time.Time{} // of the culprit's anomalies, by incident
	for _, a := range f.anomalies {
		if t, known := first[a.incident]; a.service == x.Service && (!known || a.opened.Before(t)) {
			first[a.incident] = a.opened
		}
	}
	r.found = r.opened > 0
	for _, t := range first {
		r.found = r.found || within(t)
	}
	return r
}

// openIn reports whether an incident was open in the minute that begins at a time.
func (f *findings) openIn(minute time.Time) bool {
	for _, o := range f.open {
		if o.Start.Before(minute.Add(time.Minute)) && o.End.After(minute) {
			return true
		}
	}
	return false
}

// byItself prints the faults that were found without a given time, and the share of the recorded time without a fault
// in which an incident was open.
func (r *report) byItself(faults []fault, in []string, f findings) error {
	var times []time.Time
	kinds, all := []*tally{}, &tally{kind: "all"}
	byKind := map[string]*tally{}
	for _, x := range faults {
		at, err := time.Parse(askLayout, x.InjectedAt)
		if err != nil {
			return err
		}
		times = append(times, at)
		k := byKind[x.Type]
		if k == nil {
			k = &tally{kind: x.Type}
			byKind[x.Type], kinds = k, append(kinds, k)
		}
		one := f.of(x, at)
		all.add(one)
		k.add(one)
	}
	quiet, open, err := quietMinutes(in, times, f)
	if err != nil {
		return err
	}
	r.found.n, r.found.found, r.found.most = r.found.n+all.n, r.found.found+all.found, max(r.found.most, all.most)
	r.quiet, r.open = r.quiet+quiet, r.open+open
	fmt.Fprintln(r.out, "\nfound without a given time: an incident opened, or added its first anomaly of the service, within three minutes")
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "fault\tn\tfound\tmost incidents\t")
	for _, k := range append([]*tally{all}, kinds...) {
		fmt.Fprintf(w, "%s\t%d\t%.3f\t%d\t\n", k.kind, k.n, k.share(), k.most)
	}
	_ = w.Flush() // errors on out are ignored
	fmt.Fprintf(r.out, "recorded minutes without a fault: %d; with an incident open: %d, %.3f\n", quiet, open, share(open, quiet))
	return nil
}

// foundInAll prints the results without a given time over all systems, with their targets.
func (r *report) foundInAll() {
	found, open := r.found.share(), share(r.open, r.quiet)
	fmt.Fprintf(r.out, "\nall systems, found by itself\nfaults: %d of %d, %.3f; target ≥ %.2f  %s\n", r.found.found, r.found.n, found, leastFound, r.verdict(found >= leastFound))
	fmt.Fprintf(r.out, "incidents that opened in a fault's three minutes: %d at most; target ≤ %d  %s\n", r.found.most, mostIncidents, r.verdict(r.found.most <= mostIncidents))
	fmt.Fprintf(r.out, "recorded minutes without a fault that had an incident open: %d of %d, %.3f; target ≤ %.2f  %s\n", r.open, r.quiet, open, mostOpen, r.verdict(open <= mostOpen))
}

func share(k, n int) float64 { return float64(k) / float64(max(1, n)) }

// tally counts the faults of a kind.
type tally struct {
	kind           string
	n, found, most int
}

func (t *tally) share() float64 { return share(t.found, t.n) }

func (t *tally) add(f foundItself) {
	t.n++
	t.most = max(t.most, f.opened)
	if f.found {
		t.found++
	}
}

// quietMinutes returns the number of recorded minutes without a fault, and those of them with an open incident.
func quietMinutes(in []string, faults []time.Time, f findings) (quiet, open int, err error) {
	minutes := map[int64]bool{}
	for _, dir := range in {
		if err := recorded(dir, minutes); err != nil {
			return 0, 0, err
		}
	}
	for m := range minutes {
		minute, faulty := time.Unix(m*60, 0).UTC(), false
		for _, at := range faults {
			faulty = faulty || minute.Add(time.Minute).After(at) && !minute.After(at.Add(faultLasts))
		}
		if faulty {
			continue
		}
		quiet++
		if f.openIn(minute) {
			open++
		}
	}
	return quiet, open, nil
}

// recorded adds the minutes since 1970 in which a folder has data.
func recorded(dir string, minutes map[int64]bool) error {
	see := func(nanos int64) { minutes[nanos/int64(time.Minute)] = true }
	return lookAt(dir, edit{
		metrics: func(md pmetric.Metrics) {
			for _, rm := range md.ResourceMetrics().All() {
				for _, sm := range rm.ScopeMetrics().All() {
					for _, m := range sm.Metrics().All() {
						if m.Type() == pmetric.MetricTypeGauge {
							for _, p := range m.Gauge().DataPoints().All() {
								see(int64(p.Timestamp()))
							}
						}
					}
				}
			}
		},
		logs: func(ld plog.Logs) {
			for _, rl := range ld.ResourceLogs().All() {
				for _, sl := range rl.ScopeLogs().All() {
					for _, l := range sl.LogRecords().All() {
						see(int64(l.Timestamp()))
					}
				}
			}
		},
		traces: func(td ptrace.Traces) {
			for _, rs := range td.ResourceSpans().All() {
				for _, ss := range rs.ScopeSpans().All() {
					for _, s := range ss.Spans().All() {
						see(int64(s.StartTimestamp()))
					}
				}
			}
		},
	})
}
