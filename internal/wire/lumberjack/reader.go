// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjack

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/auspex-otel/auspex/internal/wire/bounds"
)

const (
	bufferSize = 16 << 10 // bytes read ahead from the peer
	firstChunk = 4 << 10  // bytes that are allocated for an announced length alone
	keepBuffer = 64 << 10 // a larger event buffer is freed after its event
	keepHead   = 64 << 10 // bytes kept of an event above the limit
)

// Pair is a key and its value in a data frame.
type Pair struct {
	Key, Value []byte
}

// Event is one event of a window. Its bytes are valid until the callback returns.
type Event struct {
	// Version is the protocol version of its frame. The acknowledgement must use it.
	Version byte
	// Sequence is the number that the client assigned.
	Sequence uint32
	// JSON is the content of a JSON frame as received. It is nil for a data frame.
	JSON []byte
	// Omitted is the number of bytes that JSON lacks because the event exceeds the limit.
	Omitted int
	// Pairs is the content of a data frame, in the order of the frame.
	Pairs []Pair
}

// Size returns the number of bytes of the event's content.
func (e *Event) Size() int {
	n := len(e.JSON)
	for _, p := range e.Pairs {
		n += len(p.Key) + len(p.Value)
	}
	return n
}

// Reader reads windows from a stream. It is not safe for concurrent use.
type Reader struct {
	limits Limits
	memory bounds.Memory
	wire   *wire
	zlibs  []*inflater // by depth, reused
	buf    []byte      // content of the current event
	ends   []int       // ends of keys and values in buf
	pairs  []Pair
	small  [4]byte // a number, or the head of a frame
	empty  bool    // the last window had no events
	held   int     // bytes reserved for the current event

	version byte // of the last window

	// The current frame, for errors.
	start    int64
	frame    byte
	depth    int
	expanded int // bytes of the outermost compressed frame after decompression
}

// NewReader returns a reader of a stream within limits. It reserves the memory of an event before
// it reads it, and releases it after the callback has returned. ReadWindow returns an error of
// memory unchanged.
func NewReader(in io.Reader, limits Limits, memory bounds.Memory) *Reader {
	return &Reader{limits: limits, memory: memory, wire: &wire{in: bufio.NewReaderSize(in, bufferSize)}}
}

// Await blocks until the first byte of the next window has arrived. It returns [io.EOF] if the
// stream ends between windows.
func (r *Reader) Await() error {
	if _, err := r.wire.in.Peek(1); err != nil {
		r.begin()
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return r.broken(err, "waiting for a window")
	}
	return nil
}

// ReadWindow reads one window and calls each with its events, in order, as soon as they are
// complete. It returns nil after the last event, the callback's error unchanged, [io.EOF] if the
// stream ends before the window begins, or an [*Error]. After an error the stream cannot be read
// further.
func (r *Reader) ReadWindow(each func(Event) error) error {
	if err := r.Await(); err != nil {
		return err
	}
	r.depth, r.expanded = 0, 0
	version, err := r.header(r.wire)
	if err != nil {
		return err
	}
	if r.frame == FrameCompressed && r.empty {
		// Some clients announce no events and then compress none.
		none := 0
		return r.compressed(r.wire, &none, each)
	}
	if r.frame != FrameWindow {
		return r.fault(ReasonFrame, "expected a window ('W')")
	}
	count, err := r.number(r.wire, "the window's size")
	if err != nil {
		return err
	}
	if int64(count) > int64(r.limits.Window) {
		return r.fault(ReasonWindow, "a window of %d events in version %q, the limit is %d", count, version, r.limits.Window)
	}
	left := int(count)
	r.version, r.empty = version, left == 0
	for left > 0 {
		if err := r.next(r.wire, &left, each); err != nil {
			if errors.Is(err, io.EOF) && r.frame == 0 {
				return r.broken(io.ErrUnexpectedEOF, "waiting for more events of the window")
			}
			return err
		}
	}
	return nil
}

// EmptyWindow reports whether the last window had zero events, and its version. Clients send it
// to probe the receiver, and expect an acknowledgement of 0.
func (r *Reader) EmptyWindow() (version byte, ok bool) { return r.version, r.empty }

// next reads one frame of a window. It returns io.EOF unchanged if in ends before the frame
// begins.
func (r *Reader) next(in source, left *int, each func(Event) error) error {
	version, err := r.header(in)
	if err != nil {
		return err
	}
	switch r.frame {
	case FrameJSON, FrameData:
		if *left == 0 {
			return r.fault(ReasonWindow, "more events than the window announced")
		}
		event, err := r.event(in, version)
		if err != nil {
			return err
		}
		*left--
		err = each(event)
		if cap(r.buf) > keepBuffer {
			r.buf = nil
		}
		r.memory.Release(r.held)
		r.held = 0
		return err
	case FrameCompressed:
		return r.compressed(in, left, each)
	case FrameWindow:
		return r.fault(ReasonWindow, "a new window begins, but %d events of the last one are missing", *left)
	}
	return r.fault(ReasonFrame, "expected an event ('J' or 'D') or a compressed frame ('C')")
}

// begin records the start of a frame.
func (r *Reader) begin() { r.start, r.frame = r.wire.offset, 0 }

// header reads the version and type of a frame, and returns the version.
func (r *Reader) header(in source) (byte, error) {
	r.begin()
	head := r.small[:2]
	n, err := io.ReadFull(in, head)
	if n == 0 && errors.Is(err, io.EOF) {
		return 0, io.EOF
	}
	if n > 0 && head[0] != Version1 && head[0] != Version2 {
		return 0, r.fault(ReasonVersion, "the frame's version is %q, expected '1' or '2'", head[0])
	}
	if err != nil {
		return 0, r.broken(err, "reading the head of a frame")
	}
	r.frame = head[1]
	return head[0], nil
}

func (r *Reader) event(in source, version byte) (Event, error) {
	sequence, err := r.number(in, "an event's sequence number")
	if err != nil {
		return Event{}, err
	}
	event := Event{Version: version, Sequence: sequence}
	r.buf = r.buf[:0]
	if r.frame == FrameJSON {
		event.Omitted, err = r.json(in)
		event.JSON = slices.Clip(r.buf)
		return event, err
	}
	event.Pairs, err = r.data(in)
	return event, err
}

func (r *Reader) data(in source) ([]Pair, error) {
	count, err := r.number(in, "the number of pairs")
	if err != nil {
		return nil, err
	}
	if int64(count) > int64(r.limits.Pairs) {
		return nil, r.fault(ReasonPairs, "an event of %d pairs, the limit is %d", count, r.limits.Pairs)
	}
	r.ends, r.pairs = r.ends[:0], r.pairs[:0]
	for range count {
		for _, what := range [...]string{"a key", "a value"} {
			if err := r.text(in, what); err != nil {
				return nil, err
			}
			r.ends = append(r.ends, len(r.buf))
		}
	}
	from := 0
	for i := 0; i < len(r.ends); i += 2 {
		key, value := r.ends[i], r.ends[i+1]
		r.pairs = append(r.pairs, Pair{Key: r.buf[from:key:key], Value: r.buf[key:value:value]})
		from = value
	}
	return r.pairs, nil
}

// json reads the content of a JSON frame, or its beginning if it exceeds the limit. It returns
// the number of omitted bytes.
func (r *Reader) json(in source) (omitted int, err error) {
	const what = "an event's JSON"
	length, err := r.number(in, "the length of "+what)
	if err != nil {
		return 0, err
	}
	if int64(length) <= int64(r.limits.Event) {
		return 0, r.content(in, int(length), what)
	}
	if int64(length) > int64(r.limits.Decompressed) {
		return 0, r.tooLarge(length, what)
	}
	head := min(r.limits.Event, keepHead)
	if err := r.content(in, head, what); err != nil {
		return 0, err
	}
	omitted = int(length) - head
	if _, err := io.CopyN(io.Discard, in, int64(omitted)); err != nil {
		return 0, r.broken(err, "reading "+what)
	}
	return omitted, nil
}

// text reads the length and content of a key or value of a data frame.
func (r *Reader) text(in source, what string) error {
	length, err := r.number(in, "the length of "+what)
	if err != nil {
		return err
	}
	if int64(len(r.buf))+int64(length) > int64(r.limits.Event) {
		return r.tooLarge(length, what)
	}
	return r.content(in, int(length), what)
}

func (r *Reader) tooLarge(length uint32, what string) error {
	return r.fault(ReasonEventSize, "%s of %d bytes makes an event of %d, the limit is %d",
		what, length, int64(len(r.buf))+int64(length), r.limits.Event)
}

// content appends bytes to the buffer.
func (r *Reader) content(in source, length int, what string) error {
	// An announced length allocates little memory. More is allocated for received bytes.
	for left, chunk := length, firstChunk; left > 0; chunk *= 2 {
		n := min(left, chunk)
		if err := r.memory.Reserve(n); err != nil {
			return err
		}
		r.held += n
		at := len(r.buf)
		r.buf = extend(r.buf, n)
		if _, err := io.ReadFull(in, r.buf[at:]); err != nil {
			return r.broken(err, "reading "+what)
		}
		left -= n
	}
	return nil
}

// extend grows a slice by n bytes. It allocates exactly the reserved size, unlike append, which
// adds a quarter.
func extend(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b[:len(b)+n]
	}
	longer := make([]byte, len(b)+n)
	copy(longer, b)
	return longer
}

func (r *Reader) number(in source, what string) (uint32, error) {
	b := r.small[:4]
	if _, err := io.ReadFull(in, b); err != nil {
		return 0, r.broken(err, "reading "+what)
	}
	return binary.BigEndian.Uint32(b), nil
}
