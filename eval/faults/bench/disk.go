// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"errors"
	"maps"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// disk is the in-memory storage of one engine. Values are not changed after writing.
type disk map[string][]byte

var _ storage.Client = disk{}

// copied returns a snapshot of the disk that later writes do not affect.
func (d disk) copied() disk { return maps.Clone(d) }

func (d disk) Get(_ context.Context, key string) ([]byte, error) { return d[key], nil }

func (d disk) Set(_ context.Context, key string, value []byte) error {
	d[key] = value
	return nil
}

func (d disk) Delete(_ context.Context, key string) error {
	delete(d, key)
	return nil
}

func (d disk) Batch(ctx context.Context, ops ...*storage.Operation) error {
	var errs []error
	for _, op := range ops {
		var err error
		switch op.Type {
		case storage.Get:
			op.Value, err = d.Get(ctx, op.Key)
		case storage.Set:
			err = d.Set(ctx, op.Key, op.Value)
		case storage.Delete:
			err = d.Delete(ctx, op.Key)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (disk) Close(context.Context) error { return nil }
