// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"strings"
	"unicode/utf8"
)

// kind is the kind of a token.
type kind uint8

const (
	word     kind = iota // constant text of the program
	mark                 // punctuation
	variable             // value inserted by the program
	unit                 // a word that belongs to the preceding number
	soft                 // a digit at the end of a word: a part of it (ssh2) until it changes (slot3)
)

// token is a piece of a line. An empty value, as after the key in "user=", is a variable of
// length 0.
type token struct {
	start, end int32
	kind       kind
	spaced     bool // white space precedes it
}

const (
	// MaxLine is the number of bytes that are read of a line.
	MaxLine = 4096
	// maxTokens bounds the tokens of a line.
	maxTokens = 256
)

// Scanner splits a line into tokens. It reuses its memory for the next line. The zero value is
// ready to use.
type Scanner struct {
	line      string
	tokens    []token
	spaced    bool // white space since the last token
	dated     bool // the preceding tokens belong to a date
	depth     int  // nesting of quotes at the position
	announced int  // number of tokens up to the last word that may precede a user name
	escaped   bool // an escape sequence was found
	listed    bool // a label with its value, separated by blanks, was found
}

// Scan splits a line into tokens. It reads the first MaxLine bytes. The rest, and the text after
// maxTokens tokens, is one variable.
func (s *Scanner) Scan(line string) {
	cut := len(line) > MaxLine
	if cut {
		end := MaxLine
		for end > MaxLine-utf8.UTFMax && !utf8.RuneStart(line[end]) {
			end--
		}
		line = line[:end]
	}
	s.line, s.tokens, s.spaced, s.dated, s.depth, s.listed, s.escaped, s.announced = line, s.tokens[:0], false, false, 0, false, false, 0
	i := s.run(s.header())
	if cut || i < len(line) {
		s.add(i, len(line), variable)
	}
}

// Line returns the scanned line: its first MaxLine bytes if it is longer.
func (s *Scanner) Line() string { return s.line }

// Escaped reports whether the scanned line may contain escape sequences, which WithoutEscapes removes.
func (s *Scanner) Escaped() bool { return s.escaped }

// run splits the line from i and returns the end position, which is before the end of the line if
// there are too many tokens.
func (s *Scanner) run(i int) int {
	line := s.line
	for i < len(line) && len(s.tokens) < maxTokens {
		c := line[i]
		if c <= ' ' || c == 0x7f {
			if isControl(c) {
				s.escaped = s.escaped || c == escape
				if end := s.binary(i); end > i {
					i = end
					continue
				}
			}
			s.spaced = true
			i++
			continue
		}
		if classes[c] == 0 {
			i = s.punctuation(i, c)
			continue
		}
		j, f := i, class(0)
		for j < len(line) {
			k := classes[line[j]]
			if k == 0 {
				break
			}
			f |= k
			j++
		}
		i = s.chunk(i, j, f)
	}
	return i
}

func (s *Scanner) add(start, end int, k kind) {
	s.tokens = append(s.tokens, token{int32(start), int32(end), k, s.spaced})
	s.spaced = false
}

// punctuation scans the mark at i and the tokens that depend on it, and returns the next
// position.
func (s *Scanner) punctuation(i int, c byte) int {
	next := byte(' ')
	if i+1 < len(s.line) {
		next = s.line[i+1]
	}
	switch c {
	case '=':
		return s.value(i, next)
	case ':':
		if next <= ' ' {
			return s.labeled(i)
		}
	case '"', '\'', '`':
		if i == 0 || classes[s.line[i-1]]&(alpha|digit) == 0 {
			return s.quoted(i)
		}
	case '(', '[', '{':
		if c == '[' && i > 0 && isIntroduced(s.line, i) {
			s.escaped = true
		}
		if c == '(' {
			if end := s.restatement(i); end > 0 {
				s.add(i, end, variable)
				return end
			}
			if end := s.argument(i); end > 0 {
				s.add(i, i+1, mark)
				s.add(i+1, end, variable)
				return end
			}
		}
		if next == closing(c) && (i == 0 || s.spaced || s.line[i-1] == '=' || s.line[i-1] == ':') {
			s.add(i, i+1, mark)
			s.add(i+1, i+1, variable)
			return i + 1
		}
	case '<', '>':
		if classes[next] == digit && (i == 0 || classes[s.line[i-1]]&(alpha|digit) == 0) { // as in "<1 sec"
			j, f := i+1, class(0)
			for j < len(s.line) && classes[s.line[j]] != 0 {
				f |= classes[s.line[j]]
				j++
			}
			return s.numbered(i, s.trim(i, j), j)
		}
		if c == '<' && strings.HasPrefix(s.line[i:], Wildcard) {
			s.add(i, i+len(Wildcard), variable)
			return i + len(Wildcard)
		}
	}
	s.add(i, i+1, mark)
	return i + 1
}

func closing(c byte) byte {
	switch c {
	case '(':
		return ')'
	case '[':
		return ']'
	}
	return '}'
}

// trim returns the end of the chunk without the dots at the end of a sentence.
func (s *Scanner) trim(i, j int) int {
	for j > i && s.line[j-1] == '.' {
		j--
	}
	return j
}

// finish adds the dots that trim removed and returns the next position.
func (s *Scanner) finish(end, j int) int {
	if end < j {
		s.add(end, j, mark)
	}
	return j
}

// chunk scans the bytes [i,j), none of which is a token of its own; f is the union of their
// classes.
func (s *Scanner) chunk(i, j int, f class) int {
	if f&wide == 0 && j < len(s.line) && s.line[j] == ':' {
		if k := s.colon(i, j, f); k > 0 {
			s.add(i, k, variable)
			return k
		}
	}
	if f&wide != 0 {
		return s.foreign(i, j)
	}
	if f&(digit|slash|at|dot) == 0 {
		if j-i == 1 && s.line[i] == '-' {
			return s.dash(i)
		}
		if n := j - i; f&(nonHex|joiner) == 0 && (n == 2 || n == 4 || n == 8) {
			if k := s.dump(i); k > 0 {
				s.add(i, k, variable)
				return k
			}
		}
		s.plain(i, j, f)
		return j
	}
	if k := s.blob(i, j, f); k > 0 {
		s.add(i, k, variable)
		return k
	}
	end := s.trim(i, j)
	switch text := s.line[i:end]; {
	case end == i:
	case f&slash != 0:
		return s.slashed(i, end, j, f)
	case f&at != 0 && f&alpha != 0:
		return s.address(i, end, j)
	case f&alpha == 0:
		if f&digit == 0 {
			s.add(i, end, word)
		} else {
			s.add(i, end, variable)
		}
	case f&dot != 0 && (isFileName(text) || s.isDottedName(i, end)):
		s.add(i, end, variable)
	case f&dot != 0 && isHost(text) && (j >= len(s.line) || s.line[j] != '('):
		s.add(i, end, variable)
	case f&digit != 0:
		return s.numbered(i, end, j)
	default:
		s.plain(i, end, f)
	}
	return s.finish(end, j)
}

// plain scans a word without digits.
func (s *Scanner) plain(i, j int, f class) {
	if n := len(s.tokens); n > 0 && s.tokens[n-1].kind == variable && j-i <= 12 {
		if isUnit(s.line[i:j]) {
			s.add(i, j, unit)
			return
		}
		if s.dated && f == f&(alpha|nonHex|upper) && isZone(s.line[i:j]) {
			s.add(i, j, variable)
			return
		}
	}
	if f&upper != 0 && j-i >= 3 && j-i <= 9 && isDateWord(s.line[i:j]) && s.beforeDate(j) {
		s.add(i, j, variable)
		s.dated = true
		return
	}
	s.dated = false
	if s.isUserName(i, j) {
		s.add(i, j, variable)
		return
	}
	if j-i >= hashLength && (f&^(alpha|upper) == 0 || j-i == uuidLength && isUUID(s.line[i:j])) || s.afterMark() && isLiteral(s.line[i:j]) {
		s.add(i, j, variable)
		return
	}
	s.add(i, j, word)
	if announces(s.line[i:j]) {
		s.announced = len(s.tokens)
	}
}

// hashLength is the length from which a word of only the letters a to f is a hexadecimal number.
const hashLength = 8

// afterMark reports whether the last token is a mark that precedes values: in calls, lists, and
// after keys.
func (s *Scanner) afterMark() bool {
	n := len(s.tokens)
	return n > 0 && s.tokens[n-1].kind == mark && strings.IndexByte(":([,{=", s.line[s.tokens[n-1].start]) >= 0
}

// isZone reports whether s looks like the abbreviation of a time zone.
func isZone(s string) bool {
	return len(s) >= 3 && len(s) <= 5 && within(s, upper) && (s[len(s)-1] == 'T' || s == "UTC")
}

// beforeDate reports whether a number or another word of a date follows or precedes.
func (s *Scanner) beforeDate(j int) bool {
	if n := len(s.tokens); n > 0 && s.tokens[n-1].kind == variable && s.spaced {
		return true
	}
	for j < len(s.line) && (s.line[j] == ' ' || s.line[j] == ',') {
		j++
	}
	k := j
	for k < len(s.line) && classes[s.line[k]]&alpha != 0 {
		k++
	}
	return j < len(s.line) && classes[s.line[j]] == digit || k > j && isDateWord(s.line[j:k])
}

// ScanSkeleton splits a skeleton into tokens. Only its wildcards are variables.
func (s *Scanner) ScanSkeleton(skeleton string) {
	s.line, s.tokens, s.spaced = skeleton, s.tokens[:0], false
	for i := 0; i < len(skeleton); {
		j, k := i+1, word
		switch {
		case skeleton[i] == ' ':
			s.spaced = true
			i++
			continue
		case strings.HasPrefix(skeleton[i:], Wildcard):
			j, k = i+len(Wildcard), variable
		case classes[skeleton[i]] == 0:
			k = mark
		default:
			for j < len(skeleton) && classes[skeleton[j]] != 0 {
				j++
			}
		}
		s.add(i, j, k)
		i = j
	}
}
