// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package peertest

import (
	"os"
	"syscall"
)

// ownGroup does nothing on systems without process groups.
func ownGroup() *syscall.SysProcAttr { return nil }

func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}
