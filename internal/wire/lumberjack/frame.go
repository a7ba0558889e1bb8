// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjack

import (
	"encoding/binary"
	"fmt"
)

// Versions of the protocol, as they stand on the wire.
const (
	Version1 byte = '1'
	Version2 byte = '2'
)

// Types of frames.
const (
	FrameWindow     byte = 'W'
	FrameJSON       byte = 'J'
	FrameData       byte = 'D'
	FrameCompressed byte = 'C'
	FrameAck        byte = 'A'
)

// Limits bound what a peer may send. Each must be at least 1.
type Limits struct {
	// Window is the most events in a window.
	Window int
	// Event is the most bytes of one event: its JSON, or its keys and values together.
	Event int
	// Pairs is the most key-value pairs of a data frame.
	Pairs int
	// Compressed is the most bytes of one compressed frame as it stands on the wire.
	Compressed int
	// Decompressed is the most bytes that one compressed frame may expand to,
	// together with those nested in it.
	Decompressed int
	// Nesting bounds the nesting of compressed frames.
	Nesting int
}

// DefaultLimits are generous to real senders and still bounded.
func DefaultLimits() Limits {
	return Limits{Window: 1 << 16, Event: 10 << 20, Pairs: 1 << 12, Compressed: 64 << 20, Decompressed: 256 << 20, Nesting: 2}
}

// Validate names the limit that is below 1.
func (l Limits) Validate() error {
	for _, limit := range []struct {
		name  string
		value int
	}{
		{"window", l.Window},
		{"event", l.Event},
		{"pairs", l.Pairs},
		{"compressed", l.Compressed},
		{"decompressed", l.Decompressed},
		{"nesting", l.Nesting},
	} {
		if limit.value < 1 {
			return fmt.Errorf("the limit %s is %d, it must be at least 1", limit.name, limit.value)
		}
	}
	return nil
}

// AppendAck appends the frame that acknowledges all events up to and including sequence.
func AppendAck(b []byte, version byte, sequence uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, version, FrameAck), sequence)
}
