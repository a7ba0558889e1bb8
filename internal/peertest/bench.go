// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"errors"
	"fmt"
	"os"
	"slices"
)

// Protect runs f with a TB for programs that measure instead of testing, then the cleanups, the
// latest first. It returns the error of f or of Fatalf.
func Protect(f func(TB) error) (err error) {
	b := &bench{}
	defer func() {
		if r := recover(); r != nil {
			failure, ok := r.(fatal)
			if !ok {
				panic(r)
			}
			err = errors.Join(err, failure.error)
		}
	}()
	defer func() {
		for _, f := range slices.Backward(b.cleanups) {
			f()
		}
	}()
	return f(b)
}

// bench is a TB without a test.
type bench struct{ cleanups []func() }

// fatal is the value that Fatalf panics with.
type fatal struct{ error }

// Helper does nothing, because bench reports no lines.
func (*bench) Helper() {}

// Logf prints to standard error.
func (*bench) Logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// Fatalf ends Protect with an error.
func (*bench) Fatalf(format string, args ...any) { panic(fatal{fmt.Errorf(format, args...)}) }

// Cleanup registers f to run at the end of Protect.
func (b *bench) Cleanup(f func()) { b.cleanups = append(b.cleanups, f) }

// TempDir returns a folder that Protect removes at its end.
func (b *bench) TempDir() string {
	dir, err := os.MkdirTemp("", "auspex-bench-")
	if err != nil {
		b.Fatalf("temporary folder: %v", err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
