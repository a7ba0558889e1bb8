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

// TooDeep exceeds any other cost. pdata's protobuf decoder does not bound the depth and would
// overflow its stack.
const TooDeep = math.MaxInt / 2

const (
	// perText is the size of a string header and its slot in a slice.
	perText = 48
	// perNumber is the size of a number in a slice, including the garbage of the growing slice.
	perNumber = 32
	// perLevel is the stack size per level of nested values in the decoder and other recursive
	// code.
	perLevel = 3 << 10
	// perUnknownByte is the maximum expansion of a byte: a message of 2 bytes becomes a struct of
	// about 300.
	perUnknownByte = 150
	// perObject, perElement, and perByte are the costs for JSON, in which "{}," is a struct.
	perObject, perElement, perByte = 300, perText, 3
)

// Cost returns the approximate memory in bytes of a decoded protobuf request, without the encoded
// request. It stops when the cost exceeds most. It never fails: invalid bytes get the cost of the
// most expensive message. The cost of a request with values that are nested more than MaxDepth
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

// CostJSON returns the cost of a JSON request. The JSON decoder bounds the depth.
func CostJSON(body []byte) int {
	return perObject*bytes.Count(body, []byte("{")) + perElement*bytes.Count(body, []byte(",")) + perByte*len(body)
}

// frame is a message in progress.
type frame struct {
	end int
	*message
}

// scanner walks through the messages of a request. It uses its own stack, so deep requests are
// safe.
type scanner struct {
	body  []byte
	pos   int
	stack []frame
	// cost is the sum so far. depth is the number of nested values at pos.
	cost, depth, deepest int
}

// field reads the next field, or leaves a message at its end. It reports whether the bytes are
// valid.
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

// bytes reads a length-delimited field.
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
