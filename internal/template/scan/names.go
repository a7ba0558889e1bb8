// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import "strings"

// announces reports whether a user name may follow the word.
func announces(s string) bool {
	switch s {
	case "user", "User", "USER", "username", "for":
		return true
	}
	return false
}

// isUserName reports whether the word [i,j) is the name of a user: "user NAME", unless the next
// word makes it another noun, or "for NAME from ADDRESS".
func (s *Scanner) isUserName(i, j int) bool {
	n := len(s.tokens)
	if s.announced == 0 || n > s.announced+1 || !s.spaced || n > s.announced && s.line[s.tokens[n-1].start] != ':' {
		return false
	}
	t := s.tokens[s.announced-1]
	after := s.line[j:]
	if s.line[t.start:t.end] != "for" {
		return endsName(after) && !isUserNoun(s.line[i:j])
	}
	rest, ok := strings.CutPrefix(after, " from ")
	return ok && rest != "" && (classes[rest[0]] == digit || rest[0] == ':' || rest[0] == '[')
}

// endsName reports whether a name may end before the text: at the end, a bracket, or a
// preposition.
func endsName(after string) bool {
	switch {
	case after == "" || after == "." || after[0] == ')' || after[0] == ']':
		return true
	case after[0] != ' ' || len(after) == 1:
		return false
	case after[1] == '(' || after[1] == '[':
		return true
	}
	next, _, _ := strings.Cut(after[1:], " ")
	switch next {
	case "from", "by", "on", "at", "via", "to", "using", "with", "in":
		return true
	}
	return false
}

// isUserNoun reports whether the word after "user" is not a name: it forms another noun, as in
// "user session", or describes a user.
func isUserNoun(s string) bool {
	switch s {
	case "name", "id", "agent", "mode", "space", "memory", "data", "input", "session", "sessions", "process", "request", "requests", "account", "accounts",
		"login", "logout", "logon", "group", "groups", "profile", "interface", "code", "error", "errors", "unknown", "info", "information", "settings",
		"password", "credentials", "context", "program", "authentication", "access", "management", "logged", "signed",
		"added", "created", "deleted", "removed", "changed", "updated", "moved", "registered", "joined", "authenticated", "authorized", "is", "was", "has", "does", "not", "and", "or":
		return true
	}
	return OutcomeOf(s) != Neutral
}

// isFileName reports whether s has a file extension other than that of source code: report.pdf,
// setup.exe, sshd.service.
func isFileName(s string) bool {
	k := strings.LastIndexByte(s, '.')
	if k <= 0 || len(s)-k < 3 || len(s)-k > 11 || !within(s, alpha|digit|dot|joiner) {
		return false
	}
	switch strings.ToLower(s[k+1:]) {
	case "exe", "dll", "sys", "msi", "log", "txt", "conf", "cfg", "ini", "json", "xml", "xsd", "yaml", "yml", "toml", "properties", "plist", "html", "htm", "php", "jsp", "asp", "aspx", "css",
		"png", "jpg", "jpeg", "gif", "svg", "ico", "pdf", "doc", "docx", "xls", "xlsx", "csv", "tsv", "parquet", "zip", "tar", "tgz", "gz", "bz2", "xz", "jar", "war", "rpm", "deb", "apk", "iso", "img",
		"dat", "db", "sqlite", "sql", "tmp", "bak", "swp", "lock", "pid", "sock", "so", "ko", "pem", "crt", "key", "service", "socket", "timer", "mount", "slice", "scope", "target", "device":
		return true
	}
	return false
}

// isDottedName reports whether [i,j) is a dotted name in small letters, as of settings, bundles,
// and message topics: system.time.zone. Class names have a capital. A name after a level is a
// logger, and one before = is a key.
func (s *Scanner) isDottedName(i, j int) bool {
	text := s.line[i:j]
	if strings.Count(text, ".") < 2 || strings.Contains(text, "..") || flags(text)&upper != 0 || !within(text, alpha|digit|dot|joiner) {
		return false
	}
	if j < len(s.line) && strings.IndexByte("(=:", s.line[j]) >= 0 {
		return false
	}
	n := len(s.tokens)
	for n > 0 && s.tokens[n-1].kind == mark {
		n--
	}
	return n == 0 || s.tokens[n-1].kind != word || !isLevel(s.line[s.tokens[n-1].start:s.tokens[n-1].end])
}

// restatement returns the end of a bracket at i that repeats the value before it in another unit,
// as in "1190 bytes (1.16 KB)", or 0.
func (s *Scanner) restatement(i int) int {
	n := len(s.tokens)
	if n == 0 || !s.spaced || s.tokens[n-1].kind != unit && s.tokens[n-1].kind != variable {
		return 0
	}
	end := s.until(i, ")\n")
	if end == len(s.line) || s.line[end] != ')' || end-i > 24 {
		return 0
	}
	value, of, ok := strings.Cut(s.line[i+1:end], " ")
	if !ok || !isNumeric(value) || !isUnit(of) {
		return 0
	}
	return end + 1
}

// argument returns the end of a single word in the brackets of a call at i, as in chdir(home), or
// 0. A plural such as file(s) is not a call.
func (s *Scanner) argument(i int) int {
	if i == 0 || s.spaced || classes[s.line[i-1]]&alpha == 0 {
		return 0
	}
	j := i + 1
	for j < len(s.line) && classes[s.line[j]]&(alpha|digit|joiner) != 0 {
		j++
	}
	if j-i <= 3 || j == len(s.line) || s.line[j] != ')' || isOutcome(s.line[i+1:j]) {
		return 0
	}
	return j
}

// properName returns the end of a name of two to five words at i, each with a capital except
// particles, or 0: Maria da Silva. A word that states an outcome is not a part of a name.
func (s *Scanner) properName(i int) int {
	words, end := 0, 0
	for j := i; words < 6; {
		k := j
		for k < len(s.line) && classes[s.line[k]]&(alpha|joiner) != 0 {
			k++
		}
		if k-j < 2 {
			break
		}
		c := classes[s.line[j]]
		isCapital := c&upper != 0 && classes[s.line[j+1]]&upper == 0 || c&wide != 0
		if !isCapital && (words == 0 || !isParticle(s.line[j:k])) || OutcomeOf(s.line[j:k]) != Neutral {
			break
		}
		words++
		if isCapital {
			end = k
		}
		if k == len(s.line) || s.line[k] != ' ' {
			break
		}
		j = k + 1
	}
	if words < 2 || words > 5 {
		return 0
	}
	return end
}

// isParticle reports whether s is a particle in names of persons or organizations.
func isParticle(s string) bool {
	switch s {
	case "de", "da", "di", "do", "du", "del", "der", "den", "dos", "van", "von", "la", "le", "bin", "al", "of", "and", "the", "y", "e":
		return true
	}
	return false
}

// labeledName returns the end of a name of several words after the colon at i if a separator ends
// it, as in "owner: Mary Ann Jones,", or 0.
func (s *Scanner) labeledName(i int) int {
	if i+2 >= len(s.line) || s.line[i+1] != ' ' {
		return 0
	}
	end := s.properName(i + 2)
	if end == 0 || end == len(s.line) || strings.IndexByte(",;|)]", s.line[end]) < 0 {
		return 0
	}
	return end
}
