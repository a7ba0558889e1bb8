// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjack

import (
	"bufio"
	"compress/zlib"
	"errors"
	"io"
)

// inflateError is an error of zlib, not of the underlying stream.
type inflateError struct{ err error }

func (e *inflateError) Error() string { return e.err.Error() }

// source is the input of frames: the wire, or a compressed frame. ReadByte prevents zlib from
// reading beyond its stream.
type source interface {
	io.Reader
	io.ByteReader
}

// wire counts the bytes that were read from the peer.
type wire struct {
	in     *bufio.Reader
	offset int64
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.in.Read(p)
	w.offset += int64(n)
	return n, err
}

func (w *wire) ReadByte() (byte, error) {
	b, err := w.in.ReadByte()
	if err == nil {
		w.offset++
	}
	return b, err
}

// payload is the content of a compressed frame: left bytes of in. It keeps an error of in, which
// zlib may hide.
type payload struct {
	in   source
	left int
	err  error
}

func (p *payload) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n, err := p.in.Read(b[:min(len(b), p.left)])
	p.left -= n
	p.note(err)
	return n, err
}

func (p *payload) ReadByte() (byte, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	b, err := p.in.ReadByte()
	if err == nil {
		p.left--
	}
	p.note(err)
	return b, err
}

func (p *payload) note(err error) {
	if err != nil && p.err == nil {
		p.err = err
	}
}

// inflater is the decompressed content of a compressed frame. It fails as soon as the outermost
// frame exceeds the limit.
type inflater struct {
	reader  *Reader
	payload payload
	zlib    io.ReadCloser
	one     [1]byte
}

func (z *inflater) reset(in source, length int) error {
	z.payload = payload{in: in, left: length}
	var err error
	if z.zlib == nil {
		z.zlib, err = zlib.NewReader(&z.payload)
	} else {
		err = z.zlib.(zlib.Resetter).Reset(&z.payload, nil)
	}
	return z.classify(err)
}

func (z *inflater) Read(p []byte) (int, error) {
	// One byte above the limit proves that the limit is exceeded.
	room := z.reader.limits.Decompressed - z.reader.expanded
	n, err := z.zlib.Read(p[:min(len(p), room+1)])
	z.reader.expanded += n
	if n > room {
		return 0, z.reader.fault(ReasonDecompressed, "a compressed frame expands to more than the limit of %d bytes", z.reader.limits.Decompressed)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = z.classify(err)
	}
	return n, err
}

func (z *inflater) ReadByte() (byte, error) {
	for {
		n, err := z.Read(z.one[:])
		if n == 1 {
			return z.one[0], nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// classify distinguishes failures of zlib from those of the stream that it reads.
func (z *inflater) classify(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(z.payload.err, io.EOF):
		return io.ErrUnexpectedEOF
	case z.payload.err != nil:
		return z.payload.err
	}
	return &inflateError{err}
}

// compressed reads a compressed frame and its frames.
func (r *Reader) compressed(in source, left *int, each func(Event) error) error {
	length, err := r.number(in, "the length of a compressed frame")
	if err != nil {
		return err
	}
	if int64(length) > int64(r.limits.Compressed) {
		return r.fault(ReasonCompressed, "a compressed frame of %d bytes, the limit is %d", length, r.limits.Compressed)
	}
	if r.depth >= r.limits.Nesting {
		return r.fault(ReasonNesting, "a compressed frame inside %d others, the limit is %d", r.depth, r.limits.Nesting)
	}
	if r.depth == 0 {
		r.expanded = 0
	}
	if r.depth == len(r.zlibs) {
		r.zlibs = append(r.zlibs, &inflater{reader: r})
	}
	z := r.zlibs[r.depth]
	if err := z.reset(in, int(length)); err != nil {
		return r.broken(err, "opening a compressed frame")
	}
	r.depth++
	before := *left
	for {
		err := r.next(z, left, each)
		if errors.Is(err, io.EOF) && r.frame == 0 {
			break
		}
		if err != nil {
			return err
		}
	}
	r.depth--
	r.frame = FrameCompressed
	if z.payload.left > 0 {
		return r.fault(ReasonCompressed, "its zlib stream ends %d bytes before the frame does", z.payload.left)
	}
	if *left == before && !r.empty {
		// An endless sequence of empty frames would take time without filling the window.
		return r.fault(ReasonCompressed, "it contains no event")
	}
	r.empty = false
	return nil
}
