// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/auspex-otel/auspex/e2e/clients"
)

const mostMemory = 1.2

// report prints the table of all stages and returns the failed requirements.
func (p plan) report(out io.Writer, stages []*stage) (failed []string) {
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "receiver\t| signal\t| exporter\t| acknowledged\t| found\t| dead letters\t| missing\t| duplicates\t| kills\t| peak MiB\t| of limit\t| p99 alone\t| p99 misused\t| ratio\t| false openings")
	var sum balance
	var kills, crashes, hangs, junk int
	for _, s := range stages {
		v := s.victim
		kills, crashes, hangs, junk = kills+v.kills, crashes+v.crashes, hangs+s.hangs, junk+s.junk
		for _, r := range s.rows {
			b := r.balance()
			signal := "logs"
			if r.metrics {
				signal = "metrics"
			}
			fmt.Fprintf(w, "%s\t| %s\t| %s\t| %d\t| %d\t| %d\t| %d\t| %d\t| %d\t| %d\t| %.2f\t| %.1f ms\t| %.1f ms\t| %.1f\t| %d\n",
				r.receiver, signal, r.exporter, b.acknowledged, b.found, b.letters, b.missing, b.duplicates, v.kills, v.peak, v.ratio,
				milliseconds(r.p99(quiet)), milliseconds(r.p99(misused)), r.slower(), len(r.opened))
			sum.acknowledged, sum.found, sum.letters = sum.acknowledged+b.acknowledged, sum.found+b.found, sum.letters+b.letters
			sum.missing, sum.duplicates = sum.missing+b.missing, sum.duplicates+b.duplicates
			s.judgeRow(r, b)
		}
		s.judgeStage()
		failed = append(failed, s.failed...)
	}
	_ = w.Flush()
	fmt.Fprintf(out, "total: %d acknowledged, %d found, %d in dead letters, %d missing, %d duplicates, %d kills, %d crashes, %d hangs, %d junk records; SEED=%d\n",
		sum.acknowledged, sum.found, sum.letters, sum.missing, sum.duplicates, kills, crashes, hangs, junk, p.seed)
	return failed
}

func (s *stage) judgeRow(r *row, b balance) {
	name := r.receiver
	if b.acknowledged == 0 {
		s.fail("%s: nothing was acknowledged", name)
	}
	if b.missing > 0 {
		s.fail("%s: %d records were acknowledged and are not found, the first is record %d of row %d", name, b.missing, b.firstMissing, r.row)
	}
	switch {
	case r.p99(misused) == 0:
		s.fail("%s: no request was measured while others misbehaved", name)
	case r.slower() > clients.MostSlower:
		s.fail("%s: p99 is %.1f times what it is alone, %d is allowed", name, r.slower(), clients.MostSlower)
	}
}

func (s *stage) judgeStage() {
	if s.victim.ratio > mostMemory {
		s.fail("memory reached %.2f times its limit; the maximum is %.1f", s.victim.ratio, mostMemory)
	}
	if s.victim.crashes > 0 {
		s.fail("the collector exited on its own %d times", s.victim.crashes)
	}
	if s.victim.kills < s.kills || s.acknowledged() < s.records || s.junk < s.plan.junk {
		s.fail("%d kills, %d records, and %d of junk; the plan has %d, %d, and %d", s.victim.kills, s.acknowledged(), s.junk, s.kills, s.records, s.plan.junk)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
