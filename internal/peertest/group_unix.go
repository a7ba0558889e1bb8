// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package peertest

import "syscall"

// ownGroup puts a process into its own group.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
