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

// Verdict is what is known of a file.
type Verdict int

// Verdicts.
const (
	Sound   Verdict = iota
	Damaged         // it cannot be opened, or not all of it can be read
	InUse           // another process has locked it
)

// Result is a verdict with the reason of damage.
type Result struct {
	Verdict Verdict
	Reason  string
}

const (
	// argument makes the program examine a file instead of what it usually does.
	argument = "auspex-examine-storage-file"
	// patience bounds an examination. Tens of gigabytes take longer; such a file is opened without one.
	patience = time.Minute
	// maxReason is the length of a reason in bytes.
	maxReason = 300
)

// Exit codes of the child. A fault ends it with code 2.
const (
	codeDamaged = 10 + iota
	codeInUse
	codeUnknown
)

// File examines a file and waits for its lock as long as wait. It returns an error
// if the file could not be examined, which says nothing about the file.
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
		return Result{}, fmt.Errorf("the examination took longer than %v", patience)
	case !ok || exit.ExitCode() < 0 || exit.ExitCode() == codeUnknown:
		return Result{}, fmt.Errorf("%w: %s", err, out.line())
	case exit.ExitCode() == codeInUse:
		return Result{Verdict: InUse}, nil
	}
	return Result{Verdict: Damaged, Reason: out.line()}, nil
}

// head keeps the beginning of an output.
type head struct{ bytes.Buffer }

// Write keeps what there is room for.
func (h *head) Write(p []byte) (int, error) {
	h.Buffer.Write(p[:min(len(p), maxReason-min(h.Len(), maxReason))])
	return len(p), nil
}

// line returns the first line.
func (h *head) line() string {
	line, _, _ := strings.Cut(strings.TrimSpace(h.String()), "\n")
	return line
}
