// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// isDense reports whether r is a letter of a script without spaces between words, or with
// particles attached to the preceding word: Chinese, Japanese, Korean, Thai, Lao, Tibetan,
// Burmese, and Khmer. A boundary lies between such letters and all others.
func isDense(r rune) bool {
	switch {
	case r < 0x0E00:
		return false
	case r <= 0x109F, r >= 0x1100 && r <= 0x11FF, r >= 0x1780 && r <= 0x17FF:
		return true
	case r >= 0x2E80 && r <= 0x9FFF:
		return r < 0x3000 || r > 0x303F || r >= 0x3005 && r <= 0x3007
	}
	return r >= 0xA960 && r <= 0xA97F || r >= 0xAC00 && r <= 0xD7FF || r >= 0xF900 && r <= 0xFAFF || r >= 0xFF66 && r <= 0xFFDC || r >= 0x20000 && r <= 0x3FFFF
}

// part is a kind of text in a chunk that is not all ASCII.
type part uint8

const (
	plainPart part = iota // ASCII, and letters of scripts with spaces
	densePart
	digitPart // digits of other scripts
	markPart
	spacePart
	controlPart // of ISO 6429, which are not text in any encoding
)

func partOf(r rune, size int) part {
	switch {
	case r < utf8.RuneSelf || r == utf8.RuneError && size == 1: // a byte of another encoding counts as a letter
		return plainPart
	case isDense(r):
		return densePart
	case unicode.IsLetter(r) || unicode.IsMark(r):
		return plainPart
	case unicode.IsDigit(r):
		return digitPart
	case unicode.IsControl(r):
		return controlPart
	case unicode.IsSpace(r) || unicode.Is(unicode.Cf, r):
		return spacePart
	}
	return markPart
}

// foreign scans the chunk [i,j), which has bytes beyond ASCII.
func (s *Scanner) foreign(i, j int) int {
	if isBinary(s.line[i:j]) {
		s.add(i, j, variable)
		return j
	}
	for i < j {
		r, size := utf8.DecodeRuneInString(s.line[i:j])
		kind := partOf(r, size)
		end := i + size
		for end < j {
			next, n := utf8.DecodeRuneInString(s.line[end:j])
			if partOf(next, n) != kind || kind == markPart && next != r {
				break
			}
			end += n
		}
		switch kind {
		case plainPart:
			end = max(end, s.chunk(i, end, flags(s.line[i:end])&^wide)) // the query of a path goes beyond the chunk
		case densePart:
			s.add(i, end, word)
		case digitPart:
			s.add(i, end, variable)
		case markPart:
			if j := s.foreignQuote(i, r); j > 0 {
				return j
			}
			s.add(i, end, mark)
		case controlPart:
			if j := s.binary(i); j > i {
				return j
			}
			s.spaced = true
		case spacePart:
			s.spaced = true
		}
		if len(s.tokens) >= maxTokens {
			return end
		}
		i = end
	}
	return i
}

// isBinary reports whether most of a text is not UTF-8.
func isBinary(text string) bool {
	invalid := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		invalid += btoi(r == utf8.RuneError && size == 1)
		i += size
	}
	return invalid >= 4 && 2*invalid > len(text)
}

// foreignQuote scans the text between the quotation mark r at i and its closing mark. It returns
// 0 if r is not a quotation mark, or not closed.
func (s *Scanner) foreignQuote(i int, r rune) int {
	var closing string
	switch r {
	case '「':
		closing = "」"
	case '『':
		closing = "』"
	case '《':
		closing = "》"
	case '“':
		closing = "”"
	case '«':
		closing = "»"
	default:
		return 0
	}
	from := i + utf8.RuneLen(r)
	n := strings.Index(s.line[from:min(len(s.line), from+maxQuoted)], closing)
	if n <= 0 || OutcomesIn(s.line[from:from+n]) != Neutral {
		return 0
	}
	s.add(i, from, mark)
	s.add(from, from+n, variable)
	s.add(from+n, from+n+len(closing), mark)
	return from + n + len(closing)
}

// isBoundary reports whether a text ends before another one because only one of them has a script
// without spaces.
func isBoundary(before, after string) bool {
	if (before[len(before)-1]|after[0]) < utf8.RuneSelf || !utf8.RuneStart(after[0]) {
		return false
	}
	a, _ := utf8.DecodeLastRuneInString(before)
	b, _ := utf8.DecodeRuneInString(after)
	return isDense(a) != isDense(b)
}

// isDenseText reports whether a text begins with a letter of a script without spaces. Such text
// without a preceding mark may be a verb or a name.
func isDenseText(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return isDense(r)
}
