// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// endSignals lists the signals that stop the demo.
var endSignals = []os.Signal{os.Interrupt}

// ownGroup does nothing on systems without process groups.
func ownGroup(*exec.Cmd) {}

// askToEnd interrupts the process.
func askToEnd(p *os.Process) { _ = p.Signal(os.Interrupt) }

// forceEnd kills the process.
func forceEnd(p *os.Process) { _ = p.Kill() }
