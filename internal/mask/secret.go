// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package mask

import (
	"strings"
	"unicode"
)

// prefixes are the token prefixes of issuers.
var prefixes = []string{
	"AKIA", "ASIA", "ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_", "glpat-", "glsa_", "xoxb-", "xoxp-", "xoxa-", "xapp-",
	"sk_live_", "sk_test_", "rk_live_", "pk_live_", "whsec_", "sk-", "AIza", "ya29.", "npm_", "pypi-", "eyJ", "SG.", "hvs.", "hf_", "dop_v1_", "shpat_",
}

// minPrefixed is the minimum length of a token with a prefix.
const minPrefixed = 15

// issued returns the end of the issuer's token at i, or 0.
func issued(s string, i int) int {
	for _, p := range prefixesBy[s[i]] {
		if strings.HasPrefix(s[i:], p) {
			if e := tokenEnd(s, i); e-i >= minPrefixed && e-i >= len(p)+minPrefixed-3 {
				return e
			}
		}
	}
	return 0
}

// prefixesBy indexes the prefixes by their first letter.
var prefixesBy = func() (t [256][]string) {
	for _, p := range prefixes {
		t[p[0]] = append(t[p[0]], p)
	}
	return t
}()

// schemes are the schemes of the Authorization header that precede a secret.
var schemes = []string{"bearer", "basic", "token", "digest", "negotiate", "ntlm", "apikey", "hawk", "aws4-hmac-sha256"}

// minName is the minimum length of a secret name.
const minName = 3

// word examines the word s[i:j] and the text after it. It returns the part to hide, or the
// position to continue.
func word(s string, i, j int) (start, end int, ok bool) {
	if e := issued(s, i); e > 0 {
		return i, e, true
	}
	if j == len(s) || j-i < minName {
		return 0, j, false
	}
	switch s[j] {
	case ' ':
		if start, end, ok = scheme(s, i, j); ok {
			return start, end, true
		}
		if s[i:j] == "BEGIN" && strings.HasSuffix(s[:i], "-----") {
			return pem(s, j)
		}
	case ':':
		if strings.HasPrefix(s[j:], "://") {
			return userInfo(s, j+len("://"))
		}
	case '>':
		return element(s, i, j)
	}
	k := j
	for k < len(s) && betweens[s[k]] {
		k++
	}
	switch {
	case k < len(s) && (s[k] == '=' || s[k] == ':'):
		if isSecretName(s[i:j]) {
			return assigned(s, i, j, k)
		}
	case i > 0 && s[i-1] == '-':
		if isSecretName(s[i:j]) {
			return flag(s, j)
		}
	}
	return 0, j, false
}

// scheme finds the secret after a word such as Bearer.
func scheme(s string, i, j int) (start, end int, ok bool) {
	bearer := j-i == len("bearer") && strings.EqualFold(s[i:j], "bearer")
	basic := j-i == len("basic") && strings.EqualFold(s[i:j], "basic")
	if !bearer && !basic {
		return 0, j, false
	}
	e := tokenEnd(s, j+1)
	return j + 1, e, e-j-1 >= 12 && (bearer || hasOdd(s[j+1:e]))
}

// pem returns the text between the lines of a PEM block, or the rest of the text.
func pem(s string, j int) (start, end int, ok bool) {
	label := strings.Index(s[j:], "-----")
	if label < 0 {
		return 0, j, false
	}
	start = j + label + len("-----")
	if end = strings.Index(s[start:], "-----END"); end < 0 {
		end = len(s) - start
	}
	return start, start + end, len(strings.TrimSpace(s[start:start+end])) > 0
}

// userInfo returns the user and password of a URL whose authority begins at i.
func userInfo(s string, i int) (start, end int, ok bool) {
	e, at := i, -1
	for e < len(s) && s[e] > ' ' && strings.IndexByte("/?#\"'<>\\", s[e]) < 0 {
		if s[e] == '@' {
			at = e
		}
		e++
	}
	return i, max(i, at), at > i
}

// betweens may separate a name and its assignment sign: the end of a string or an index, or
// space.
var betweens = [256]bool{'"': true, '\'': true, '\\': true, ']': true, ' ': true}

// element finds the text of an XML element with the name s[i:j].
func element(s string, i, j int) (start, end int, ok bool) {
	if i == 0 || s[i-1] != '<' || !isSecretName(s[i:j]) {
		return 0, j, false
	}
	end = j + max(strings.Index(s[j:], "</"), 0)
	return j + 1, end, end > j+1 && !strings.ContainsAny(s[j+1:end], "<")
}

// flag finds the value of a flag that is the next word, or the next string of a list.
func flag(s string, j int) (start, end int, ok bool) {
	k := skip(s, j, " \"',")
	if k == len(s) || k == j || s[k] == '-' {
		return 0, j, false
	}
	return quoted(s, k)
}

// assigned finds the value of the name s[i:j] after the sign at k.
func assigned(s string, i, j, k int) (start, end int, ok bool) {
	sign := s[k]
	if sign == '=' && k == j && k+1 < len(s) && s[k+1] == ' ' {
		return 0, j, false // no value, as in "logname= uid=0"
	}
	for k++; k < len(s) && (s[k] == '=' || s[k] == '>'); k++ {
		sign = '=' // := and =>
	}
	v := skip(s, k, "\"'\\ ")
	isQuoted := strings.ContainsAny(s[k:v], "\"'")
	name := s[i:j]
	if isHeader(name) {
		if start, end, ok = header(s, v); ok {
			return start, end, true
		}
	}
	start, end, ok = quoted(s, v)
	value := s[start:end]
	switch {
	case !ok || isPlain(value):
		return 0, max(j, end), false
	case sign == '=':
		ok = len(value) >= 6 || !isDecimal(value) || strings.HasSuffix(strings.ToLower(name), "word")
	case isQuoted || len(name) > 2 && name[0]|0x20 == 'x' && name[1] == '-':
		// A JSON string or a header, not a sentence.
	default:
		ok = isOdd(value)
	}
	return start, end, ok
}

// header returns the secret part of the value at v of a header for which isHeader returns true:
// the text after the scheme of an authorization, or a whole cookie.
func header(s string, v int) (start, end int, ok bool) {
	word := v
	for word < len(s) && isName(s[word]) {
		word++
	}
	end = v
	for end < len(s) && strings.IndexByte("\"'\r\n", s[end]) < 0 {
		end++
	}
	for _, scheme := range schemes {
		if !strings.EqualFold(s[v:word], scheme) || word+1 >= len(s) || s[word] != ' ' {
			continue
		}
		if scheme == "digest" || strings.HasPrefix(scheme, "aws4") {
			return word + 1, lineEnd(s, word), true // a list with quoted values
		}
		return word + 1, tokenEnd(s, word+1), true
	}
	return v, end, strings.Contains(s[v:end], "=")
}

func lineEnd(s string, i int) int {
	for i < len(s) && s[i] != '\n' && s[i] != '\r' {
		i++
	}
	return i
}

// quoted returns the value at v: up to the closing quote if it follows a quote, else a word.
func quoted(s string, v int) (start, end int, ok bool) {
	end = tokenEnd(s, v)
	if v > 0 && (s[v-1] == '"' || s[v-1] == '\'') {
		if e := closing(s, v, s[v-1]); e >= 0 {
			end = e
		}
	}
	return v, end, end > v
}

// closing returns the end of the string at v, before its quote and the backslash that escapes it,
// or -1 if it is not closed.
func closing(s string, v int, quote byte) int {
	escaped := v > 1 && s[v-2] == '\\'
	for e := v; e < len(s); e++ {
		switch {
		case s[e] == '\\' && e+1 < len(s) && s[e+1] == quote && escaped:
			return e
		case s[e] == '\\':
			e++
		case s[e] == quote:
			return e
		}
	}
	return -1
}

// isPlain reports whether a value is not secret.
func isPlain(value string) bool {
	switch strings.ToLower(value) {
	case "true", "false", "yes", "no", "null", "none", "nil", "undefined", "*", Hidden:
		return true
	}
	return !strings.ContainsFunc(value, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) || strings.HasPrefix(value, "${") || strings.HasPrefix(value, "<*")
}

// isOdd reports whether a word after a colon is not a word of a sentence, as in "token: expired".
// It has at least 6 characters with a digit or similar, or three times as many.
func isOdd(value string) bool {
	const few = 6
	if len(value) >= 3*few {
		return true
	}
	return len(value) >= few && hasOdd(value)
}

// hasOdd reports whether a text has a digit, a capital within a word, or a character that words
// do not have.
func hasOdd(value string) bool {
	for i := range len(value) {
		if c := value[i]; isDigit(c) || i > 0 && isUpper(c) && !isUpper(value[i-1]) || strings.IndexByte("!@#$%^*+=~", c) >= 0 {
			return true
		}
	}
	return false
}

func isDecimal(value string) bool { return digits(value, 0) == len(value) }

func skip(s string, i int, these string) int {
	for i < len(s) && strings.IndexByte(these, s[i]) >= 0 {
		i++
	}
	return i
}

// tokenEnd returns the end of the word at i.
func tokenEnd(s string, i int) int {
	for i < len(s) && s[i] > ' ' && strings.IndexByte("\"'<>(){}[],;&", s[i]) < 0 {
		if s[i] == '\\' && i+1 < len(s) && s[i+1] == '"' {
			return i
		}
		i++
	}
	return i
}
