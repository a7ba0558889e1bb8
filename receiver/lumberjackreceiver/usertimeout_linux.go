// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of tcp(7), which package syscall does not have.
const tcpUserTimeout = 0x12

// limitUnacknowledged has the kernel end a TCP connection whose peer does not
// accept sent bytes for so long. Reads and writes then fail with ETIMEDOUT. A
// write deadline alone does not suffice: a peer whose receive buffer overflows
// drops our TCP acknowledgements too, sends no more, and no write ever waits.
func limitUnacknowledged(conn syscall.Conn, limit time.Duration) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(limit.Milliseconds()))
	})
}
