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
	// Name is used in messages.
	Name string
	Path string
	Args []string
	// Env is added to the environment.
	Env []string
	// Log is the file to which the output is appended.
	Log string
}

// Process is a running program. It and its children end with the test.
type Process struct {
	program Program
	t       TB
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the process has ended
	err     error         // the exit error; valid once ended is closed
}

// Start starts the program without waiting until it is ready. It fails the test if the program
// does not start.
func (p Program) Start(t TB) *Process {
	t.Helper()
	running, err := p.Launch(t)
	if err != nil {
		t.Fatalf("start %s: %v", p.Name, err)
	}
	return running
}

// Launch is Start for goroutines, which must not fail the test.
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
		// On Linux the kernel kills the process when the thread that started it ends, so the
		// thread is kept while the process runs.
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

// Run runs a command and returns its output. env is added to the environment. The command is
// killed when ctx is done.
func Run(ctx context.Context, t TB, env []string, command ...string) (output string, err error) {
	p, err := Program{Name: command[0], Path: command[0], Args: command[1:], Env: env, Log: filepath.Join(t.TempDir(), "output")}.Launch(t)
	if err != nil {
		return "", err
	}
	err = p.Wait(ctx)
	return p.Log(), err
}

// Wait waits until the process has ended and returns nil for exit code 0. When ctx is done, Wait
// kills the process and returns the context's error.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.ended:
		return p.err
	case <-ctx.Done():
		p.Kill()
		return ctx.Err()
	}
}

// WaitReady waits until url answers. After a minute it fails the test with the end of the log.
func (p *Process) WaitReady(url string) { p.waitReady(startWithin, url) }

func (p *Process) waitReady(within time.Duration, url string) {
	p.t.Helper()
	Eventually(p.t, within, p.program.Name+" to be ready", func() error {
		if p.Running() {
			return answers(url)
		}
		p.t.Fatalf("%s exited unexpectedly (%v). The end of its log:\n%s", p.program.Name, p.err, lastLines(p.Log(), 15))
		return nil
	})
}

// PID returns the process ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// ProcessID is the ID of a process that may have been started by another program.
type ProcessID int

// ticksASecond is the unit of processor times in /proc on every Linux that Go supports.
const ticksASecond = 100

// CPUSeconds returns the processor time of the process in seconds. It requires Linux.
func (p *Process) CPUSeconds() (float64, error) { return ProcessID(p.PID()).CPUSeconds() }

// CPUSeconds returns the processor time of the process in seconds. It requires Linux.
func (p ProcessID) CPUSeconds() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
	if err != nil {
		return 0, fmt.Errorf("cannot read processor time from /proc, which requires Linux: %w", err)
	}
	// The name in brackets may contain spaces. User and system time are fields 12 and 13 after
	// it.
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

// Running reports whether the process has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Log returns the output of the program so far.
func (p *Process) Log() string {
	text, err := os.ReadFile(p.program.Log)
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	return string(text)
}

// Signal sends a signal to the process, without its children.
func (p *Process) Signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %v to %s: %v", s, p.program.Name, err)
	}
}

// Kill sends SIGKILL to the process group and waits until the process has ended.
func (p *Process) Kill() {
	if p.Running() {
		killGroup(p.PID())
	}
	<-p.ended
}

// Stop sends SIGTERM and waits. After 20 s it kills the process. It may be called repeatedly.
func (p *Process) Stop() {
	if p.Running() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
	}
	select {
	case <-p.ended:
	case <-time.After(stopWithin):
		p.t.Logf("%s did not exit within %v of SIGTERM; killing it", p.program.Name, stopWithin)
		p.Kill()
	}
}
