// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/engine/snapshot"
	"github.com/auspex-otel/auspex/internal/state"
)

// shardVersion is the version of the state of a shard, without that of the engine's snapshot in it.
const shardVersion = 1

// ShardVersion returns the version of the states of shards, with that of the engine's snapshot in them.
func ShardVersion() string { return versions(shardVersion) }

// SeriesVersion returns the version of the states of series, with that of the engine's snapshot in them.
func SeriesVersion() string { return versions(seriesVersion) }

func versions(own int) string { return fmt.Sprintf("%d.%d", own, snapshot.Version) }

// Save returns the whole state, which begins with a version byte. It contains the records that wait for earlier ones.
func (s *Shard) Save() ([]byte, error) {
	c := state.Writer([]byte{shardVersion})
	if err := s.fields(c); err != nil {
		return nil, err
	}
	if err := s.store.save(c, s.engine, time.Unix(0, s.now)); err != nil {
		return nil, err
	}
	return c.Bytes(), nil
}

// LoadShard returns the shard that continues from a state, to the bit. cfg must be the configuration of the shard that
// was saved.
func LoadShard(cfg engine.Config, hooks Hooks, b []byte) (*Shard, error) {
	c, err := begin(b, shardVersion)
	if err != nil {
		return nil, err
	}
	s := newShard(hooks)
	if err := s.fields(c); err != nil {
		return nil, err
	}
	if s.engine, err = s.store.load(c, cfg, time.Unix(0, s.now)); err != nil {
		return nil, err
	}
	return s, c.End()
}

func (s *Shard) fields(c *state.Codec) (err error) {
	c.Int64(&s.now)
	c.Int64(&s.due)
	c.Int64(&s.reached)
	c.Int64(&s.gap)
	c.Int(&s.points)
	c.Int(&s.pieces.read)
	waiting := slices.Clone(s.pieces.heap)
	state.List(c, (*[]entry[*piece])(&waiting), 16, func(e *entry[*piece]) {
		if e.value == nil {
			e.value = &piece{}
		}
		c.Int64(&e.time)
		c.Int(&e.place)
		if failed := e.value.fields(c); failed != nil {
			err = failed
		}
	})
	if c.Reading() {
		s.pieces.heap = waiting // the order of a heap is kept
	}
	if !c.Ok() {
		return state.Error
	}
	return err
}

func (x *piece) fields(c *state.Codec) (err error) {
	c.Int64(&x.due)
	c.Uint8((*uint8)(&x.signal))
	c.Int(&x.points)
	var b []byte
	if !c.Reading() {
		if b, err = x.marshal(); err != nil {
			return err
		}
	}
	text := string(b)
	c.String(&text)
	if !c.Reading() || !c.Ok() {
		return nil
	}
	batch, err := DecodeProto(x.signal, []byte(text))
	x.metrics, x.logs, x.traces = batch.Metrics, batch.Logs, batch.Traces
	return err
}

func (x *piece) marshal() ([]byte, error) {
	switch x.signal {
	case SignalLogs:
		return (&plog.ProtoMarshaler{}).MarshalLogs(x.logs)
	case SignalTraces:
		return (&ptrace.ProtoMarshaler{}).MarshalTraces(x.traces)
	default:
		return (&pmetric.ProtoMarshaler{}).MarshalMetrics(x.metrics)
	}
}
