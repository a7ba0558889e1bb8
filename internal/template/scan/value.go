// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import "strings"

// value scans the = at i and the assigned value: key=value, key = value, key=.
func (s *Scanner) value(i int, next byte) int {
	before := byte(' ')
	if i > 0 {
		before = s.line[i-1]
	}
	isSpaced, first := s.spaced, len(s.tokens) == 0
	s.add(i, i+1, mark)
	i++
	if first || next == '=' || next == '>' || strings.IndexByte("=<>!:+-", before) >= 0 {
		return i // an operator or a ruler
	}
	j := i
	for j < len(s.line) && s.line[j] == ' ' {
		j++
	}
	if j > i && (j == len(s.line) || !isSpaced && s.isKey(j)) {
		s.add(i, i, variable)
		return i
	}
	s.spaced = j > i
	return s.assigned(j)
}

// isKey reports whether the word at i is a key, directly followed by =.
func (s *Scanner) isKey(i int) bool {
	for i < len(s.line) && classes[s.line[i]] != 0 {
		i++
	}
	return i < len(s.line) && s.line[i] == '='
}

// assigned scans the value at i, up to the separator before the next key.
func (s *Scanner) assigned(i int) int {
	if i < len(s.line) && (s.line[i] == '"' || s.line[i] == '\'') {
		if end := s.closingQuote(i); end > 0 {
			s.between(i, end, s.keyIsMessage(len(s.tokens)-2) || hasAssignment(s.line[i+1:end]) || isOutcome(s.line[i+1:end]))
			return end + 1
		}
	}
	j := s.until(i, " \t\r\n,;()[]{}|&\"'<>")
	if j < len(s.line) && strings.IndexByte("([{<", s.line[j]) >= 0 && (j > i || s.line[j] == '<' || s.line[j] == '{') {
		if end := s.closingBracket(j); end > 0 {
			j = end + 1
		}
	}
	if j == i {
		if i == len(s.line) || strings.IndexByte(",;)]}|& \t\r\n", s.line[i]) >= 0 {
			s.add(i, i, variable)
		}
		return i
	}
	if j < len(s.line) && s.line[j] == ' ' {
		if end := s.properName(i); end > j && end+1 < len(s.line) && s.line[end] == ' ' && s.isKey(end+1) {
			j = end
		}
	}
	for j > i && strings.IndexByte(".:!", s.line[j-1]) >= 0 {
		j--
	}
	if j < len(s.line) && s.line[j] == '=' {
		j = s.padding(j)
	}
	if isOutcome(s.line[i:j]) {
		s.add(i, j, word)
	} else {
		s.add(i, j, variable)
	}
	return j
}

// closingBracket returns the position of the bracket that closes the one at i, or 0.
func (s *Scanner) closingBracket(i int) int {
	depth := 0
	for j, end := i, min(len(s.line), i+maxQuoted); j < end; j++ {
		switch s.line[j] {
		case '(', '[', '{', '<':
			depth++
		case ')', ']', '}', '>':
			if depth--; depth == 0 {
				return j
			}
		}
	}
	return 0
}

// labeled scans the colon at i, and the value after it if blanks separate it, as in lists of
// labels and values of several words: a tab, or two spaces if two spaces also end the value, as
// in "Account Name:\t\tJohn Smith".
func (s *Scanner) labeled(i int) int {
	s.add(i, i+1, mark)
	if end := s.labeledName(i); end > 0 {
		s.spaced = true
		s.add(i+2, end, variable)
		return end
	}
	j := i + 1
	for j < len(s.line) && (s.line[j] == ' ' || s.line[j] == '\t') {
		j++
	}
	blanks := s.line[i+1 : j]
	if j == len(s.line) || s.line[j] < ' ' || len(blanks) < 2 && blanks != "\t" {
		return i + 1
	}
	end := s.until(j, "\t\r\n")
	if k := strings.Index(s.line[j:end], "  "); k >= 0 {
		end = j + k
	} else if !s.listed && strings.IndexByte(blanks, '\t') < 0 {
		return i + 1
	}
	s.spaced, s.listed = true, true
	if isOutcome(s.line[j:end]) {
		s.add(j, end, word)
	} else {
		s.add(j, end, variable)
	}
	return end
}

// dash scans a single dash at i: a missing value, or a mark. In an access log, "- user [date]",
// the user belongs to it.
func (s *Scanner) dash(i int) int {
	missing := s.isMissing(i)
	n := len(s.tokens)
	user, next := field(s.line, i+1)
	isLog := next > 0 && next+2 < len(s.line) && s.line[next+1] == '[' && classes[s.line[next+2]] == digit && n > 0 && s.tokens[n-1].kind == variable
	switch {
	case isLog:
		s.add(i, i+1, variable)
		s.spaced = true
		s.add(user, next, variable)
		return next
	case missing:
		s.add(i, i+1, variable)
	default:
		s.add(i, i+1, word)
	}
	return i + 1
}

// isMissing reports whether the dash at i represents a value: between values, or alone in quotes
// or brackets.
func (s *Scanner) isMissing(i int) bool {
	j := i + 1
	for j < len(s.line) && s.line[j] == ' ' {
		j++
	}
	next := byte(' ')
	if j < len(s.line) {
		next = s.line[j]
	}
	if !s.spaced && i > 0 { // in quotes, brackets, or between separators
		return strings.IndexByte("\"'([{|,;:=", s.line[i-1]) >= 0 && (j == len(s.line) || strings.IndexByte("\"')]}|,;", next) >= 0)
	}
	if n := len(s.tokens); n == 0 || s.tokens[n-1].kind != variable {
		return false
	}
	return next == '"' || next == '[' || next == '-' || classes[next] == digit || j == len(s.line)
}
