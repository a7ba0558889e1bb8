// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/internal/memstorage"
)

// disk is a storage extension and its client.
type disk struct {
	extension.Extension
	kept   map[string][]byte
	broken error
}

func (d *disk) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return d, nil
}
func (d *disk) Get(_ context.Context, key string) ([]byte, error) { return d.kept[key], d.broken }
func (d *disk) Set(_ context.Context, key string, v []byte) error {
	if d.broken == nil {
		d.kept[key] = v
	}
	return d.broken
}
func (d *disk) Delete(_ context.Context, key string) error { delete(d.kept, key); return d.broken }
func (d *disk) Batch(ctx context.Context, ops ...*storage.Operation) error {
	return memstorage.Batch(ctx, d, ops)
}
func (d *disk) Close(context.Context) error { return nil }

var diskID = component.MustNewID("file_storage")

// keeping returns a console that keeps its chart history on a disk, and its host.
func keeping(d *disk) (*console, *host) {
	c := newTestConsole("127.0.0.1:0")
	c.cfg.Storage = &diskID
	h := newHost(newEngine())
	extensions := maps.Clone(*h.extensions.Load())
	extensions[diskID] = d
	h.extensions.Store(&extensions)
	return c, h
}

func TestChartHistorySurvivesARestart(t *testing.T) {
	d := &disk{kept: map[string][]byte{}}
	c, h := keeping(d)
	assert.Equal(t, []component.ID{diskID}, c.Dependencies())
	require.NoError(t, c.Start(t.Context(), h))
	e, err := c.api.theEngine()
	require.NoError(t, err)
	e.SetCharts(c.keeper.store)
	busy(e)
	before := c.keeper.store.Stats()
	require.NoError(t, c.Shutdown(t.Context()))
	assert.Equal(t, 3, before.Series)

	for _, set := range []string{"b", "a"} { // the sets take turns
		c, h = keeping(d)
		require.NoError(t, c.Start(t.Context(), h))
		after := c.keeper.store.Stats()
		assert.Equal(t, before.Points, after.Points)
		assert.Equal(t, before.Latest, after.Latest)
		require.NoError(t, c.Shutdown(t.Context()))
		assert.Equal(t, set, string(d.kept[manifestKey][:1]))
	}
}

func TestDamagedHistoryIsLeftOut(t *testing.T) {
	d := &disk{kept: map[string][]byte{}}
	c, h := keeping(d)
	e := newEngine()
	e.SetCharts(c.keeper.store)
	busy(e)
	require.NoError(t, c.Start(t.Context(), h))
	require.NoError(t, c.Shutdown(t.Context()))
	for name, damage := range map[string]func(kept map[string][]byte){
		"a chunk":         func(kept map[string][]byte) { kept["a1"] = kept["a1"][:10] },
		"a chunk is gone": func(kept map[string][]byte) { delete(kept, "a1") },
		"the manifest":    func(kept map[string][]byte) { kept[manifestKey] = []byte("a999999999") },
		"another set":     func(kept map[string][]byte) { kept[manifestKey] = []byte("x2") },
	} {
		damaged := &disk{kept: maps.Clone(d.kept)}
		damage(damaged.kept)
		core, logs := observer.New(zap.WarnLevel)
		c, h := keeping(damaged)
		c.keeper.logger = zap.New(core)
		require.NoError(t, c.Start(t.Context(), h), name)
		assert.Equal(t, 1, logs.FilterMessageSnippet("could not be read").Len(), name)
		assert.Zero(t, c.keeper.store.Stats().Points, name)
		require.NoError(t, c.Shutdown(t.Context()), name)
	}
}

func TestStorageThatFails(t *testing.T) {
	c, h := keeping(&disk{kept: map[string][]byte{}})
	missing := component.MustNewID("missing")
	c.cfg.Storage = &missing
	require.ErrorContains(t, c.Start(t.Context(), h), `extensions::anomaly_console::storage: "missing" is no storage extension`)

	d := &disk{kept: map[string][]byte{}}
	c, h = keeping(d)
	require.NoError(t, c.Start(t.Context(), h))
	d.broken = errors.New("the disk is full")
	require.ErrorContains(t, c.Shutdown(t.Context()), "write the chart history: the disk is full")
}

// person is who an authenticator says sent a request.
type person map[string]any

func (p person) GetAttribute(name string) any { return p[name] }
func (p person) GetAttributeNames() []string  { return nil }

func TestAuthorIsWhoAuthenticated(t *testing.T) {
	req := request(t, "POST", "http://x/")
	assert.Equal(t, "ann", author(req, "ann"), "without an authenticator")
	for _, tt := range []struct {
		auth person
		want string
	}{{person{"username": "bob"}, "bob"}, {person{"subject": "carol", "username": ""}, "carol"}, {person{"raw": "x"}, "ann"}} {
		ctx := client.NewContext(t.Context(), client.Info{Auth: tt.auth})
		assert.Equal(t, tt.want, author(req.WithContext(ctx), "ann"))
	}
}

func TestHistoryExpiresAndIsPinned(t *testing.T) {
	c := newTestConsole("127.0.0.1:0")
	e := newEngine()
	e.SetCharts(c.keeper.store)
	busy(e)
	c.pin(e, time.Now())
	c.keeper.store.Expire(time.Now())
	assert.Equal(t, 3, c.keeper.store.Stats().Series, "the age is that of event time")
}
