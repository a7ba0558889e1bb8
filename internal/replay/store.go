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

	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/engine/snapshot"
	"github.com/auspex-otel/auspex/internal/memstorage"
	"github.com/auspex-otel/auspex/internal/state"
)

// store is the storage of one engine.
type store struct{ memstorage.Client }

func newStore() store { return store{memstorage.Client{}} }

// engine returns an engine with this storage, which must be empty.
func (s store) engine(cfg engine.Config, now time.Time) *engine.Engine {
	e := engine.New(cfg, zap.NewNop())
	_ = e.Load(context.Background(), s, now) // this storage returns no error
	return e
}

// save adds a snapshot of the engine to c.
func (s store) save(c *state.Codec, e *engine.Engine, now time.Time) error {
	clear(s.Client) // of the previous snapshot
	if err := e.SnapshotComplete(context.Background(), now); err != nil {
		return err
	}
	keys := slices.Sorted(maps.Keys(s.Client))
	state.List(c, &keys, 8, func(key *string) {
		value := string(s.Client[*key])
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
		s.Client[*key] = []byte(value)
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
