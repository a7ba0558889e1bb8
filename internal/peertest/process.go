// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	startWithin = time.Minute
	stopWithin  = 20 * time.Second
)

// Program is a program to run.
type Program struct {
	// Name stands for it in messages.
	Name string
	Path string
	Args []string
	// Env is added to the environment.
	Env []string
	// Log is the file that its output is appended to.
	Log string
}

// Process is a running program. It and whatever it starts end with the test.
type Process struct {
	program Program
	t       TB
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the process has ended
	err     error         // how it ended; valid once ended is closed
}

// Start runs the program and does not wait until it is ready. It fails the test
// if the program does not start.
func (p Program) Start(t TB) *Process {
	t.Helper()
	running, err := p.Launch(t)
	if err != nil {
		t.Fatalf("start %s: %v", p.Name, err)
	}
	return running
}

// Launch is Start for goroutines, which must not fail the test themselves.
func (p Program) Launch(t TB) (*Process, error) {
	out, err := os.OpenFile(p.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	running := &Process{program: p, t: t, cmd: exec.Command(p.Path, p.Args...), ended: make(chan struct{})} //nolint:noctx // ended by Stop and Kill
	running.cmd.Stdout, running.cmd.Stderr = out, out
	running.cmd.Env = append(os.Environ(), p.Env...)
	running.cmd.SysProcAttr = ownGroup()
	started := make(chan error)
	go func() {
		// On Linux the kernel kills the process when the thread that started it
		// ends: keep the thread for as long as the process runs.
		runtime.LockOSThread()
		err := running.cmd.Start()
		started <- err
		if err == nil {
			running.err = running.cmd.Wait()
			close(running.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	t.Cleanup(running.Stop)
	return running, nil
}

// Run runs a command that ends by itself, and returns its output. env is added to
// the environment. The command is killed when ctx ends.
func Run(ctx context.Context, t TB, env []string, command ...string) (output string, err error) {
	p, err := Program{Name: command[0], Path: command[0], Args: command[1:], Env: env, Log: filepath.Join(t.TempDir(), "output")}.Launch(t)
	if err != nil {
		return "", err
	}
	err = p.Wait(ctx)
	return p.Log(), err
}

// Wait waits until the process has ended and returns how: nil for exit code 0.
// When ctx ends first, Wait kills the process and returns the context's error.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.ended:
		return p.err
	case <-ctx.Done():
		p.Kill()
		return ctx.Err()
	}
}

// WaitReady waits until url answers, and fails the test with the end of the log if it does not within a minute.
func (p *Process) WaitReady(url string) { p.waitReady(startWithin, url) }

func (p *Process) waitReady(within time.Duration, url string) {
	p.t.Helper()
	Eventually(p.t, within, p.program.Name+" to be ready", func() error {
		if p.Running() {
			return answers(url)
		}
		p.t.Fatalf("%s ended by itself (%v). The end of its log:\n%s", p.program.Name, p.err, lastLines(p.Log(), 15))
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
	text, err := os.ReadFile(p.program.Log)
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	return string(text)
}

// Signal sends a signal to the process alone.
func (p *Process) Signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %v to %s: %v", s, p.program.Name, err)
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
		p.t.Logf("%s did not end within %v of SIGTERM and is killed", p.program.Name, stopWithin)
		p.Kill()
	}
}
