// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// variation is a copy with less data, or with a wrong fault time.
type variation struct {
	name string
	edit edit
	late time.Duration
}

func variations() []variation {
	sampled := func(of byte) edit {
		e := keep()
		e.traces = func(td ptrace.Traces) {
			for _, rs := range td.ResourceSpans().All() {
				for _, ss := range rs.ScopeSpans().All() {
					ss.Spans().RemoveIf(func(s ptrace.Span) bool { return s.TraceID()[15]%of != 0 })
				}
			}
		}
		e.logs = func(ld plog.Logs) {
			for _, rl := range ld.ResourceLogs().All() {
				for _, sl := range rl.ScopeLogs().All() {
					sl.LogRecords().RemoveIf(func(l plog.LogRecord) bool { return l.TraceID()[15]%of != 0 })
				}
			}
		}
		return e
	}
	without := func(drop func(*edit)) edit {
		e := keep()
		drop(&e)
		return e
	}
	return []variation{
		{"half of the traces", sampled(2), 0},
		{"a quarter of the traces", sampled(4), 0},
		{"no logs", without(func(e *edit) { e.logs = nil }), 0},
		{"no metrics", without(func(e *edit) { e.metrics = nil }), 0},
		{"no traces", without(func(e *edit) { e.traces = nil }), 0},
		{"time half a minute early", keep(), -30 * time.Second},
		{"time half a minute late", keep(), 30 * time.Second},
	}
}

func (r *report) variations(in []string, work string, faults []fault) error {
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "variation\tAS@1\tAS@3\tAS@5\t")
	for i, v := range variations() {
		fmt.Fprintf(r.progress, "  %s\n", v.name)
		copies, moved, err := v.prepare(in, filepath.Join(work, strconv.Itoa(i)), faults)
		if err != nil {
			return err
		}
		a, err := r.predict(copies, filepath.Join(work, strconv.Itoa(i), "out"), times(moved))
		if err != nil {
			return err
		}
		all := score(moved, a.predictions)[0]
		fmt.Fprintf(w, "%s\t%.3f\t%.3f\t%.3f\t\n", v.name, all.within(1), all.within(3), all.within(5))
		if err := os.RemoveAll(filepath.Join(work, strconv.Itoa(i))); err != nil {
			return err
		}
	}
	return w.Flush()
}

func (v variation) prepare(in []string, work string, faults []fault) (copies []string, asked []fault, err error) {
	for _, f := range faults {
		if f.InjectedAt, err = moved(f.InjectedAt, v.late); err != nil {
			return nil, nil, err
		}
		asked = append(asked, f)
	}
	for _, dir := range in {
		to := filepath.Join(work, filepath.Base(dir))
		if err := copyAll(dir, to, v.edit); err != nil {
			return nil, nil, err
		}
		copies = append(copies, to)
	}
	return copies, asked, nil
}
