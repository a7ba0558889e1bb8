// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// bench stands where peertest wants a test.
type bench struct{ cleanups []func() }

var _ peertest.TB = (*bench)(nil)

// fatal is what Fatalf panics with.
type fatal struct{ error }

// Helper does nothing: no line is reported.
func (*bench) Helper() {}

// Logf prints to standard error.
func (*bench) Logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// Fatalf ends protect with an error.
func (*bench) Fatalf(format string, args ...any) { panic(fatal{fmt.Errorf(format, args...)}) }

// Cleanup has f called at the end of protect.
func (b *bench) Cleanup(f func()) { b.cleanups = append(b.cleanups, f) }

// TempDir returns a folder that is gone at the end of protect.
func (b *bench) TempDir() string {
	dir, err := os.MkdirTemp("", "auspex-cost-")
	if err != nil {
		b.Fatalf("folder: %v", err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// protect runs f, then what was to be cleaned up, the latest first. It returns f's error or that of Fatalf.
func (b *bench) protect(f func() error) (err error) {
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
	return f()
}
