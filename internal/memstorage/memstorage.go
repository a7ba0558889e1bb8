// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package storagetest provides helpers for tests that implement a storage client.
package storagetest

import (
	"context"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

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
