// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package mask

import "strings"

// Addresses removes user, password, and query from every URL in a text, for error messages, logs,
// dead letters, and responses.
func Addresses(text string) string {
	at := strings.Index(text, "://")
	if at < 0 {
		return text
	}
	var b strings.Builder
	for ; at >= 0; at = strings.Index(text, "://") {
		at += len("://")
		b.WriteString(text[:at])
		text = text[at:]
		if _, end, ok := userInfo(text, 0); ok {
			text = text[end+1:]
		}
		end := addressEnd(text)
		shown, _, _ := strings.Cut(text[:end], "?")
		shown, _, _ = strings.Cut(shown, "#")
		b.WriteString(shown)
		text = text[end:]
	}
	b.WriteString(text)
	return b.String()
}

func addressEnd(s string) int {
	i := 0
	for i < len(s) && s[i] > ' ' && strings.IndexByte("\"'<>`", s[i]) < 0 {
		i++
	}
	// The punctuation of a sentence is not part of the address, as in "Post http://a?b: EOF".
	for i > 0 && strings.IndexByte(":,.;)]", s[i-1]) >= 0 {
		i--
	}
	return i
}

// Error returns an error with the same chain and the text masked by Addresses. It returns nil for
// nil.
func Error(err error) error {
	if err == nil || !strings.Contains(err.Error(), "://") {
		return err
	}
	return &shown{err}
}

type shown struct{ err error }

// Error returns the masked text.
func (s *shown) Error() string { return Addresses(s.err.Error()) }

// Unwrap returns the error.
func (s *shown) Unwrap() error { return s.err }
