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

// endWithin is how long the collector may take to end by itself.
const endWithin = 10 * time.Second

// collector is a running collector, its folder and its log.
type collector struct {
	cmd    *exec.Cmd
	folder string        // temporary, gone after end
	log    string        // kept if something went wrong
	ended  chan struct{} // closed when the process has ended
	err    error         // how it ended; valid once ended is closed
}

// startCollector starts the program without arguments, which makes it use its built-in
// configuration, with its state and the log files it watches in a fresh folder.
func startCollector(program string) (_ *collector, err error) {
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
	ownGroup(c.cmd)
	if err := c.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("the collector does not start: %w (`make build` makes it)", err), os.Remove(c.log))
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.ended)
	}()
	return c, nil
}

// withoutOurs leaves out the variables that change the built-in configuration: the demo shows it as it comes.
func withoutOurs(env []string) []string {
	return slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, "AUSPEX_") })
}

// end ends the collector and whatever it started, and removes its folder. The log is
// removed too unless it is to be kept.
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

// died is the error that says how the collector ended, with its last words.
func (c *collector) died() error {
	how := "with exit code 0"
	if c.err != nil {
		how = "with " + c.err.Error()
	}
	return fmt.Errorf("the collector ended by itself, %s. Its last lines:\n%s", how, c.lastLines(12))
}

// lastLines returns the end of the log, indented.
func (c *collector) lastLines(n int) string {
	text, err := os.ReadFile(c.log)
	if err != nil {
		return "  (" + err.Error() + ")"
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return "  " + strings.Join(lines[max(0, len(lines)-n):], "\n  ")
}
