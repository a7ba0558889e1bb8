// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import "syscall"

// ownGroup gives a process a group of its own, and has it killed if the test itself is.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
