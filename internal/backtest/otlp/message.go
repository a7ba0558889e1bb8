// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// maxMessage bounds the bytes of one message, compressed and decompressed.
const maxMessage = 64 << 20

var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

	errMessageLong = errors.New("a message is longer than 64 MiB: the file must be the output of a file exporter")
	errMessageCut  = errors.New("a message is incomplete")
)

// messageReader reads the messages of a file exporter: one line of JSON each, or binary messages preceded by their
// length, four bytes big-endian. The whole file may be compressed with gzip or zstd, and each message with zstd. The
// reader detects the format by the first bytes, not by the file name.
type messageReader struct {
	in     *bufio.Reader
	unzstd *zstd.Decoder // created when needed
	framed bool
	unit   string // of the count: line or message
	count  int
	buffer []byte
}

func newMessageReader(in io.Reader) (*messageReader, error) {
	r := &messageReader{in: bufio.NewReaderSize(in, 1<<16), unit: "line"}
	begin, _ := r.in.Peek(len(zstdMagic)) // shorter files are detected below
	switch {
	case bytes.HasPrefix(begin, gzipMagic):
		z, err := gzip.NewReader(r.in)
		if err != nil {
			return nil, err
		}
		r.in = bufio.NewReaderSize(z, 1<<16)
	case bytes.Equal(begin, zstdMagic):
		z, err := zstd.NewReader(r.in, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		r.in = bufio.NewReaderSize(z.IOReadCloser(), 1<<16)
	}
	if begin, _ = r.in.Peek(1); len(begin) == 1 && bytes.IndexByte([]byte("{ \t\r\n"), begin[0]) < 0 {
		r.framed, r.unit = true, "message"
	}
	return r, nil
}

// next returns the next message, which is valid until the one after it is read, or io.EOF.
func (r *messageReader) next() ([]byte, error) {
	for {
		message, err := r.read()
		if err != nil {
			return nil, err
		}
		r.count++
		if r.framed {
			return message, nil
		}
		if message = bytes.TrimSpace(message); len(message) > 0 {
			return message, nil
		}
	}
}

// at adds the position of the last message to an error.
func (r *messageReader) at(err error) error {
	return fmt.Errorf("%s %d: %w", r.unit, max(r.count, 1), err)
}

func (r *messageReader) read() ([]byte, error) {
	if !r.framed {
		return r.readLine()
	}
	var length [4]byte
	if _, err := io.ReadFull(r.in, length[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errMessageCut
		}
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > maxMessage {
		return nil, errMessageLong
	}
	r.buffer = append(r.buffer[:0], make([]byte, n)...)
	if _, err := io.ReadFull(r.in, r.buffer); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errMessageCut
		}
		return nil, err
	}
	if bytes.HasPrefix(r.buffer, zstdMagic) {
		return r.unpack(r.buffer)
	}
	return r.buffer, nil
}

func (r *messageReader) unpack(b []byte) (_ []byte, err error) {
	if r.unzstd == nil {
		r.unzstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxMessage))
		if err != nil {
			return nil, err
		}
	}
	return r.unzstd.DecodeAll(b, nil)
}

func (r *messageReader) readLine() ([]byte, error) {
	r.buffer = r.buffer[:0]
	for {
		part, err := r.in.ReadSlice('\n')
		if r.buffer = append(r.buffer, part...); len(r.buffer) > maxMessage {
			return nil, errMessageLong
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil, errors.Is(err, io.EOF) && len(r.buffer) > 0:
			return r.buffer, nil
		default:
			return nil, err
		}
	}
}
