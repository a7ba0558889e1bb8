// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import "strconv"

// Param is a number in a line. Slot is the wildcard of the skeleton that represents it, Nth its
// index among the values there: "load: 0.1 0.2" has one slot. Both count from 0. Name is the key
// before the number, as in name=17 or "name":17, or "". It references the line.
type Param struct {
	Slot, Nth int
	Value     float64
	Name      string
}

const (
	// maxDigits bounds the digits of a measured number. Longer numbers are ids, times in
	// milliseconds, or card numbers.
	maxDigits = 12
	// maxKey bounds the length of a key that names a number.
	maxKey = 64
)

// AppendParams stores the skeleton of the scanned line in k and appends the numbers of the line.
func (s *Scanner) AppendParams(dst []Param, k *Skeleton) []Param {
	k.Read(s)
	v := 0
	for i, t := range s.tokens {
		if t.kind != variable && t.kind != soft {
			continue
		}
		p := k.Places[v]
		v++
		if t.kind == soft {
			t.start = t.end - 1
		}
		if value, ok := number(s.line[t.start:t.end]); ok {
			dst = append(dst, Param{p.Slot, p.Nth, value, s.keyOf(i)})
		}
	}
	return dst
}

// keyOf returns the key of the value in token i, or "".
func (s *Scanner) keyOf(i int) string {
	i = s.beforeQuotes(i - 1)
	if i < 1 || s.tokens[i].kind != mark {
		return ""
	}
	separator := s.line[s.tokens[i].start]
	key := s.beforeQuotes(i - 1)
	if key < 0 || separator != '=' && (separator != ':' || key == i-1) {
		return "" // a colon is a separator only in JSON, where the key is quoted
	}
	t := s.tokens[key]
	if t.kind != word || t.end-t.start > maxKey {
		return ""
	}
	return s.line[t.start:t.end]
}

// beforeQuotes returns the last token up to i that is not a quotation mark, or -1.
func (s *Scanner) beforeQuotes(i int) int {
	for i >= 0 && s.tokens[i].kind == mark && (s.line[s.tokens[i].start] == '"' || s.line[s.tokens[i].start] == '\'') {
		i--
	}
	return i
}

// number parses a number with an optional unit: 12, -0.5, 64MB, 1e-3, 45%.
func number(s string) (float64, bool) {
	i, digits, dots := 0, 0, 0
	if i < len(s) && (s[i] == '-' || s[i] == '+' || s[i] == '<' || s[i] == '>') {
		i++
	}
	from := i
	for ; i < len(s) && (classes[s[i]] == digit || s[i] == '.'); i++ {
		if s[i] == '.' {
			dots++
		} else {
			digits++
		}
	}
	if digits == 0 || digits > maxDigits || dots > 1 || digits > 1 && s[from] == '0' && s[from+1] != '.' || !isSuffix(s[i:]) {
		return 0, false
	}
	if dots == 0 && digits == i-from {
		v := 0.
		for _, c := range []byte(s[from:i]) {
			v = float64(v*10) + float64(c-'0')
		}
		return signed(v, s[0] == '-'), true
	}
	v, err := strconv.ParseFloat(s[from:i], 64)
	return signed(v, s[0] == '-'), err == nil
}

func signed(v float64, negative bool) float64 {
	if negative {
		return -v
	}
	return v
}

// isSuffix reports whether s may follow the digits of a measured number.
func isSuffix(s string) bool { return s == "" || s == "x" || isUnit(s) }
