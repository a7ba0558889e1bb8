// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package flink

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	// envFragile makes the test's program a worker that fails, in front of the real one at this path.
	envFragile = "AUSPEX_E2E_FRAGILE"
	// envState replaces the version of the states in the worker's reply to hello.
	envState = "AUSPEX_E2E_STATE_VERSION"
	// crash in a message ends the worker.
	crash = "this message ends the worker"
)

func TestMain(m *testing.M) {
	if program := os.Getenv(envFragile); program != "" {
		if err := fragile(program); err != nil {
			fmt.Fprintln(os.Stderr, "fragile worker:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// fragile runs a worker, and passes its messages on.
func fragile(program string) error {
	worker := exec.Command(program, os.Args[1:]...)
	worker.Stderr = os.Stderr
	to, err := worker.StdinPipe()
	if err != nil {
		return err
	}
	from, err := worker.StdoutPipe()
	if err != nil {
		return err
	}
	if err := worker.Start(); err != nil {
		return err
	}
	go func() {
		_ = pass(bufio.NewReader(os.Stdin), to, func(frame []byte) []byte {
			if bytes.Contains(frame, []byte(crash)) {
				fmt.Fprintln(os.Stderr, "panic: index out of range")
				_ = worker.Process.Kill()
				os.Exit(2)
			}
			return frame
		})
		_ = to.Close()
	}()
	if err := pass(bufio.NewReader(from), os.Stdout, otherVersion()); err != nil {
		return err
	}
	return worker.Wait()
}

// otherVersion returns a function that replaces the version in the reply to hello, which is the first.
func otherVersion() func(frame []byte) []byte {
	version, state := os.Getenv(envState), regexp.MustCompile(`("state": ?)("[^"]*"|\d+)`)
	return func(frame []byte) []byte {
		if version != "" {
			frame, version = state.ReplaceAll(frame, []byte(`${1}"`+version+`"`)), ""
		}
		return frame
	}
}

// pass copies frames until the end of the input.
func pass(from *bufio.Reader, to io.Writer, change func([]byte) []byte) error {
	for {
		var size [4]byte
		if _, err := io.ReadFull(from, size[:]); err != nil {
			return ignoreEOF(err)
		}
		frame := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(from, frame); err != nil {
			return ignoreEOF(err)
		}
		frame = change(frame)
		if _, err := to.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...)); err != nil {
			return ignoreEOF(err)
		}
	}
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// fragileWorker returns the path of a worker that passes through fragile, with further variables of its environment.
func fragileWorker(t *testing.T, env ...string) string {
	t.Helper()
	own, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "worker")
	program := filepath.Join(peertest.Root(t), "bin", "auspex")
	script := fmt.Sprintf("#!/bin/sh\nexec env %s='%s' %s '%s' \"$@\"\n", envFragile, program, strings.Join(env, " "), own)
	require.NoError(t, os.WriteFile(path, []byte(script), 0o700))
	return path
}
