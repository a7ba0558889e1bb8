// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// maxFrame bounds a message, in bytes without its length.
const maxFrame = 64 << 20

// headSize is the number of bytes before the key: the type and the length of the key.
const headSize = 5

// The types of messages.
const (
	typeHello    = 'H'
	typeObserve  = 'O'
	typeSnapshot = 'S'
	typeRestore  = 'T'
	typeFlush    = 'F'
	typeDrop     = 'D'
	typeGauges   = 'G'
	typeResult   = 'R'
	typeError    = 'E'
)

// message is a request or a reply.
type message struct {
	kind byte
	key  string
	body []byte
}

// readMessage reads a message, or returns io.EOF if the input ends before it.
func readMessage(in *bufio.Reader) (message, error) {
	var head [4]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return message{}, errors.New("the input ends within the length of a message")
		}
		return message{}, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size < headSize || size > maxFrame {
		return message{}, fmt.Errorf("a message of %d bytes: must be %d to %d", size, headSize, maxFrame)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(in, b); err != nil {
		return message{}, errors.New("the input ends within a message")
	}
	key := binary.BigEndian.Uint32(b[1:])
	if key > size-headSize {
		return message{}, fmt.Errorf("a key of %d bytes in a message of %d bytes", key, size)
	}
	end := headSize + int(key)
	return message{kind: b[0], key: string(b[headSize:end]), body: b[end:]}, nil
}

// writeMessage writes a message. It returns an error if the message is too long.
func writeMessage(out *bufio.Writer, m message) error {
	size := headSize + len(m.key) + len(m.body)
	if size > maxFrame {
		return fmt.Errorf("the reply has %d bytes, the maximum is %d: send smaller requests", size, maxFrame)
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(size))
	head = append(head, m.kind)
	head = binary.BigEndian.AppendUint32(head, uint32(len(m.key)))
	for _, part := range [][]byte{head, []byte(m.key), m.body} {
		if _, err := out.Write(part); err != nil {
			return err
		}
	}
	return out.Flush()
}
