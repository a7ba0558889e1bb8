// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import "strings"

// header scans the syslog header of a line, if there is one, and returns the position after it.
// Time and host are variables. It supports klog headers, RFC 3164 with its own time or that of
// RFC 3339, as in files and the journal, and RFC 5424.
func (s *Scanner) header() int {
	line, i := s.line, priority(s.line)
	if end := klogHeader(line); end > 0 {
		s.add(0, end, variable)
		return end
	}
	if strings.HasPrefix(line[i:], "1 ") && i > 0 {
		return s.modernHeader(i + 1)
	}
	end := stamp3164(line, i)
	if end == 0 {
		if end = stamp3339(line, i); end == 0 {
			return 0
		}
	}
	host, next := field(line, end)
	if next == 0 || isLevel(line[host:next]) || classes[line[host]]&(digit|alpha) == 0 || !isTag(line, next) {
		return 0
	}
	s.add(0, end, variable)
	s.spaced = true
	s.add(host, next, variable)
	return next
}

// modernHeader scans time, host, name, process, and message id of RFC 5424. Only the name and the
// message id distinguish events.
func (s *Scanner) modernHeader(i int) int {
	var from, to [5]int
	end := i
	for k := range from {
		if from[k], to[k] = field(s.line, end); to[k] == 0 {
			return 0
		}
		end = to[k]
	}
	if stamp3339(s.line, from[0]) == 0 && s.line[from[0]:to[0]] != "-" {
		return 0
	}
	s.add(0, to[0], variable)
	for k := 1; k < len(from); k++ {
		s.spaced = true
		kind := variable
		if (k == 2 || k == 4) && s.line[from[k]:to[k]] != "-" {
			kind = word
		}
		s.add(from[k], to[k], kind)
	}
	return end
}

// priority returns the end of <n> at the start of the line.
func priority(line string) int {
	if line == "" || line[0] != '<' {
		return 0
	}
	i := 1
	for i < len(line) && i < 5 && classes[line[i]] == digit {
		i++
	}
	if i == 1 || i >= len(line) || line[i] != '>' {
		return 0
	}
	return i + 1
}

// stamp3164 returns the end of "Mar  2 10:00:00" at i, or 0.
func stamp3164(line string, i int) int {
	const size = len("Mar  2 10:00:00")
	if len(line) < i+size || classes[line[i]]&upper == 0 {
		return 0
	}
	t := line[i : i+size]
	if t[3] != ' ' || t[6] != ' ' || t[9] != ':' || t[12] != ':' || classes[t[5]] != digit || classes[t[7]] != digit || !isDateWord(t[:3]) {
		return 0
	}
	return i + size
}

// stamp3339 returns the end of "2026-03-02T10:00:00…" at i, or 0.
func stamp3339(line string, i int) int {
	const size = len("2026-03-02T10:00:00")
	if len(line) < i+size || classes[line[i]] != digit {
		return 0
	}
	if t := line[i : i+size]; t[4] != '-' || t[7] != '-' || t[10] != 'T' || t[13] != ':' || t[16] != ':' {
		return 0
	}
	end := i + size
	for end < len(line) && line[end] > ' ' {
		end++
	}
	return end
}

// klogHeader returns the end of "I0302 10:00:00.000000   17" at the start of the line, or 0. The
// level is a letter before the date.
func klogHeader(line string) int {
	const size = len("I0302 10:00:00.000000")
	if len(line) < size || strings.IndexByte("IWEFD", line[0]) < 0 || line[5] != ' ' || line[8] != ':' || line[11] != ':' || line[14] != '.' ||
		flags(line[1:5]) != digit || flags(line[15:size]) != digit {
		return 0
	}
	if from, to := field(line, size); to > 0 && flags(line[from:to]) == digit {
		return to
	}
	return size
}

// field returns the bounds of the field between the space at i and the next one, or 0 if there is
// none.
func field(line string, i int) (from, to int) {
	if i >= len(line) || line[i] != ' ' {
		return 0, 0
	}
	for i < len(line) && line[i] == ' ' {
		i++
	}
	to = i
	for to < len(line) && line[to] > ' ' {
		to++
	}
	if to == i || to == len(line) {
		return 0, 0
	}
	return i, to
}

// isTag reports whether the name of a program follows: "name:" or "name[17]:".
func isTag(line string, i int) bool {
	from, to := field(line, i)
	if to == 0 {
		return false
	}
	tag := line[from:to]
	if k := strings.IndexByte(tag, '['); k > 0 {
		return strings.IndexByte(tag[k:], ']') > 0
	}
	return len(tag) > 1 && tag[len(tag)-1] == ':' && strings.IndexByte(tag, '=') < 0
}

// isLevel reports whether s is the name of a severity.
func isLevel(s string) bool {
	switch strings.ToLower(strings.Trim(s, "[]:")) {
	case "trace", "debug", "verbose", "info", "information", "notice", "warn", "warning", "err", "error", "crit", "critical", "alert", "emerg", "fatal", "severe", "panic":
		return true
	}
	return false
}
