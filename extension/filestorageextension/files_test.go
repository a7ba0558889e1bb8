// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package filestorageextension

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/extension/filestorageextension/internal/metadata"
)

var owner = component.MustNewIDWithName("anomaly_engine", "")

func newFiles(t *testing.T, directory string, recreate bool) (storage.Extension, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.WarnLevel)
	set := extensiontest.NewNopSettings(metadata.Type)
	set.ID, set.Logger = component.MustNewIDWithName("file_storage", "engine"), zap.New(core)
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	cfg.Directory, cfg.Recreate, cfg.FSync = directory, recreate, true
	e, err := NewFactory().Create(t.Context(), set, cfg)
	require.NoError(t, err)
	return e.(storage.Extension), logs
}

func open(t *testing.T, f storage.Extension) (storage.Client, error) {
	t.Helper()
	return f.GetClient(t.Context(), component.KindExtension, owner, "")
}

// written creates a file of some megabytes with small and large values, and returns its path.
func written(t *testing.T, directory string) string {
	t.Helper()
	f, _ := newFiles(t, directory, true)
	c, err := open(t, f)
	require.NoError(t, err)
	for i := range 30 {
		require.NoError(t, c.Set(t.Context(), fmt.Sprint("large", i), make([]byte, 100_000)))
		require.NoError(t, c.Set(t.Context(), fmt.Sprint("small", i), []byte("value")))
	}
	require.NoError(t, c.Close(t.Context()))
	path, err := pathOf(directory, component.KindExtension, owner, "")
	require.NoError(t, err)
	require.FileExists(t, path)
	return path
}

// damages are the ways to damage a file. All of them but mild prevent reading a part of it.
var damages = []struct {
	name string
	mild bool
	do   func(b []byte, r *rand.Rand) []byte
}{
	{"truncated to 100 bytes", false, func(b []byte, _ *rand.Rand) []byte { return b[:100] }},
	{"truncated to a page", false, func(b []byte, _ *rand.Rand) []byte { return b[:4096] }},
	{"truncated to two pages", false, func(b []byte, _ *rand.Rand) []byte { return b[:8192] }},
	{"truncated to half", false, func(b []byte, _ *rand.Rand) []byte { return b[:len(b)/2] }},
	{"zeros at the head", false, func(b []byte, _ *rand.Rand) []byte { clear(b[:65536]); return b }},
	{"noise at the head", false, func(b []byte, r *rand.Rand) []byte { noise(b[:16384], r); return b }},
	{"noise in both meta pages", false, func(b []byte, r *rand.Rand) []byte { noise(b[:8192], r); return b }},
	{"text", false, func([]byte, *rand.Rand) []byte { return []byte(strings.Repeat("this is not a database\n", 1000)) }},
	{"noise everywhere", false, func(b []byte, r *rand.Rand) []byte { noise(b[8192:], r); return b }},
	{"zeros behind the meta pages", false, func(b []byte, _ *rand.Rand) []byte { clear(b[8192:]); return b }},
	{"truncated to nothing", true, func(b []byte, _ *rand.Rand) []byte { return b[:0] }},
	{"a byte of each 64 KiB", true, func(b []byte, r *rand.Rand) []byte {
		for i := 8192; i < len(b); i += 65536 {
			b[i+r.IntN(min(65536, len(b)-i))] ^= 0x40
		}
		return b
	}},
	{"noise in the middle", true, func(b []byte, r *rand.Rand) []byte { noise(b[len(b)/2:len(b)/2+65536], r); return b }},
	{"noise in twenty places", true, func(b []byte, r *rand.Rand) []byte {
		for range 20 {
			i := 8192 + r.IntN(len(b)-8192-100)
			noise(b[i:i+100], r)
		}
		return b
	}},
}

func noise(b []byte, r *rand.Rand) {
	for i := range b {
		b[i] = byte(r.Uint32())
	}
}

func TestDamagedFileIsMovedAside(t *testing.T) {
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			directory := t.TempDir()
			path := written(t, directory)
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			b = d.do(b, rand.New(rand.NewPCG(7, 7)))
			require.NoError(t, os.WriteFile(path, b, 0o600))

			f, logs := newFiles(t, directory, true)
			c, err := open(t, f)
			require.NoError(t, err)
			require.NoError(t, c.Set(t.Context(), "key", []byte("new")))
			v, err := c.Get(t.Context(), "key")
			require.NoError(t, err)
			assert.Equal(t, "new", string(v))
			require.NoError(t, c.Close(t.Context()))

			aside, err := filepath.Glob(path + ".damaged-*")
			require.NoError(t, err)
			if d.mild && len(aside) == 0 {
				return
			}
			require.Len(t, aside, 1)
			kept, err := os.ReadFile(aside[0])
			require.NoError(t, err)
			assert.Equal(t, b, kept)
			moved := logs.FilterMessageSnippet("moved aside").All()
			require.Len(t, moved, 1)
			assert.Equal(t, path, moved[0].ContextMap()["file"])
			assert.Equal(t, aside[0], moved[0].ContextMap()["moved_to"])
			assert.NotEmpty(t, moved[0].ContextMap()["reason"])
		})
	}
}

// A file whose end holds only free pages is sound to a reader without that end. A
// writer would use those pages, and read them outside of the mapped file.
func TestFileWithoutItsFreePagesIsMovedAside(t *testing.T) {
	directory := t.TempDir()
	path := written(t, directory)
	f, _ := newFiles(t, directory, true)
	c, err := open(t, f)
	require.NoError(t, err)
	for i := range 30 {
		require.NoError(t, c.Delete(t.Context(), fmt.Sprint("large", i)))
	}
	require.NoError(t, c.Close(t.Context()))
	c, err = open(t, f)
	require.NoError(t, err)
	for range 4 {
		require.NoError(t, c.Set(t.Context(), "small", nil)) // moves what is left to the first free pages
	}
	require.NoError(t, c.Close(t.Context()))
	require.NoError(t, os.Truncate(path, 256<<10))

	f, logs := newFiles(t, directory, true)
	c, err = open(t, f)
	require.NoError(t, err)
	for i := range 30 {
		require.NoError(t, c.Set(t.Context(), fmt.Sprint("large", i), make([]byte, 100_000)))
	}
	require.NoError(t, c.Close(t.Context()))
	moved := logs.FilterMessageSnippet("moved aside").All()
	require.Len(t, moved, 1)
	assert.Contains(t, moved[0].ContextMap()["reason"], "the file ends at byte 262144, its header states ")
}

func TestSoundFileIsKept(t *testing.T) {
	directory := t.TempDir()
	written(t, directory)
	f, logs := newFiles(t, directory, true)
	c, err := open(t, f)
	require.NoError(t, err)
	v, err := c.Get(t.Context(), "small7")
	require.NoError(t, err)
	assert.Equal(t, "value", string(v))
	n := 0
	require.NoError(t, c.(storage.Walker).Walk(t.Context(), func(string, []byte) ([]*storage.Operation, error) { n++; return nil, nil }))
	assert.Equal(t, 60, n)
	require.NoError(t, c.Batch(t.Context(), storage.DeleteOperation("small7")))
	require.NoError(t, c.Delete(t.Context(), "small8"))
	v, err = c.Get(t.Context(), "small7")
	require.NoError(t, err)
	assert.Nil(t, v)
	require.NoError(t, c.Close(t.Context()))
	assert.Zero(t, logs.Len())
}

func TestWithoutRecreateDamageIsAnError(t *testing.T) {
	directory := t.TempDir()
	path := written(t, directory)
	require.NoError(t, os.Truncate(path, 4096))
	f, _ := newFiles(t, directory, false)
	_, err := open(t, f)
	require.ErrorContains(t, err, "extensions::file_storage/engine::directory: "+path+" is damaged (")
	require.ErrorContains(t, err, "set recreate to true")
}

func TestFileThatIsInUse(t *testing.T) {
	directory := t.TempDir()
	first, _ := newFiles(t, directory, true)
	c, err := open(t, first)
	require.NoError(t, err)
	second, _ := newFiles(t, directory, true)
	_, err = open(t, second)
	require.ErrorContains(t, err, "extensions::file_storage/engine::directory: the folder "+directory+" is in use by ")
	if _, known := os.Stat("/proc/locks"); known == nil {
		require.ErrorContains(t, err, fmt.Sprintf("process %d (", os.Getpid()))
	}
	require.NoError(t, c.Close(t.Context()))
	c, err = open(t, second)
	require.NoError(t, err)
	require.NoError(t, c.Close(t.Context()))
}

// Without protection, a file that is truncated while it is open would end the process with
// SIGBUS.
func TestFaultIsAnError(t *testing.T) {
	directory := t.TempDir()
	path := written(t, directory)
	f, _ := newFiles(t, directory, true)
	c, err := open(t, f)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, 0))
	_, err = c.Get(t.Context(), "small7")
	require.ErrorContains(t, err, "cannot use "+path)
}

// The paths must equal those of contrib's extension, otherwise the wrong file is examined.
func TestPathsAreThoseOfContrib(t *testing.T) {
	directory := t.TempDir()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = directory
	contrib, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	for _, of := range []struct {
		kind component.Kind
		id   string
		name string
	}{
		{component.KindExporter, "elasticsearch", "logs"},
		{component.KindReceiver, "file_log/a/b", ""},
		{component.KindExtension, "anomaly_engine", "ü/x"},
		{component.KindProcessor, "p/" + strings.Repeat("long", 100), ""},
		{component.KindConnector, "c", "n"},
	} {
		var id component.ID
		require.NoError(t, id.UnmarshalText([]byte(of.id)))
		path, err := pathOf(directory, of.kind, id, of.name)
		require.NoError(t, err)
		require.NoFileExists(t, path)
		c, err := contrib.(storage.Extension).GetClient(context.Background(), of.kind, id, of.name)
		require.NoError(t, err)
		require.FileExists(t, path)
		require.NoError(t, c.Close(context.Background()))
	}
}

func TestEmptyFileIsReported(t *testing.T) {
	directory := t.TempDir()
	path := written(t, directory)
	require.NoError(t, os.Truncate(path, 0))
	f, logs := newFiles(t, directory, true)
	c, err := open(t, f)
	require.NoError(t, err)
	require.NoError(t, c.Close(t.Context()))
	empty := logs.FilterMessageSnippet("file is empty").All()
	require.Len(t, empty, 1)
	assert.Equal(t, path, empty[0].ContextMap()["file"])
}
