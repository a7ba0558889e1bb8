// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjack

import (
	"encoding/binary"
	"fmt"
)

// Versions of the protocol on the wire.
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

// Limits bounds what a peer may send. Each limit must be at least 1.
type Limits struct {
	// Window is the maximum number of events in a window.
	Window int
	// Event is the maximum size of one event in bytes: its JSON, or its keys and values together.
	Event int
	// Pairs is the maximum number of key-value pairs of a data frame.
	Pairs int
	// Compressed is the maximum size of a compressed frame on the wire, in bytes.
	Compressed int
	// Decompressed is the maximum size in bytes of one compressed frame after decompression,
	// including nested frames.
	Decompressed int
	// Nesting bounds the nesting of compressed frames.
	Nesting int
}

// DefaultLimits returns bounded limits that no real client reaches.
func DefaultLimits() Limits {
	return Limits{Window: 1 << 16, Event: 10 << 20, Pairs: 1 << 12, Compressed: 64 << 20, Decompressed: 256 << 20, Nesting: 2}
}

// Validate returns an error that names a limit below 1.
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
