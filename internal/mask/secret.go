// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package mask

import "strings"

// minSecret is how long a secret after a colon must be, if it has a digit. Without one it must be three times as long.
const minSecret = 6

// prefixes are how issuers mark their tokens.
var prefixes = []string{"AKIA", "ASIA", "ghp_", "gho_", "ghs_", "ghu_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "xoxa-", "sk_live_", "sk_test_", "rk_live_", "pk_live_", "sk-", "AIza", "npm_", "pypi-", "eyJ"}

// minPrefixed is how long a token with a prefix is at least.
const minPrefixed = 15

// hasPrefix tells whether a word begins as a token does.
func hasPrefix(text string) bool {
	if len(text) < minPrefixed {
		return false
	}
	for _, p := range prefixes {
		if text[0] == p[0] && strings.HasPrefix(text, p) && len(text) >= len(p)+minPrefixed-3 {
			return true
		}
	}
	return false
}

// isSecretName tells the names of what is secret, in any case: the value after them is hidden.
func isSecretName(text string) bool {
	var b [13]byte
	if len(text) > len(b) {
		return false
	}
	for i := range len(text) {
		b[i] = text[i]
		if c := text[i]; c >= 'A' && c <= 'Z' {
			b[i] |= 0x20
		}
	}
	switch string(b[:len(text)]) {
	case "password", "passwd", "pwd", "secret", "token", "apikey", "api_key", "api-key", "x-api-key", "access_key", "secret_key", "private_key",
		"authorization", "client_secret", "access_token", "refresh_token":
		return true
	}
	return false
}

// minName is how long the shortest name of a secret is.
const minName = 3

// token finds a secret by how the word [i,j) begins, or behind that word if it names one.
func token(s string, i, j int) (start, end int, ok bool) {
	text := s[i:j]
	if hasPrefix(text) {
		return i, tokenEnd(s, j), true
	}
	if k := j + 1; len(text) >= 5 && len(text) <= 6 && k < len(s) && s[j] == ' ' && (strings.EqualFold(text, "bearer") || strings.EqualFold(text, "basic")) {
		if e := tokenEnd(s, k); e-k >= 12 {
			return k, e, true
		}
	}
	if !isSecretName(text) {
		return 0, j, false
	}
	k := j
	for k < len(s) && (s[k] == '"' || s[k] == '\'' || s[k] == ' ') {
		k++
	}
	if k >= len(s) || s[k] != '=' && s[k] != ':' {
		return 0, j, false
	}
	for k++; k < len(s) && (s[k] == '"' || s[k] == '\'' || s[k] == ' '); k++ {
	}
	for _, scheme := range []string{"bearer ", "basic ", "token "} {
		if len(s)-k > len(scheme) && strings.EqualFold(s[k:k+len(scheme)], scheme) {
			k += len(scheme)
		}
	}
	// After a colon there may be a plain word: "token: expired".
	if e := tokenEnd(s, k); e > k && (s[j] == '=' || e-k >= minSecret && strings.ContainsAny(s[k:e], "0123456789") || e-k >= 3*minSecret) {
		return k, e, true
	}
	return 0, j, false
}

// tokenEnd returns the end of what a token is written with.
func tokenEnd(s string, i int) int {
	for i < len(s) && s[i] > ' ' && strings.IndexByte("\"'<>(){}[],;&", s[i]) < 0 {
		i++
	}
	return i
}
