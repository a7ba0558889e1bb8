// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package excerpt shortens text that a peer sent, for log lines, error messages, and dead letters.
package excerpt

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Max is the length of an excerpt in bytes, without the mark of a cut.
const Max = 1 << 10

// Of returns the beginning of a text as one line of printable UTF-8. White space
// becomes single spaces, and every other character that cannot be printed
// becomes U+FFFD. A text that was cut ends in "…".
func Of[T ~string | ~[]byte](text T) string {
	var line strings.Builder
	space := false
	for _, r := range string(text[:min(len(text), 4*Max)]) {
		if unicode.IsSpace(r) {
			space = line.Len() > 0
			continue
		}
		if !unicode.IsPrint(r) {
			r = utf8.RuneError
		}
		if line.Len()+utf8.RuneLen(r)+1 > Max {
			return line.String() + "…"
		}
		if space {
			line.WriteByte(' ')
			space = false
		}
		line.WriteRune(r)
	}
	if len(text) > 4*Max {
		return line.String() + "…"
	}
	return line.String()
}
