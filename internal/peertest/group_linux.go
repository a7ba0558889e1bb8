// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import "syscall"

// ownGroup puts a process into its own group, which is killed with the test process.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
