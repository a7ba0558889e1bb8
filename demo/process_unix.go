// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// endSignals lists the signals that stop the demo. They include SIGPIPE (a closed output), so that the collector is
// stopped then, too.
var endSignals = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE}

// ownGroup starts the process in a new process group, which is stopped as a whole and does not receive Ctrl-C from
// the terminal.
func ownGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// askToEnd sends SIGTERM to the process group.
func askToEnd(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGTERM) }

// forceEnd sends SIGKILL to the process group.
func forceEnd(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
