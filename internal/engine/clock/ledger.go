// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package clock

// maxTold bounds the number of sources that are remembered as reported.
const maxTold = 10_000

// Ledger counts untimely timestamps, and remembers the sources whose first one was reported. The zero value is empty.
type Ledger struct {
	counts [verdicts]uint64
	told   [verdicts]map[uint64]struct{}
}

// Note counts an untimely timestamp, and reports whether it is the first of its kind from the source. For sources
// beyond maxTold it returns false.
func (l *Ledger) Note(v Verdict, source uint64) (first bool) {
	l.counts[v]++
	if _, ok := l.told[v][source]; ok || len(l.told[v]) >= maxTold {
		return false
	}
	if l.told[v] == nil {
		l.told[v] = map[uint64]struct{}{}
	}
	l.told[v][source] = struct{}{}
	return true
}

// Counts returns the number of untimely timestamps by the name of the verdict.
func (l *Ledger) Counts() map[string]uint64 {
	return map[string]uint64{Ahead.String(): l.counts[Ahead], Behind.String(): l.counts[Behind]}
}
