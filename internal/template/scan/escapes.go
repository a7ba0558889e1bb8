// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import "strings"

const escape = 0x1b

// introducers are printable spellings of the escape character in logs, as written by rsyslog
// (#033) and JSON (\u001b). A bracket follows.
var introducers = []string{"#033", `\033`, `\x1b`, `\x1B`, `\u001b`, `\u001B`, `\e`, "^["}

// WithoutEscapes returns line without ANSI escape sequences (ECMA-48): colors, cursor movements, titles, links.
// It returns line itself, without an allocation, if there are none.
func WithoutEscapes(line string) string {
	i, n := nextEscape(line, 0)
	if n == 0 {
		return line
	}
	var b strings.Builder
	from := 0
	for n > 0 {
		b.WriteString(line[from:i])
		from = i + n
		i, n = nextEscape(line, from)
	}
	b.WriteString(line[from:])
	return b.String()
}

// nextEscape returns the start and the length of the first escape sequence at or after from. The length is 0 if there is none.
func nextEscape(line string, from int) (start, length int) {
	start, length = len(line), 0
	if k := strings.IndexByte(line[from:], escape); k >= 0 {
		start = from + k
		length = sequence(line, start+1) - start
	}
	for i := from; i < start; i++ {
		k := strings.IndexByte(line[i:start], '[')
		if k < 0 {
			break
		}
		i += k
		if i == 0 || !isIntroduced(line, i) {
			continue
		}
		for _, w := range introducers {
			if strings.HasSuffix(line[from:i], w) {
				if end := control(line, i+1); end > 0 {
					return i - len(w), end - i + len(w)
				}
			}
		}
	}
	return start, length
}

// isIntroduced reports whether the byte before i may end an introducer, or is an escape
// character.
func isIntroduced(line string, i int) bool {
	switch line[i-1] {
	case '3', 'b', 'B', 'e', '[', escape:
		return true
	}
	return false
}

// sequence returns the end of the sequence whose escape character is before i.
func sequence(line string, i int) int {
	if i >= len(line) {
		return i
	}
	switch c := line[i]; {
	case c == '[':
		return max(control(line, i+1), i+1)
	case c == ']' || c == 'P' || c == '_' || c == '^': // a string, up to BEL or ESC \
		for j := i + 1; j < len(line); j++ {
			if line[j] == 0x07 {
				return j + 1
			}
			if line[j] == escape {
				return min(j+2, len(line))
			}
		}
		return len(line)
	case c >= ' ' && c <= '/': // as in ESC ( B
		for i < len(line) && line[i] >= ' ' && line[i] <= '/' {
			i++
		}
		return min(i+1, len(line))
	case c < 0x7f && c > ' ':
		return i + 1
	}
	return i
}

// control returns the end of the control sequence whose parameters begin at i, or 0 if it does
// not end.
func control(line string, i int) int {
	for i < len(line) && line[i] >= ' ' && line[i] <= '?' {
		i++
	}
	if i < len(line) && line[i] >= '@' && line[i] <= '~' {
		return i + 1
	}
	return 0
}
