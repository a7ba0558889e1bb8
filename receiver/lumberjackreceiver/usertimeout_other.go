// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package lumberjackreceiver

import (
	"syscall"
	"time"
)

// limitUnacknowledged does nothing: only Linux has the option.
func limitUnacknowledged(syscall.Conn, time.Duration) {}
