// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// endSignals stop the demo. A closed output (SIGPIPE) is among them, so that it too ends the collector.
var endSignals = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE}

// ownGroup puts the process into a group of its own, which ends as a whole and gets no Ctrl-C from the terminal.
func ownGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// askToEnd asks the group to end.
func askToEnd(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGTERM) }

// forceEnd ends what is left of the group.
func forceEnd(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
