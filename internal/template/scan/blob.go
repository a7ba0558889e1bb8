// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import "strings"

const (
	// minDump is the minimum number of hexadecimal groups in a dump.
	minDump = 6
	// minBase64 is the minimum length of base64.
	minBase64 = 16
)

// blob returns the end of the hex dump or base64 that begins with the chunk [i,j) of the classes
// f, or 0.
func (s *Scanner) blob(i, j int, f class) int {
	switch n := j - i; {
	case n >= minBase64 && (f&upper != 0 && f&(dot|at) == 0 && isBase64(s.line[i:j]) || s.isPadded(i, j)):
		return s.padding(j)
	case (n == 2 || n == 4 || n == 8) && f&^(digit|alpha|upper) == 0:
		return s.dump(i)
	}
	return 0
}

// dump returns the end of a hex dump at i: groups of 2, 4, or 8 hexadecimal digits, all of one
// width except the last, with one separator, and the printable form after them. It returns 0 if
// there is none.
func (s *Scanner) dump(i int) int {
	width := hexRun(s.line, i)
	if width != 2 && width != 4 && width != 8 {
		return 0
	}
	groups, digits, end := 0, false, i
	for j := i; ; {
		n := hexRun(s.line, j)
		if n == 0 || n > width || j+n < len(s.line) && s.line[j+n] > ' ' || j > end+1 && width > 2 {
			break
		}
		groups++
		digits = digits || flags(s.line[j:j+n])&digit != 0
		end = j + n
		j = end
		for j < len(s.line) && j < end+2 && s.line[j] == ' ' {
			j++
		}
		if j == end || n < width {
			break
		}
	}
	if groups < minDump || !digits {
		return 0
	}
	return printable(s.line, end)
}

// hexRun returns the number of hexadecimal digits at i.
func hexRun(line string, i int) int {
	n := 0
	for i+n < len(line) && classes[line[i+n]]&(digit|alpha) != 0 && classes[line[i+n]]&nonHex == 0 {
		n++
	}
	return n
}

// printable returns the end of the printable form of a dump that ends at i: between bars, or
// after two spaces up to the end of the line.
func printable(line string, i int) int {
	j := i
	for j < len(line) && line[j] == ' ' {
		j++
	}
	if j < len(line) && line[j] == '|' {
		end := j + 1 + len(strings.TrimRight(line[j+1:], " \r\n"))
		if end > j+1 && line[end-1] == '|' {
			return end
		}
	}
	if j-i >= 2 {
		for j < len(line) && line[j] != '\n' {
			j++
		}
		return j
	}
	return i
}

// isBase64 reports whether a text looks like base64: by its alphabet, and by more frequent
// changes between small letters, capitals, and digits than in words.
func isBase64(text string) bool {
	if len(text) < minBase64 {
		return false
	}
	changes, last := 0, class(0)
	var f class
	for i := range len(text) {
		c := text[i]
		k := classes[c]
		switch {
		case k&(digit|alpha) != 0 && k&wide == 0:
			k &= digit | upper
		case c == '+' || c == '/' || c == '-' || c == '_':
			k = slash
		default:
			return false
		}
		f |= classes[c]
		changes += btoi(i > 0 && k != last)
		last = k
	}
	return f&digit != 0 && f&upper != 0 && f&alpha != 0 && 20*changes >= 9*len(text)
}

// isPadded recognizes base64 by its padding to groups of four.
func (s *Scanner) isPadded(i, j int) bool {
	if j == len(s.line) || s.line[j] != '=' || strings.ContainsAny(s.line[i:j], "~%$*.@\\") {
		return false
	}
	end := s.padding(j)
	return end > j && (end-i)%4 == 0 && (end == len(s.line) || s.line[end] != '=')
}

// padding returns the end of the padding of base64 at i.
func (s *Scanner) padding(i int) int {
	j := i
	for j < len(s.line) && j < i+2 && s.line[j] == '=' {
		j++
	}
	if j < len(s.line) && classes[s.line[j]]&(digit|alpha|slash) != 0 {
		return i // a key
	}
	return j
}

// isControl reports whether c is a control character other than white space.
func isControl(c byte) bool { return c < ' ' && (c < '\t' || c > '\r') || c == 0x7f }

// binary combines the text around the control character at i to one value if it contains another
// control character, and removes its tokens. Otherwise it returns i.
func (s *Scanner) binary(i int) int {
	end, controls := i, 0
	for end < len(s.line) && (s.line[end] > ' ' || isControl(s.line[end])) {
		controls += btoi(isControl(s.line[end]) || s.line[end] == 0xc2 && end+1 < len(s.line) && s.line[end+1] < 0xa0)
		end++
	}
	if controls < 2 {
		return i
	}
	start := i
	for n := len(s.tokens); n > 0 && int(s.tokens[n-1].end) == start && !s.spaced; n-- {
		start = int(s.tokens[n-1].start)
		s.spaced = s.tokens[n-1].spaced
		s.tokens, s.announced = s.tokens[:n-1], 0
	}
	s.add(start, end, variable)
	return end
}
