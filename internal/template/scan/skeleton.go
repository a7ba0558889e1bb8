// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"bytes"

	"github.com/auspex-otel/auspex/internal/template/hash"
)

// Wildcard represents a variable in the text of a template.
const Wildcard = "<*>"

// AppendText appends the line with a wildcard for each variable, for display. It keeps a digit
// that ends a word, as in ssh2, unless strict is set.
func (s *Scanner) AppendText(b []byte, strict bool) []byte {
	for i, t := range s.tokens {
		if t.spaced && i > 0 {
			b = append(b, ' ')
		}
		switch {
		case t.kind == soft && strict:
			b = append(append(b, s.line[t.start:t.end-1]...), Wildcard...)
		case t.kind != variable:
			b = append(b, s.line[t.start:t.end]...)
		case t.start < t.end && !(i > 0 && !t.spaced && s.tokens[i-1].kind == variable):
			b = append(b, Wildcard...)
		}
	}
	return b
}

// Shape returns h with a hash of the result of AppendText mixed in. Lines of one shape have the
// same text and skeleton.
func (s *Scanner) Shape(h uint64) uint64 {
	for _, t := range s.tokens {
		v := uint64(t.kind)<<1 | uint64(btoi(t.spaced))
		switch {
		case t.kind != variable:
			h = hash.String(h^v*hash.K0, s.line[t.start:t.end])
		case t.start == t.end:
			h = hash.Mix(h, v|1<<8)
		default:
			h = hash.Mix(h, v|1<<9)
		}
	}
	return h
}

// Place is the position of a variable: the wildcard of the skeleton that represents it (Slot),
// and its index among the variables there (Nth). Both count from 0.
type Place struct{ Slot, Nth int }

// Skeleton identifies a template. It is the text, except that empty variables count as any other,
// and repetitions count once: a run of variables with the units and marks between them, and a
// list of similar elements. So "1 2 3" and "4 5", "<1 sec" and "00:15", "node3 node4" and "node7"
// have the same skeleton. It reuses its memory for the next line.
type Skeleton struct {
	Text   []byte
	Places []Place // of each variable of the line
	ends   []int   // end of each wildcard in Text
	values []int   // number of the line's variables that each wildcard represents
}

// Read computes the skeleton of the scanned line.
func (k *Skeleton) Read(s *Scanner) {
	k.Text, k.ends, k.values, k.Places = k.Text[:0], k.ends[:0], k.values[:0], k.Places[:0]
	run := false // only units and marks have followed the last variable
	for i, t := range s.tokens {
		if t.kind == variable && run {
			last := len(k.ends) - 1
			k.Text = k.Text[:k.ends[last]]
			k.note(last)
			continue
		}
		if t.spaced && i > 0 {
			k.Text = append(k.Text, ' ')
		}
		switch t.kind {
		case variable:
			run = true
			k.wildcard()
		case soft:
			run = false
			k.Text = append(k.Text, s.line[t.start:t.end-1]...)
			k.wildcard()
		case unit:
			if n := len(k.ends); run && len(k.Text) <= k.ends[n-1]+1 {
				k.Text = k.Text[:k.ends[n-1]]
				break
			}
			fallthrough
		default:
			text := s.line[t.start:t.end]
			k.Text = append(k.Text, text...)
			run = run && (t.kind == unit || goesBetween(text))
		}
	}
}

// wildcard appends a wildcard, or removes the text since an earlier one if it is a repetition.
func (k *Skeleton) wildcard() {
	k.Text = append(k.Text, Wildcard...)
	n := len(k.ends)
	for p := 1; p <= maxPeriod && p <= n; p++ {
		from := k.ends[n-p]
		again := k.Text[from:]
		if len(again) <= from && bytes.Equal(again, k.Text[from-len(again):from]) && bytes.ContainsAny(again, " ,") {
			k.Text, k.ends = k.Text[:from], k.ends[:n-p+1]
			k.note(n - p)
			return
		}
	}
	k.ends, k.values = append(k.ends, len(k.Text)), append(k.values[:n], 0)
	k.note(n)
}

// maxPeriod bounds the variables in one element of a list.
const maxPeriod = 6

// note records that the wildcard represents the next variable.
func (k *Skeleton) note(slot int) {
	k.Places = append(k.Places, Place{slot, k.values[slot]})
	k.values[slot]++
}

// goesBetween reports whether a text consists of marks that may separate a run of variables.
func goesBetween(text string) bool {
	for i := range len(text) {
		switch text[i] {
		case ',', '.', ':', ';', '-', '/', '_', '|', '#', '+', '~', '*', '@':
		default:
			return false
		}
	}
	return true
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
