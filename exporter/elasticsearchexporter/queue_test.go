// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchexporter

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/auspex-otel/auspex/exporter/elasticsearchexporter/internal/metadata"
	"github.com/auspex-otel/auspex/internal/shutdown"
)

// disk is a host with one storage extension.
type disk map[component.ID]component.Component

// GetExtensions returns the storage extension.
func (d disk) GetExtensions() map[component.ID]component.Component { return d }

func newDisk(t *testing.T, folder string) (host disk, id component.ID) {
	t.Helper()
	f := filestorage.NewFactory()
	id = component.NewID(f.Type())
	cfg := f.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(keys{"directory": folder}).Unmarshal(cfg))
	var storage extension.Extension
	storage, err := f.Create(t.Context(), extensiontest.NewNopSettings(f.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, storage.Start(t.Context(), nil))
	t.Cleanup(func() { require.NoError(t, storage.Shutdown(context.Background())) })
	return disk{id: storage}, id
}

// Documents in the queue on disk are sent after a restart with their original ids, so that
// Elasticsearch stores none of them twice.
func TestIDsOutliveTheProcess(t *testing.T) {
	s := newServer(t)
	s.each = func(int, action) reply { return reply{503, "unavailable", "later"} }
	host, storage := newDisk(t, t.TempDir())
	start := func() exporter.Logs {
		cfg := createDefaultConfig().(*Config)
		require.NoError(t, confmap.NewFromStringMap(keys{
			"endpoint": s.URL, "templates": keys{"enabled": false}, "retry": keys{"enabled": false},
			"sending_queue": keys{"storage": storage.String()},
		}).Unmarshal(cfg))
		set := exportertest.NewNopSettings(metadata.Type)
		set.ID = component.NewID(metadata.Type)
		e, err := createLogs(t.Context(), set, cfg)
		require.NoError(t, err)
		require.NoError(t, e.Start(t.Context(), host))
		return e
	}
	e := start()
	require.NoError(t, e.ConsumeLogs(t.Context(), records("equal", "equal")), "it is on disk")
	require.Eventually(t, func() bool { return len(s.seen()) > 0 }, 10*time.Second, time.Millisecond)
	require.NoError(t, e.Shutdown(t.Context()))

	before := len(s.seen())
	s.mu.Lock()
	s.each = nil
	s.mu.Unlock()
	e = start()
	require.Eventually(t, func() bool { return len(s.seen()) > before }, 10*time.Second, time.Millisecond)
	require.NoError(t, e.Shutdown(t.Context()))
	assert.Equal(t, s.requests[0], s.requests[before])
	assert.NotEqual(t, s.requests[0][0].ID, s.requests[0][1].ID)
}

// A backend that accepts a request without answering delays a shutdown by shutdown.Drain at most,
// and the data is still in the queue.
func TestShutdownDoesNotWaitForElasticsearch(t *testing.T) {
	asked, release := make(chan struct{}, 10), make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		asked <- struct{}{}
		<-release
	}))
	defer hanging.Close()
	defer close(release)
	s := newServer(t)
	host, storage := newDisk(t, t.TempDir())
	start := func(endpoint string) exporter.Logs {
		cfg := createDefaultConfig().(*Config)
		require.NoError(t, confmap.NewFromStringMap(keys{
			"endpoint": endpoint, "templates": keys{"enabled": false}, "sending_queue": keys{"storage": storage.String()},
		}).Unmarshal(cfg))
		set := exportertest.NewNopSettings(metadata.Type)
		set.ID = component.NewID(metadata.Type)
		e, err := createLogs(t.Context(), set, cfg)
		require.NoError(t, err)
		require.NoError(t, e.Start(t.Context(), host))
		return e
	}
	e := start(hanging.URL)
	require.NoError(t, e.ConsumeLogs(t.Context(), records("kept")))
	<-asked
	begin := time.Now()
	require.NoError(t, e.Shutdown(t.Context()))
	assert.InDelta(t, shutdown.Drain.Seconds(), time.Since(begin).Seconds(), 1)

	e = start(s.URL)
	require.Eventually(t, func() bool { return len(s.seen()) > 0 }, 10*time.Second, time.Millisecond)
	require.NoError(t, e.Shutdown(t.Context()))
}
