// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package fileprovider

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestRetrieveSaysWhichFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(path, []byte("a: 1\n"), 0o600))
	core, logs := observer.New(zap.InfoLevel)
	p := NewFactory().Create(confmap.ProviderSettings{Logger: zap.New(core)})
	require.Equal(t, "file", p.Scheme())
	r, err := p.Retrieve(t.Context(), "file:"+path, nil)
	require.NoError(t, err)
	raw, err := r.AsRaw()
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"a": 1}, raw)
	require.Equal(t, 1, logs.Len())
	assert.Equal(t, path, logs.All()[0].ContextMap()["file"])

	_, err = p.Retrieve(t.Context(), "file:"+path+".missing", nil)
	require.ErrorContains(t, err, path+".missing")
	require.NoError(t, p.Shutdown(t.Context()))
}

func TestWithoutLogger(t *testing.T) {
	_, err := NewFactory().Create(confmap.ProviderSettings{}).Retrieve(t.Context(), "file:missing", nil)
	require.ErrorContains(t, err, "missing")
}
