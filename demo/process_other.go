// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// endSignals stop the demo.
var endSignals = []os.Signal{os.Interrupt}

// ownGroup does nothing: there are no process groups here.
func ownGroup(*exec.Cmd) {}

// askToEnd asks the process to end.
func askToEnd(p *os.Process) { _ = p.Signal(os.Interrupt) }

// forceEnd ends the process.
func forceEnd(p *os.Process) { _ = p.Kill() }
