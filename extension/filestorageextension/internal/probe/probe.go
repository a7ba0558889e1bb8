// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Verdict is the result of an examination.
type Verdict int

// Verdicts.
const (
	Sound   Verdict = iota
	Damaged         // it cannot be opened or read completely
	InUse           // another process has locked it
)

// Result is a verdict with the reason for damage.
type Result struct {
	Verdict Verdict
	Reason  string
}

const (
	// argument makes the program examine a file and exit.
	argument = "auspex-examine-storage-file"
	// patience bounds an examination. Files of tens of gigabytes take longer and are opened
	// without one.
	patience = time.Minute
	// maxReason is the maximum length of a reason in bytes.
	maxReason = 300
)

// Exit codes of the child. A fault exits with code 2.
const (
	codeDamaged = 10 + iota
	codeInUse
	codeUnknown
)

// File examines a file and waits up to wait for its lock. It returns an error if the file could
// not be examined, which does not imply damage.
func File(ctx context.Context, path string, wait time.Duration) (Result, error) {
	program, err := os.Executable()
	if err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var out head
	child := exec.CommandContext(ctx, program, argument, wait.String(), path) //nolint:gosec // the program is this one
	child.Stdout, child.Stderr = &out, &out
	err = child.Run()
	if err == nil {
		return Result{Verdict: Sound}, nil
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		return Result{}, fmt.Errorf("the examination of the file took longer than %v", patience)
	case !ok || exit.ExitCode() < 0 || exit.ExitCode() == codeUnknown:
		return Result{}, fmt.Errorf("%w: %s", err, out.line())
	case exit.ExitCode() == codeInUse:
		return Result{Verdict: InUse}, nil
	}
	return Result{Verdict: Damaged, Reason: out.line()}, nil
}

// head keeps the beginning of an output.
type head struct{ bytes.Buffer }

// Write keeps the part that fits.
func (h *head) Write(p []byte) (int, error) {
	h.Buffer.Write(p[:min(len(p), maxReason-min(h.Len(), maxReason))])
	return len(p), nil
}

// line returns the first line.
func (h *head) line() string {
	line, _, _ := strings.Cut(strings.TrimSpace(h.String()), "\n")
	return line
}
