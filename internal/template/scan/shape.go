// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import "strings"

// colon examines a chunk before a colon. It returns the end of the URL, the path with a drive, or
// the chain of hexadecimal groups at i, or 0.
func (s *Scanner) colon(i, j int, f class) int {
	rest := s.line[j:]
	switch {
	case strings.HasPrefix(rest, "://["):
		return s.until(min(s.until(j, "]")+1, len(s.line)), " \t\"'<>()[]{},;")
	case strings.HasPrefix(rest, "://"):
		return s.until(j, " \t\"'<>()[]{},;")
	case j-i == 1 && f&alpha != 0 && len(rest) > 1 && classes[rest[1]] == slash:
		return s.trim(i, s.until(j, " \t\"'<>,;|"))
	case j-i <= 4 && f&^(digit|alpha|upper) == 0:
		return s.chain(i)
	}
	return 0
}

// until returns the first position from i with one of the bytes, or the end.
func (s *Scanner) until(i int, bytes string) int {
	for i < len(s.line) && strings.IndexByte(bytes, s.line[i]) < 0 {
		i++
	}
	return i
}

// chain returns the end of colon-separated groups of hexadecimal digits, as in hardware and IPv6
// addresses, or 0.
func (s *Scanner) chain(i int) int {
	groups, pairs, letters, double := 0, true, false, false
	for {
		j := i
		for j < len(s.line) && j-i <= 4 && classes[s.line[j]]&(digit|alpha) != 0 && classes[s.line[j]]&nonHex == 0 {
			letters = letters || classes[s.line[j]]&alpha != 0
			j++
		}
		if j-i > 4 {
			return 0
		}
		if j > i {
			groups++
			pairs = pairs && j-i == 2
		} else {
			double = true
		}
		if j >= len(s.line) || classes[s.line[j]] != 0 && j > i {
			i = j
			break
		}
		if s.line[j] != ':' || j == i && double && groups == 0 {
			i = j
			break
		}
		i = j + 1
	}
	if i < len(s.line) && classes[s.line[i]] != 0 || !letters {
		return 0
	}
	if s.line[i-1] == ':' {
		i--
	}
	if groups >= 3 && pairs || groups >= 6 || double && groups >= 3 {
		return i
	}
	return 0
}

// slashed scans a chunk with slashes: a path, or words separated by slashes.
func (s *Scanner) slashed(i, end, j int, f class) int {
	text := s.line[i:end]
	n := strings.Count(text, "/") + strings.Count(text, `\`)
	switch first := text[0]; {
	case len(text) == 1:
		s.add(i, end, word)
		return s.finish(end, j)
	case n == 1 && first == '/' && f&alpha == 0 && f&digit != 0: // an address as printed by Java
		s.add(i, i+1, mark)
		s.add(i+1, end, variable)
		return s.finish(end, j)
	case f&alpha == 0 && f&digit == 0:
		s.add(i, end, word)
		return s.finish(end, j)
	case f&alpha == 0 || n > 1 || classes[first] == slash || strings.HasPrefix(text, "~/") || strings.HasPrefix(text, "./"):
		return s.path(i, end, j)
	}
	k := strings.IndexAny(text, `/\`)
	left, right := text[:k], text[k+1:]
	if isNumeric(right) && strings.IndexByte(right, '.') > 0 && strings.Count(right, ".") == 3 || isHost(left) || strings.LastIndexByte(right, '.') > 0 && !isNumeric(right) {
		return s.path(i, end, j)
	}
	if f&digit == 0 {
		s.plain(i, end, f)
		return s.finish(end, j)
	}
	return s.numbered(i, end, j)
}

// path scans a path with its query: /a/b?c=d.
func (s *Scanner) path(i, end, j int) int {
	if end == j && j+1 < len(s.line) && s.line[j] == '?' && s.line[j+1] > ' ' {
		j = s.until(j, " \t\"'<>)],;")
		end = s.trim(i, j)
	}
	s.add(i, end, variable)
	return s.finish(end, j)
}

// address scans a chunk with an @: an e-mail address or user and host, an object with its hash,
// or a number at a place.
func (s *Scanner) address(i, end, j int) int {
	k := i + strings.IndexByte(s.line[i:end], '@')
	left, right := s.line[i:k], s.line[k+1:end]
	switch {
	case left == "":
		s.add(i, i+1, mark)
		return s.chunk(i+1, j, flags(s.line[i+1:j]))
	case right == "":
		s.numbered(i, k, k)
		s.add(k, k+1, mark)
		return s.finish(k+1, j)
	case isHex(right) && len(right) >= 4 && strings.IndexByte(left, '.') >= 0:
		s.add(i, k, word)
		s.add(k, k+1, mark)
		s.add(k+1, end, variable)
	default:
		s.add(i, end, variable)
	}
	return s.finish(end, j)
}

func flags(text string) (f class) {
	for i := range len(text) {
		f |= classes[text[i]]
	}
	return f
}

// isNumeric reports whether s consists of digits, dots, and joiners.
func isNumeric(s string) bool { return within(s, digit|dot|joiner) && flags(s)&digit != 0 }

// isHex reports whether s consists of hexadecimal digits with at least one of 0 to 9.
func isHex(s string) bool {
	f := flags(s)
	return f&digit != 0 && f&^(digit|alpha|upper) == 0
}

// isHost reports whether s is a name with a domain. The name of a Java package begins with its
// domain and is not one.
func isHost(s string) bool {
	k := strings.LastIndexByte(s, '.')
	if k <= 0 || !within(s, alpha|digit|dot|joiner) || strings.ContainsAny(s, "_$*%~+") {
		return false
	}
	last := s[k+1:]
	first, _, _ := strings.Cut(s, ".")
	if isGenericDomain(first) || strings.Contains(s, "..") {
		return false
	}
	if isGenericDomain(last) {
		return true
	}
	return len(last) == 2 && strings.IndexByte(s[:k], '.') > 0 && flags(last)&(digit|upper|joiner) == 0 && !isFileEnding(last)
}

// numbered scans the chunk [i,end) with digits: constant letters, one variable, constant letters.
// The variable extends from the first to the last variable piece.
func (s *Scanner) numbered(i, end, j int) int {
	if s.isUserName(i, end) {
		s.add(i, end, variable)
		return s.finish(end, j)
	}
	from, to := s.variables(i, end)
	if from < 0 {
		s.add(i, end, word)
		return s.finish(end, j)
	}
	if from == i+1 && strings.IndexByte("<>-+~$", s.line[i]) >= 0 {
		from = i
	}
	if end == from+1 && to == end && from > i && classes[s.line[from]] == digit && classes[s.line[from-1]]&alpha != 0 {
		s.add(i, end, soft)
		return s.finish(end, j)
	}
	if j < len(s.line) && (s.line[j] == '(' || s.line[j] == '=') && to-from <= 2 && to > i && from > i && classes[s.line[i]]&alpha != 0 {
		s.add(i, end, word) // a function name or a key
		return s.finish(end, j)
	}
	if from > i+1 && s.line[from-1] == '-' && classes[s.line[from-2]]&(alpha|digit) == 0 {
		from--
	}
	if to == end-1 && s.line[to] == '%' {
		to = end
	}
	if from > i {
		s.add(i, from, word)
	}
	s.add(from, to, variable)
	if to < end {
		s.add(to, end, word)
	}
	return s.finish(end, j)
}

// variables returns the start of the first and the end of the last variable piece of the chunk,
// or -1.
func (s *Scanner) variables(i, end int) (from, to int) {
	from, to = -1, -1
	pieces := 0
	for p := i; p < end; {
		if classes[s.line[p]]&(alpha|digit) == 0 {
			p++
			continue
		}
		q := p
		for q < end && classes[s.line[q]]&(alpha|digit) != 0 {
			q++
		}
		if q-p == 8 && isUUID(s.line[p:end]) {
			q = p + uuidLength
		}
		if k := variableFrom(s.line[p:q]); k >= 0 {
			if from < 0 {
				from = p + k
				if p > i && k <= 2 && classes[s.line[p-1]]&joiner != 0 {
					from = p // such as A8 in shelf_A8
				}
			}
			pieces++
			to = q
		}
		p = q
	}
	for pieces > 1 && to < end && classes[s.line[to]]&joiner != 0 { // short groups after the last one, as in A07-B1-CD-E
		n := 1
		for to+n < end && classes[s.line[to+n]]&alpha != 0 {
			n++
		}
		if n == 1 || n > 1+idAffix || to+n < end && classes[s.line[to+n]]&joiner == 0 {
			break
		}
		to += n
		pieces++
	}
	if pieces >= idPieces || pieces == idPieces-1 && from-i <= idAffix {
		from = i
	}
	return from, to
}

// idPieces is the number of variable pieces from which the whole chunk is an id.
const idPieces = 4

// idAffix bounds the letters of a group without digits in an id.
const idAffix = 2

const uuidLength = 36

func isUUID(s string) bool {
	if len(s) < uuidLength || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	return (flags(s[:8])|flags(s[9:13])|flags(s[14:18])|flags(s[19:23])|flags(s[24:uuidLength]))&^(digit|alpha|upper) == 0
}

// variableFrom returns the start of the variable part in a run of letters and digits, or -1.
// Letters before a number are a name (node12). Digits between letters are spelling (log2file).
// All others are ids.
func variableFrom(s string) int {
	if len(s) == uuidLength || classes[s[0]] == digit {
		return 0
	}
	a := 0
	for a < len(s) && classes[s[a]] != digit {
		a++
	}
	if a == len(s) {
		return -1
	}
	b := a
	for b < len(s) && classes[s[b]] == digit {
		b++
	}
	if b == len(s) {
		if len(s) >= 7 && flags(s)&nonHex == 0 {
			return 0
		}
		return a
	}
	if c := len(s) - b; a >= 2 && c >= 2 && b-a <= 2 && flags(s[b:])&digit == 0 && flags(s)&nonHex != 0 {
		return -1
	}
	return 0
}
