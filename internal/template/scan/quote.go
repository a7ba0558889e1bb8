// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import "strings"

const (
	// maxQuoted is the maximum distance of the closing quotation mark.
	maxQuoted = 1024
	// maxDepth bounds the nesting of quotes.
	maxDepth = 4
)

// closingQuote returns the position of the mark that closes the quotation mark at i, or 0.
// Escaped marks and apostrophes within words do not close.
func (s *Scanner) closingQuote(i int) int {
	c := s.line[i]
	end := min(len(s.line), i+maxQuoted)
	for j := i + 1; j < end; j++ {
		switch s.line[j] {
		case '\\':
			j++
		case c:
			if c == '"' || j+1 == len(s.line) || classes[s.line[j+1]]&(alpha|digit) == 0 {
				return j
			}
		}
	}
	return 0
}

// quoted scans the quotation mark at i and the quoted text. Quoted text is a value, except for
// the key of a JSON object, a word that states an outcome, the message of the line, and text with
// keys or outcomes.
func (s *Scanner) quoted(i int) int {
	end := s.closingQuote(i)
	if end == 0 {
		s.add(i, i+1, mark)
		return i + 1
	}
	text := s.line[i+1 : end]
	if s.line[i] == '"' && end+1 < len(s.line) && s.line[end+1] == ':' && strings.IndexByte("{,", s.lastMark()) >= 0 {
		s.add(i, i+1, mark)
		s.add(i+1, end, word)
		s.add(end, end+1, mark)
		return end + 1
	}
	if strings.IndexByte(text, ' ') < 0 {
		s.between(i, end, isOutcome(text))
		return end + 1
	}
	if k := requestLine(text); k > 0 && s.lastMark() != ':' {
		s.request(i, end, i+1+k)
		return end + 1
	}
	s.between(i, end, s.isMessage(end) || hasAssignment(text) || OutcomesIn(text) != Neutral)
	return end + 1
}

// between adds the quotation marks at i and end, and the content as text or as one value.
func (s *Scanner) between(i, end int, asText bool) {
	s.add(i, i+1, mark)
	switch {
	case !asText || s.depth >= maxDepth:
		s.add(i+1, end, variable)
	default:
		whole := s.line
		s.line = whole[:end]
		s.depth++
		s.run(i + 1)
		s.depth--
		s.line = whole
	}
	s.add(end, end+1, mark)
}

// lastMark returns the last token if it is a mark, else a space.
func (s *Scanner) lastMark() byte {
	if n := len(s.tokens); n > 0 && s.tokens[n-1].kind == mark {
		return s.line[s.tokens[n-1].start]
	}
	return ' '
}

// isMessage reports whether the quoted text with the closing mark at end is the message of the
// line: only a header or a message key precedes it, or keys with values follow.
func (s *Scanner) isMessage(end int) bool {
	switch c := s.lastMark(); {
	case c == ':' && s.keyIsMessage(len(s.tokens)-2), c == ']' && s.spaced, c == '>' && s.spaced:
		return true
	case c == '"' || c == '\'':
		return false
	}
	for _, t := range s.tokens {
		if t.kind == word && classes[s.line[t.start]]&alpha != 0 {
			return end+2 < len(s.line) && s.line[end+1] == ' ' && s.isKey(end+2)
		}
	}
	return true
}

// keyIsMessage reports whether the token at n, which may be quoted, is a message key.
func (s *Scanner) keyIsMessage(n int) bool {
	for n >= 0 && s.tokens[n].kind == mark && s.line[s.tokens[n].start] == '"' {
		n--
	}
	return n >= 0 && s.tokens[n].kind == word && IsMessageKey(s.line[s.tokens[n].start:s.tokens[n].end])
}

// IsMessageKey reports whether key is a common key of the message in structured records, in any
// case.
func IsMessageKey(key string) bool {
	switch strings.ToLower(key) {
	case "message", "msg", "@message", "@m", "@mt", "log", "body", "event", "text", "short_message", "description":
		return true
	}
	return false
}

// hasAssignment reports whether a text has keys and values: at least two words, with = between
// two of them.
func hasAssignment(text string) bool {
	k := strings.IndexByte(text, '=')
	return k > 0 && k+1 < len(text) && strings.IndexByte(text, ' ') >= 0 && classes[text[k-1]]&(alpha|digit) != 0 && text[k+1] > ' ' && text[k+1] != '=' && strings.IndexByte(text[:k], '/') < 0
}

// requestLine returns the length of the method of an HTTP request line, "GET /path HTTP/1.1", or 0.
func requestLine(text string) int {
	k := strings.IndexByte(text, ' ')
	if k < 3 || k > 16 || !within(text[:k], upper|joiner) {
		return 0
	}
	if p := strings.LastIndexByte(text, ' '); p > k && strings.HasPrefix(text[p+1:], "HTTP/") {
		return k
	}
	return 0
}

// request scans a quoted request line. Its method ends at k.
func (s *Scanner) request(i, end, k int) {
	p := strings.LastIndexByte(s.line[:end], ' ')
	const protocol = len(" HTTP/")
	s.add(i, i+1, mark)
	s.add(i+1, k, word)
	s.spaced = true
	s.add(k+1, p, variable)
	s.spaced = true
	s.add(p+1, p+protocol, word)
	s.add(p+protocol, end, variable)
	s.add(end, end+1, mark)
}
