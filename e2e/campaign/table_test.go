// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestReportNamesWhatFails verifies that a stage without failures reports none, and that each failure is named.
func TestReportNamesWhatFails(t *testing.T) {
	for want, spoil := range map[string]func(*stage){
		"":                                    func(*stage) {},
		"1 records were acknowledged and":     func(s *stage) { s.rows[0].found[7] = 0 },
		"nothing was acknowledged":            func(s *stage) { s.rows[0].ledger = newLedger("ab12", 0) },
		"p99 is 11.0 times":                   func(s *stage) { s.rows[0].latencies.of[misused] = []time.Duration{110 * time.Millisecond} },
		"no request was measured":             func(s *stage) { s.rows[0].latencies.of[misused] = nil },
		"memory reached 1.30 times its limit": func(s *stage) { s.victim.ratio = 1.3 },
		"the collector exited on its own 1":   func(s *stage) { s.victim.crashes = 1 },
		"1 kills, 25 records, and 5 of junk":  func(s *stage) { s.victim.kills = 1 },
		"the backend does not run":            func(s *stage) { s.fail("the backend does not run") },
	} {
		s := wellStage()
		spoil(s)
		var table strings.Builder
		failed := s.report(&table, []*stage{s})
		if want == "" {
			assert.Empty(t, failed)
			assert.Contains(t, table.String(), "total: 25 acknowledged, 25 found, 0 in dead letters, 0 missing, 0 duplicates, 2 kills")
			continue
		}
		if assert.Len(t, failed, 1, want) {
			assert.Contains(t, failed[0], want)
		}
	}
}

// wellStage returns a finished stage of one row without failures.
func wellStage() *stage {
	r := &row{ledger: newLedger("ab12", 0), receiver: "lumberjack", exporter: "elasticsearch"}
	r.latencies.of = map[phase][]time.Duration{quiet: {time.Millisecond}, misused: {20 * time.Millisecond}}
	first := r.next()
	r.acknowledge(first)
	for n := range batchRecords {
		r.find(first + n)
	}
	return &stage{plan: plan{kills: 2, junk: 5}, junk: 5, exporter: "elasticsearch", rows: []*row{r}, victim: &victim{kills: 2, ratio: 1.1}}
}
