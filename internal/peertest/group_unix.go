// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package peertest

import "syscall"

// ownGroup gives a process a group of its own.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
