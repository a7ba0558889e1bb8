// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"bytes"
	"encoding/binary"
	"math"
)

// MaxDepth bounds the nesting of values, as in Go's protobuf decoder and in pdata's JSON
// decoder. A walk through them takes about 3 KiB of stack per level.
const MaxDepth = 10_000

// TooDeep is more than any other cost. The decoder of protobuf in pdata, which does
// not bound the depth, would overflow its stack.
const TooDeep = math.MaxInt / 2

const (
	// perText is the size of a string's header and of its place in a slice.
	perText = 48
	// perNumber is the size of a number in a slice, with what the slice leaves behind while it grows.
	perNumber = 32
	// perLevel is the stack that one level of nested values takes in the decoder and in all that walk through them.
	perLevel = 3 << 10
	// perUnknownByte is the most that a byte becomes: a message of 2 bytes becomes a struct of some 300.
	perUnknownByte = 150
	// perObject, perElement and perByte are the same for JSON: "{}," is a struct.
	perObject, perElement, perByte = 300, perText, 3
)

// Cost returns about how many bytes of memory a protobuf request takes when it is
// decoded, the request itself not included. It stops once the cost is above most. It
// never fails: bytes that are not a request of this kind are taken for the most
// expensive. The cost of a request with values that are nested more than MaxDepth
// levels deep is TooDeep.
func Cost(kind Request, body []byte, most int) int {
	if kind.root == nil {
		return max(Cost(Logs, body, most), Cost(Metrics, body, most), Cost(Traces, body, most))
	}
	s := scanner{body: body, stack: []frame{{len(body), kind.root}}}
	for len(s.stack) > 0 && s.cost <= most && s.deepest <= MaxDepth {
		if !s.field() {
			s.cost += max(0, len(body)-s.pos) * perUnknownByte
			break
		}
	}
	if s.deepest > MaxDepth {
		return TooDeep
	}
	return s.cost + s.deepest*perLevel
}

// CostJSON does the same for a request in JSON, whose decoder bounds the depth itself.
func CostJSON(body []byte) int {
	return perObject*bytes.Count(body, []byte("{")) + perElement*bytes.Count(body, []byte(",")) + perByte*len(body)
}

// frame is a message that is being read.
type frame struct {
	end int
	*message
}

// scanner walks through the messages of a request. It keeps the messages that it
// is in on a stack of its own, so that the depth of a request is no danger to it.
type scanner struct {
	body  []byte
	pos   int
	stack []frame
	// cost is the sum so far, depth the number of nested values at pos.
	cost, depth, deepest int
}

// field reads the next field, or leaves the message that ends here. It reports
// whether the bytes are valid.
func (s *scanner) field() bool {
	top := s.stack[len(s.stack)-1]
	if s.pos >= top.end {
		s.stack = s.stack[:len(s.stack)-1]
		if top.nests {
			s.depth--
		}
		return s.pos == top.end
	}
	tag, ok := s.varint(top.end)
	if !ok {
		return false
	}
	number := int(tag >> 3)
	repeated := number != 0 && (number == top.numbers || number == top.bounds)
	if repeated {
		s.cost += perNumber
	}
	switch tag & 7 {
	case 0:
		_, ok = s.varint(top.end)
		return ok
	case 1:
		s.pos += 8
		return s.pos <= top.end
	case 2:
		return s.bytes(top, number, repeated)
	case 5:
		s.pos += 4
		return s.pos <= top.end
	default:
		return false
	}
}

// bytes reads a field that has a length.
func (s *scanner) bytes(top frame, number int, repeated bool) bool {
	length, ok := s.varint(top.end)
	if !ok || length > uint64(top.end-s.pos) {
		return false
	}
	n := int(length)
	if child := top.fields[number]; child != nil {
		s.cost += child.cost
		s.stack = append(s.stack, frame{s.pos + n, child})
		if child.nests {
			s.depth++
			s.deepest = max(s.deepest, s.depth)
		}
		return true
	}
	s.pos += n
	if repeated {
		s.cost += n * perNumber
	} else {
		s.cost += n + perText
	}
	return true
}

func (s *scanner) varint(end int) (uint64, bool) {
	v, n := binary.Uvarint(s.body[s.pos:end])
	if n <= 0 {
		return 0, false
	}
	s.pos += n
	return v, true
}
