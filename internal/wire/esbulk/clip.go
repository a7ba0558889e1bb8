// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package esbulk

import (
	"io"
	"unicode/utf8"
)

// clipped bounds the bytes that are read of a string in an answer.
const clipped = 2 << 10

// Clip returns JSON in which long strings are cut short, without holding more of
// them: the reason of an error may quote a document of megabytes. What is valid
// stays valid, and what is not stays so.
func Clip(r io.Reader) io.Reader { return &clipper{r: r} }

// unicodeDigits is the number of digits after \u.
const unicodeDigits = 4

type clipper struct {
	r io.Reader
	// inside a string, of which length bytes are kept, or none any more after the cut.
	inside, cut bool
	length      int
	// escape is how many bytes of an escape are left, first reports whether the next one says which it is.
	escape int
	first  bool
}

// Read reads as much as is there, and leaves out what is behind the cut of a string.
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
		// A string is cut between characters, never in an escape.
		c.cut = c.cut || c.length >= clipped && utf8.RuneStart(b)
		if b == '\\' {
			c.escape, c.first = 1, true
		}
	}
	c.length++
	return !c.cut
}
