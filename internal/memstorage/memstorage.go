// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package memstorage keeps the data of a storage client in memory, and performs batches for other storage clients.
package memstorage

import (
	"bytes"
	"context"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Client holds the values by key. It returns no errors, and is not safe for concurrent use. Get returns a value that
// must not be changed.
type Client map[string][]byte

var _ storage.Client = Client{}

// Get returns the value of a key, or nil.
func (c Client) Get(_ context.Context, key string) ([]byte, error) { return c[key], nil }

// Set copies a value.
func (c Client) Set(_ context.Context, key string, value []byte) error {
	c[key] = bytes.Clone(value)
	return nil
}

// Delete removes a key.
func (c Client) Delete(_ context.Context, key string) error {
	delete(c, key)
	return nil
}

// Batch executes operations sequentially.
func (c Client) Batch(ctx context.Context, ops ...*storage.Operation) error {
	return Batch(ctx, c, ops)
}

// Close does nothing.
func (Client) Close(context.Context) error { return nil }

// Batch executes operations on a client sequentially, up to the first that fails.
func Batch(ctx context.Context, c storage.Client, ops []*storage.Operation) (err error) {
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value, err = c.Get(ctx, op.Key)
		case storage.Set:
			err = c.Set(ctx, op.Key, op.Value)
		case storage.Delete:
			err = c.Delete(ctx, op.Key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
