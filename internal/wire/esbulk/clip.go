// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package esbulk

import (
	"io"
	"unicode/utf8"
)

// clipped bounds the size of a string in an answer, in bytes.
const clipped = 2 << 10

// Clip returns JSON in which long strings are truncated, with constant memory, because the reason
// of an error may quote a document of megabytes. Valid JSON stays valid, and invalid JSON
// invalid.
func Clip(r io.Reader) io.Reader { return &clipper{r: r} }

// unicodeDigits is the number of digits after \u.
const unicodeDigits = 4

type clipper struct {
	r io.Reader
	// inside is true within a string, of which length bytes are kept. cut is true after the
	// limit.
	inside, cut bool
	length      int
	// escape is the number of remaining bytes of an escape. first is true if the next byte
	// determines its kind.
	escape int
	first  bool
}

// Read reads available bytes, and omits those after the cut of a string.
func (c *clipper) Read(p []byte) (n int, err error) {
	for n == 0 && err == nil && len(p) > 0 {
		var read int
		read, err = c.r.Read(p)
		for _, b := range p[:read] {
			if c.keep(b) {
				p[n] = b
				n++
			}
		}
	}
	return n, err
}

func (c *clipper) keep(b byte) bool {
	switch {
	case !c.inside:
		c.inside, c.cut, c.length = b == '"', false, 0
		return true
	case c.escape > 0:
		c.escape--
		if b == 'u' && c.first {
			c.escape = unicodeDigits
		}
		c.first = false
	case b == '"':
		c.inside = false
		return true
	default:
		// A string is cut between characters, never within an escape.
		c.cut = c.cut || c.length >= clipped && utf8.RuneStart(b)
		if b == '\\' {
			c.escape, c.first = 1, true
		}
	}
	c.length++
	return !c.cut
}
