// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/engine/snapshot"
	"github.com/auspex-otel/auspex/internal/state"
)

// store is the storage of one engine, in memory.
type store map[string][]byte

// engine returns an engine with this storage, which must be empty.
func (s store) engine(cfg engine.Config, now time.Time) *engine.Engine {
	e := engine.New(cfg, zap.NewNop())
	_ = e.Load(context.Background(), s, now) // this storage returns no error
	return e
}

// save adds a snapshot of the engine to c.
func (s store) save(c *state.Codec, e *engine.Engine, now time.Time) error {
	clear(s) // of the previous snapshot
	if err := e.SnapshotComplete(context.Background(), now); err != nil {
		return err
	}
	keys := slices.Sorted(maps.Keys(s))
	state.List(c, &keys, 8, func(key *string) {
		value := string(s[*key])
		c.String(key)
		c.String(&value)
	})
	return nil
}

// load restores an engine from c, or returns the reason why it cannot.
func (s store) load(c *state.Codec, cfg engine.Config, now time.Time) (*engine.Engine, error) {
	var keys []string
	state.List(c, &keys, 8, func(key *string) {
		var value string
		c.String(key)
		c.String(&value)
		s[*key] = []byte(value)
	})
	if !c.Ok() {
		return nil, state.Error
	}
	_, rejected, err := snapshot.Find(context.Background(), s)
	if err = errors.Join(append(rejected, err)...); err != nil {
		return nil, err
	}
	e := s.engine(cfg, now)
	if e.Status().SnapshotTime.IsZero() {
		return nil, fmt.Errorf("the snapshot of the engine: %w", state.Error)
	}
	return e, nil
}

// Get, Set, Delete, Batch, and Close implement storage.Client.

func (s store) Get(_ context.Context, key string) ([]byte, error) { return s[key], nil }

func (s store) Set(_ context.Context, key string, value []byte) error {
	s[key] = slices.Clone(value)
	return nil
}

func (s store) Delete(_ context.Context, key string) error {
	delete(s, key)
	return nil
}

func (s store) Batch(ctx context.Context, ops ...*storage.Operation) (err error) {
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value, err = s.Get(ctx, op.Key)
		case storage.Set:
			err = s.Set(ctx, op.Key, op.Value)
		case storage.Delete:
			err = s.Delete(ctx, op.Key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s store) Close(context.Context) error { return nil }
