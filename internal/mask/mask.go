// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package mask

import (
	"fmt"
	"regexp"
	"strings"
)

// Hidden replaces hidden text. It equals the wildcard of templates.
const Hidden = "<*>"

// Masker hides parts of texts. It is immutable and safe for concurrent use.
type Masker struct{ patterns []*regexp.Regexp }

// Default returns a masker that hides payment cards, secrets, and e-mail addresses.
func Default() *Masker { return &Masker{} }

// New returns a masker that also hides the patterns.
func New(patterns []string) (*Masker, error) {
	m := &Masker{}
	for _, p := range patterns {
		re, err := regexp.Compile(p)
		if err != nil {
			return nil, fmt.Errorf("mask %q: %w", p, err)
		}
		if re.MatchString("") {
			return nil, fmt.Errorf("mask %q: it matches the empty text, use a pattern that does not", p)
		}
		m.patterns = append(m.patterns, re)
	}
	return m, nil
}

// Mask returns s with Hidden in place of each sensitive part, or s itself without an allocation
// if there is none.
func (m *Masker) Mask(s string) string {
	for _, re := range m.patterns {
		if re.MatchString(s) {
			s = re.ReplaceAllLiteralString(s, Hidden)
		}
	}
	var b strings.Builder
	from := 0
	for i := 0; i < len(s); {
		if classes[s[i]] == other {
			i++
			continue
		}
		start, end, ok := find(s, i)
		if !ok {
			i = max(i+1, end)
			continue
		}
		b.WriteString(s[from:max(from, start)])
		b.WriteString(Hidden)
		from, i = end, end
	}
	if from == 0 {
		return s
	}
	b.WriteString(s[from:])
	return b.String()
}

// class states which sensitive part a byte may start.
type class uint8

const (
	other class = iota
	number
	sign
	letter
)

var classes = func() (t [256]class) {
	for c := range t {
		switch {
		case isDigit(byte(c)):
			t[c] = number
		case isLetter(byte(c)):
			t[c] = letter
		}
	}
	t['@'] = sign
	return t
}()

// find examines the text at i. It returns the part to hide, or the position to continue.
func find(s string, i int) (start, end int, ok bool) {
	switch classes[s[i]] {
	case number:
		return card(s, i)
	case sign:
		return email(s, i)
	}
	j := i + 1
	for j < len(s) && (classes[s[j]] > sign || classes[s[j]] == number || s[j] == '_' || s[j] == '-') {
		j++
	}
	if i > 0 && (isDigit(s[i-1]) || isLetter(s[i-1])) {
		return 0, j, false
	}
	return word(s, i, j)
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isName(c byte) bool   { return isDigit(c) || isLetter(c) || c == '_' || c == '-' }

// card finds 13 to 19 digits with a valid check digit, without spaces or in the groups of a card.
func card(s string, i int) (start, end int, ok bool) {
	j := digits(s, i)
	if i > 0 && !isEdge(s[i-1]) || s[i] < '2' || s[i] > '6' {
		return 0, j, false
	}
	if j-i < 13 && j-i != 4 {
		return 0, j, false
	}
	if j-i == 4 {
		end = grouped(s, i)
		return i, max(end, j), end > 0
	}
	if j-i > 19 || !endsAt(s, j) || !luhn(s[i:j]) {
		return 0, j, false
	}
	return i, j, true
}

// grouped returns the end of a card number in groups, 4-4-4-4 with up to 3 more or 4-6-4 and
// 4-6-5, or 0.
func grouped(s string, i int) int {
	var all [24]byte
	var sizes [5]int
	n, end := 0, i
	for k := range sizes {
		j := digits(s, end)
		if n+j-end > len(all) {
			return 0
		}
		n += copy(all[n:], s[end:j])
		sizes[k] = j - end
		whole := k == 2 && sizes[1] == 6 && (sizes[2] == 4 || sizes[2] == 5) ||
			k >= 3 && sizes[1] == 4 && sizes[2] == 4 && sizes[3] <= 4 && sizes[4] <= 3
		if whole && n >= 13 && endsAt(s, j) && luhn(string(all[:n])) {
			return j
		}
		if j+1 >= len(s) || s[j] != ' ' && s[j] != '-' || !isDigit(s[j+1]) {
			return 0
		}
		end = j + 1
	}
	return 0
}

// endsAt reports whether a card number may end at i. A dot must end a sentence.
func endsAt(s string, i int) bool {
	return i == len(s) || isEdge(s[i]) || s[i] == '.' && (i+1 == len(s) || s[i+1] <= ' ')
}

// isEdge reports whether c may be next to a card number.
func isEdge(c byte) bool { return c <= ' ' || strings.IndexByte("\"'=:,;()[]{}<>|", c) >= 0 }

// digits returns the end of the digits at i.
func digits(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// luhn reports whether the check digit of a card number is correct.
func luhn(digits string) bool {
	sum := 0
	for k := range digits {
		d := int(digits[len(digits)-1-k] - '0')
		if k%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// email finds an address around the @ at i.
func email(s string, i int) (start, end int, ok bool) {
	start, end = i, i+1
	for start > 0 && (isName(s[start-1]) || strings.IndexByte(".+%", s[start-1]) >= 0) {
		start--
	}
	for end < len(s) && (isName(s[end]) || s[end] == '.') {
		end++
	}
	for end > i+1 && !isName(s[end-1]) {
		end--
	}
	dot := strings.LastIndexByte(s[i:end], '.')
	if start == i || dot < 2 || !isLetter(s[i+dot+1]) {
		return 0, 0, false
	}
	return start, end, true
}
