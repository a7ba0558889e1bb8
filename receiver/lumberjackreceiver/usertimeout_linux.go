// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of tcp(7), which package syscall lacks.
const tcpUserTimeout = 0x12

// limitUnacknowledged makes the kernel end a TCP connection whose peer does not acknowledge sent
// bytes within limit. Reads and writes then fail with ETIMEDOUT. A write deadline is not
// sufficient: a peer with a full receive buffer drops TCP acknowledgements too, and no write ever
// blocks.
func limitUnacknowledged(conn syscall.Conn, limit time.Duration) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(limit.Milliseconds()))
	})
}
