// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package bounds computes the memory that received data needs once decoded, before it is
// decoded. The size of a JSON text is a poor estimate: [1,1,1,…] takes two bytes per value
// and needs hundreds once decoded.
package bounds

import "bytes"

// Memory limits the memory of a reader. Implementations need not be safe for concurrent use.
type Memory interface {
	// Reserve is called before n more bytes are used. An error forbids their use.
	Reserve(n int) error
	// Release is called after n reserved bytes are no longer used.
	Release(n int)
}

// valueCost is the memory of one decoded value in bytes, without its text: the
// entry in a map or list, and the attribute in pdata. TestCost of the lumberjack
// receiver measures it.
const valueCost = 192

// Cost returns the memory in bytes that a JSON text needs once it is decoded.
func Cost(bytes, values int) int { return 2*bytes + valueCost*values }

// JSON returns the number of values in a JSON text, including containers, and their nesting
// depth. The text need not be valid: the results are at least those of a decoder before its
// error.
func JSON(text []byte) (values, depth int) {
	level := 0
	values = 1
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += stringEnd(text[i+1:]) + 1
		case ',':
			values++
		case '{', '[':
			values++
			level++
			depth = max(depth, level)
		case '}', ']':
			level--
		}
	}
	return values, depth
}

// stringEnd returns the position of the closing quotation mark, or the length of the text.
func stringEnd(text []byte) int {
	for at := 0; ; {
		n := bytes.IndexByte(text[at:], '"')
		if n < 0 {
			return len(text)
		}
		at += n
		escapes := 0
		for escapes < at && text[at-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return at
		}
		at++
	}
}
