// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package template

import "bytes"

// Wildcard stands for a variable in the text of a template.
const Wildcard = "<*>"

// appendText appends the line with a wildcard for each variable, as it will be
// shown. Digits that end a word are shown as they are unless strict.
func (s *scanner) appendText(b []byte, strict bool) []byte {
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

// place of a variable: which wildcard of the skeleton stands for it, and which of the values there it is.
type place struct{ slot, nth int }

// skeleton is what identifies a template. It is the text, but an empty variable counts as any other, and what is
// repeated counts once: a run of variables, with the units and marks between them, and a list of things alike.
// So "1 2 3" and "4 5", "<1 sec" and "00:15", "node3 node4" and "node7" have the same skeleton.
type skeleton struct {
	b      []byte
	ends   []int   // where each wildcard ends in b
	values []int   // how many variables of the line each wildcard stands for
	places []place // of each variable of the line
}

// skeletize writes the skeleton of the scanned line.
func (k *skeleton) skeletize(s *scanner) {
	k.b, k.ends, k.values, k.places = k.b[:0], k.ends[:0], k.values[:0], k.places[:0]
	run := false // a variable was last, if only what may go with it followed
	for i, t := range s.tokens {
		if t.kind == variable && run {
			last := len(k.ends) - 1
			k.b = k.b[:k.ends[last]]
			k.note(last)
			continue
		}
		if t.spaced && i > 0 {
			k.b = append(k.b, ' ')
		}
		switch t.kind {
		case variable:
			run = true
			k.wildcard()
		case soft:
			run = false
			k.b = append(k.b, s.line[t.start:t.end-1]...)
			k.wildcard()
		case unit:
			if n := len(k.ends); run && len(k.b) <= k.ends[n-1]+1 {
				k.b = k.b[:k.ends[n-1]]
				break
			}
			fallthrough
		default:
			text := s.line[t.start:t.end]
			k.b = append(k.b, text...)
			run = run && (t.kind == unit || goesBetween(text))
		}
	}
}

// wildcard appends a wildcard, or takes back what was written since an earlier one if it says the same once more.
func (k *skeleton) wildcard() {
	k.b = append(k.b, Wildcard...)
	n := len(k.ends)
	for p := 1; p <= maxPeriod && p <= n; p++ {
		from := k.ends[n-p]
		again := k.b[from:]
		if len(again) <= from && bytes.Equal(again, k.b[from-len(again):from]) && bytes.ContainsAny(again, " ,") {
			k.b, k.ends = k.b[:from], k.ends[:n-p+1]
			k.note(n - p)
			return
		}
	}
	k.ends, k.values = append(k.ends, len(k.b)), append(k.values[:n], 0)
	k.note(n)
}

// maxPeriod is how many variables a thing of a list may have.
const maxPeriod = 6

// note notes that the wildcard stands for the next variable.
func (k *skeleton) note(slot int) {
	k.places = append(k.places, place{slot, k.values[slot]})
	k.values[slot]++
}

// goesBetween tells what does not end a run of variables.
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
