// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjack

import (
	"errors"
	"fmt"
	"io"
)

// Reason is the kind of a stream's fault, usable as a metric attribute.
type Reason string

// The reasons.
const (
	ReasonVersion      Reason = "version"      // the first byte of a frame is not a known protocol version
	ReasonFrame        Reason = "frame"        // a frame type is unknown or not allowed here
	ReasonWindow       Reason = "window"       // a window announces too many events, or another number than it contains
	ReasonEventSize    Reason = "event_size"   // an event exceeds the limit
	ReasonPairs        Reason = "pairs"        // a data frame exceeds the limit of key-value pairs
	ReasonCompressed   Reason = "compressed"   // a compressed frame exceeds the limit, or is not zlib
	ReasonDecompressed Reason = "decompressed" // a compressed frame expands beyond the limit
	ReasonNesting      Reason = "nesting"      // compressed frames are nested too deep
	ReasonTruncated    Reason = "truncated"    // the stream ends inside a frame or a window
	ReasonRead         Reason = "read"         // reading failed, with Err
)

// Error describes a fault of a stream and its position.
type Error struct {
	// Reason is the kind of fault.
	Reason Reason
	// Offset is the start of the faulty frame, in bytes from the start of the stream. Inside
	// a compressed frame it is the number of compressed bytes that were read.
	Offset int64
	// Frame is the type of the faulty frame, or 0 if unknown.
	Frame byte
	// Depth is the number of compressed frames around the fault.
	Depth int
	// Detail states what was found and what was expected.
	Detail string
	// Err is the cause, or nil.
	Err error
}

// Error returns all fields in one line.
func (e *Error) Error() string {
	where := fmt.Sprintf("at byte %d", e.Offset)
	if e.Frame != 0 {
		where += fmt.Sprintf(", in a frame of type %q", e.Frame)
	}
	if e.Depth > 0 {
		where += fmt.Sprintf(", inside %d compressed", e.Depth)
	}
	text := fmt.Sprintf("lumberjack %s: %s (%s)", e.Reason, e.Detail, where)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// fault returns an error in the current frame.
func (r *Reader) fault(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Offset: r.start, Frame: r.frame, Depth: r.depth, Detail: fmt.Sprintf(format, args...)}
}

// broken converts a read error: the fault of a limit or of zlib, the end of the stream, or the
// error of the underlying reader.
func (r *Reader) broken(err error, doing string) error {
	var known *Error
	var inflate *inflateError
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &inflate):
		fault := r.fault(ReasonCompressed, "%s: the zlib stream is invalid or incomplete", doing)
		fault.Err = inflate.err
		return fault
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		fault := r.fault(ReasonTruncated, "%s: the stream ends", doing)
		fault.Err = io.ErrUnexpectedEOF
		return fault
	}
	fault := r.fault(ReasonRead, "%s", doing)
	fault.Err = err
	return fault
}
