// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package lumberjacktest encodes frames of the Lumberjack protocol for tests. Parts of frames can
// be combined to invalid ones.
package lumberjacktest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"math"
)

// Window returns a frame that announces a number of events.
func Window(version byte, events uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{version, 'W'}, events)
}

// JSON returns an event as a JSON frame.
func JSON(version byte, sequence uint32, content string) []byte {
	b := binary.BigEndian.AppendUint32([]byte{version, 'J'}, sequence)
	return appendText(b, content)
}

// Data returns an event as a data frame of alternating keys and values.
func Data(version byte, sequence uint32, keysAndValues ...string) []byte {
	b := binary.BigEndian.AppendUint32([]byte{version, 'D'}, sequence)
	b = appendLength(b, len(keysAndValues)/2)
	for _, text := range keysAndValues {
		b = appendText(b, text)
	}
	return b
}

// Compressed returns a compressed frame with the given frames.
func Compressed(version byte, frames ...[]byte) []byte {
	var content bytes.Buffer
	w := zlib.NewWriter(&content)
	for _, frame := range frames {
		_, _ = w.Write(frame)
	}
	_ = w.Close() // a buffer accepts everything
	b := appendLength([]byte{version, 'C'}, content.Len())
	return append(b, content.Bytes()...)
}

// Batch returns a window of JSON events in version 2, numbered from 1, like Beats without
// compression.
func Batch(contents ...string) []byte {
	b := appendLength([]byte("2W"), len(contents))
	sequence := uint32(0)
	for _, content := range contents {
		sequence++
		b = append(b, JSON('2', sequence, content)...)
	}
	return b
}

// Join concatenates frames.
func Join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

func appendText(b []byte, text string) []byte {
	return append(appendLength(b, len(text)), text...)
}

// appendLength panics if a length exceeds 32 bits.
func appendLength(b []byte, n int) []byte {
	if n < 0 || n > math.MaxUint32 {
		panic("a length above 32 bits")
	}
	return binary.BigEndian.AppendUint32(b, uint32(n))
}
