// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package filestorageextension

import (
	"context"
	"fmt"
	"runtime/debug"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// guarded converts faults in a file, such as pages for which the disk has no space, to errors.
// The file is mapped into memory, so reading a damaged page would end the process.
type guarded struct {
	inner storage.Client
	path  string
}

func (g *guarded) guard(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("cannot use %s: it is damaged, or its disk is full: %v", g.path, fault)
		}
	}()
	return do()
}

// Get returns the value of a key, nil if there is none.
func (g *guarded) Get(ctx context.Context, key string) (value []byte, err error) {
	err = g.guard(func() (err error) { value, err = g.inner.Get(ctx, key); return err })
	return value, err
}

// Set writes the value of a key.
func (g *guarded) Set(ctx context.Context, key string, value []byte) error {
	return g.guard(func() error { return g.inner.Set(ctx, key, value) })
}

// Delete removes a key.
func (g *guarded) Delete(ctx context.Context, key string) error {
	return g.guard(func() error { return g.inner.Delete(ctx, key) })
}

// Batch performs all operations or none.
func (g *guarded) Batch(ctx context.Context, ops ...*storage.Operation) error {
	return g.guard(func() error { return g.inner.Batch(ctx, ops...) })
}

// Walk calls fn for each key.
func (g *guarded) Walk(ctx context.Context, fn storage.WalkFunc) error {
	return g.guard(func() error { return g.inner.(storage.Walker).Walk(ctx, fn) })
}

// Close closes the file.
func (g *guarded) Close(ctx context.Context) error {
	return g.guard(func() error { return g.inner.Close(ctx) })
}
