// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// endWithin is the time that the collector has to exit on its own.
const endWithin = 10 * time.Second

// collector is a running collector with its folder and its log.
type collector struct {
	cmd    *exec.Cmd
	folder string        // temporary, removed by end
	log    string        // kept after a failure
	ended  chan struct{} // closed when the process has ended
	err    error         // result of the process; valid once ended is closed
}

// startCollector starts the program without arguments, so that it uses its built-in configuration, and with additional
// variables. Its state and the log files that it watches are in a new folder.
func startCollector(program string, env ...string) (_ *collector, err error) {
	folder, err := os.MkdirTemp("", "auspex-demo-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(folder)
		}
	}()
	for _, sub := range []string{"state", "logs"} {
		if err := os.Mkdir(filepath.Join(folder, sub), 0o700); err != nil {
			return nil, err
		}
	}
	log, err := os.CreateTemp("", "auspex-demo-collector-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	c := &collector{cmd: exec.Command(program), folder: folder, log: log.Name(), ended: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = log, log
	c.cmd.Env = append(withoutOurs(os.Environ()),
		"AUSPEX_STATE_DIR="+filepath.Join(folder, "state"),
		"AUSPEX_LOG_FILES="+filepath.Join(folder, "logs", "*.log"))
	c.cmd.Env = append(c.cmd.Env, env...)
	ownGroup(c.cmd)
	if err := c.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot start the collector: %w (-collector sets its path; `make build` builds it)", err), os.Remove(c.log))
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.ended)
	}()
	return c, nil
}

// withoutOurs removes the variables that change the built-in configuration, so that the demo shows the defaults.
func withoutOurs(env []string) []string {
	return slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, "AUSPEX_") })
}

// end stops the collector's process group and removes its folder. It also removes the log unless keepLog is set.
func (c *collector) end(keepLog bool) {
	askToEnd(c.cmd.Process)
	select {
	case <-c.ended:
	case <-time.After(endWithin):
	}
	forceEnd(c.cmd.Process)
	<-c.ended
	_ = os.RemoveAll(c.folder)
	if !keepLog {
		_ = os.Remove(c.log)
	}
}

// died returns the error that the collector exited, with the end of its log.
func (c *collector) died() error {
	how := "with exit code 0"
	if c.err != nil {
		how = "with " + c.err.Error()
	}
	return fmt.Errorf("the collector exited on its own, %s. The end of its log:\n%s", how, c.lastLines(12))
}

// lastLines returns the last n lines of the log, indented.
func (c *collector) lastLines(n int) string {
	text, err := os.ReadFile(c.log)
	if err != nil {
		return "  (" + err.Error() + ")"
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return "  " + strings.Join(lines[max(0, len(lines)-n):], "\n  ")
}
