// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjack

import (
	"errors"
	"fmt"
	"io"
)

// Reason names what is wrong with a stream, in a word fit for a metric attribute.
type Reason string

// What may be wrong with a stream.
const (
	ReasonVersion      Reason = "version"      // the first byte of a frame is no known protocol version
	ReasonFrame        Reason = "frame"        // a frame of this type is unknown, or not allowed here
	ReasonWindow       Reason = "window"       // a window promises more events than allowed, or other than it holds
	ReasonEventSize    Reason = "event_size"   // an event is larger than allowed
	ReasonPairs        Reason = "pairs"        // a data frame has more key-value pairs than allowed
	ReasonCompressed   Reason = "compressed"   // a compressed frame is larger than allowed, or is not zlib
	ReasonDecompressed Reason = "decompressed" // a compressed frame expands to more than allowed
	ReasonNesting      Reason = "nesting"      // compressed frames are nested deeper than allowed
	ReasonTruncated    Reason = "truncated"    // the stream ends inside a frame or a window
	ReasonRead         Reason = "read"         // reading failed; Err says how
)

// Error describes the fault of a stream, and where it is.
type Error struct {
	// Reason is the kind of fault.
	Reason Reason
	// Offset is the start of the faulty frame, in bytes from the start of the stream. Inside
	// a compressed frame it is the number of compressed bytes that were read.
	Offset int64
	// Frame is the type of the faulty frame, or 0 if it was not yet known.
	Frame byte
	// Depth is the number of compressed frames around the fault.
	Depth int
	// Detail states in words what was found and what was expected.
	Detail string
	// Err is the cause, if something below failed.
	Err error
}

// Error puts all that is known into one line.
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

// fault describes a failure in the frame that is being read.
func (r *Reader) fault(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Offset: r.start, Frame: r.frame, Depth: r.depth, Detail: fmt.Sprintf(format, args...)}
}

// broken describes an error of a read: the fault of a limit or of zlib, the end of the stream, or the reader's own error.
func (r *Reader) broken(err error, doing string) error {
	var known *Error
	var inflate *inflateError
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &inflate):
		fault := r.fault(ReasonCompressed, "%s: not a whole zlib stream", doing)
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
