// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	startWithin = 30 * time.Second
	stopWithin  = 20 * time.Second
)

// Process is a running program. It and whatever it starts end with the test.
type Process struct {
	t     TB
	name  string
	cmd   *exec.Cmd
	log   string
	ended chan struct{} // closed when the process has ended
	err   error         // how it ended; valid once ended is closed
}

// startProcess runs a program. Its output is appended to the file log.
func startProcess(t TB, name, log string, env []string, program string, args ...string) *Process {
	t.Helper()
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatalf("log of %s: %v", name, err)
	}
	defer out.Close()
	p := &Process{t: t, name: name, cmd: exec.Command(program, args...), log: log, ended: make(chan struct{})} //nolint:noctx // ended by Stop and Kill
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = ownGroup()
	started := make(chan error)
	go func() {
		// The kernel ends the process with the thread that started it, where it
		// can: so this thread is kept for as long as the process runs.
		runtime.LockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	t.Cleanup(p.Stop)
	return p
}

// waitReady waits until url answers, and fails the test with the end of the log if it never does.
func (p *Process) waitReady(url string) {
	p.t.Helper()
	Eventually(p.t, startWithin, p.name+" to be ready", func() error {
		if p.Running() {
			return answers(url)
		}
		p.t.Fatalf("%s ended by itself (%v). The end of its log:\n%s", p.name, p.err, lastLines(p.Log(), 15))
		return nil
	})
}

// PID is the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// ticksASecond is the unit of processor times in /proc, the same on every Linux that Go supports.
const ticksASecond = 100

// CPUSeconds is the processor time that the process has used so far. It needs Linux.
func (p *Process) CPUSeconds() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID()))
	if err != nil {
		return 0, fmt.Errorf("processor time is read from /proc, which Linux has: %w", err)
	}
	// The name in brackets may hold spaces; user and system time are the 12th and 13th field after it.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	var ticks float64
	for _, f := range fields[11:13] {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return 0, err
		}
		ticks += v
	}
	return ticks / ticksASecond, nil
}

// Running tells whether the process has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Log returns what the program has written so far.
func (p *Process) Log() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	return string(text)
}

// Signal sends a signal to the process alone.
func (p *Process) Signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %v to %s: %v", s, p.name, err)
	}
}

// Kill ends the whole group at once, with SIGKILL, and waits for the end.
func (p *Process) Kill() {
	if p.Running() {
		killGroup(p.PID())
	}
	<-p.ended
}

// Stop asks the process to end and waits; after 20 s it kills it. It may be called again.
func (p *Process) Stop() {
	if p.Running() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
	}
	select {
	case <-p.ended:
	case <-time.After(stopWithin):
		p.t.Logf("%s did not end within %v of SIGTERM and is killed", p.name, stopWithin)
		p.Kill()
	}
}
