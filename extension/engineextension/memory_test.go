// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engineextension

import (
	"strconv"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine"
)

func TestMemoryFollowsTheLimitOfTheCollector(t *testing.T) {
	machine := fstest.MapFS{
		"proc/meminfo":                           {Data: []byte("MemFree: 1 kB\nMemTotal:       8388608 kB\n")},
		"proc/self/cgroup":                       {Data: []byte("0::/pod/container\n")},
		"sys/fs/cgroup/pod/memory.max":           {Data: []byte("1073741824\n")},
		"sys/fs/cgroup/pod/container/memory.max": {Data: []byte("max\n")},
	}
	older := fstest.MapFS{
		"proc/self/cgroup": {Data: []byte("2:cpu:/\n5:memory:/docker\n")},
		"sys/fs/cgroup/memory/docker/memory.limit_in_bytes": {Data: []byte("536870912\n")},
	}
	limiter := func(id string, settings map[string]any) map[string]any {
		return map[string]any{"processors": map[string]any{"anomaly": nil, id: settings}}
	}
	for name, tt := range map[string]struct {
		root fstest.MapFS
		conf map[string]any
		own  Bytes
		want int
	}{
		"own setting":             {machine, limiter("memory_limiter", map[string]any{"limit_mib": 400}), 64 << 20, 64 << 20},
		"memory limiter":          {machine, limiter("memory_limiter/x", map[string]any{"limit_mib": 400}), 0, 100 << 20},
		"percentage":              {machine, limiter("memory_limiter", map[string]any{"limit_percentage": 50}), 0, 128 << 20},
		"control group":           {machine, limiter("memory", nil), 0, 256 << 20},
		"control group version 1": {older, nil, 0, 128 << 20},
		"machine":                 {fstest.MapFS{"proc/meminfo": machine["proc/meminfo"]}, nil, 0, 2 << 30},
		"unknown":                 {fstest.MapFS{}, nil, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := onDisk()
			cfg.Storage, cfg.MaxMemory = nil, tt.own
			e, _ := newTest(t, cfg)
			e.(*engineExtension).root = tt.root
			require.NoError(t, e.(*engineExtension).NotifyConfig(t.Context(), confmap.NewFromStringMap(tt.conf)))
			assert.InDelta(t, tt.want, engineOf(e).Status().MaxBytes, 100)
		})
	}
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{"512MiB": 512 << 20, "2 GiB": 2 << 30, "100B": 100, "0B": 0} {
		var b Bytes
		require.NoError(t, b.UnmarshalText([]byte(text)))
		assert.Equal(t, want, b)
		again, err := b.MarshalText()
		require.NoError(t, err)
		var c Bytes
		require.NoError(t, c.UnmarshalText(again))
		assert.Equal(t, b, c)
	}
	for _, text := range []string{"", "MiB", "-1MiB", "512", "1e3MiB", "9999999999GiB"} {
		assert.ErrorContains(t, new(Bytes).UnmarshalText([]byte(text)), "512MiB")
	}
}

// watching is a host that records the statuses of components.
type watching struct {
	component.Host
	reported chan *componentstatus.Event
}

func (w watching) Report(e *componentstatus.Event) { w.reported <- e }

func (w watching) GetExtensions() map[component.ID]component.Component { return nil }

func TestHealthTellsThatSeriesAreRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := onDisk()
		cfg.Storage, cfg.Engine.MaxSeries = nil, 10
		e, logs := newTest(t, cfg)
		w := watching{reported: make(chan *componentstatus.Event, 10)}
		require.NoError(t, e.Start(t.Context(), w))
		send := func(seconds int, n int) {
			md := pmetric.NewMetrics()
			rm := md.ResourceMetrics().AppendEmpty()
			rm.Resource().Attributes().PutStr("service.name", "noisy")
			dps := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints()
			for i := range n {
				dp := dps.AppendEmpty()
				dp.SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(time.Duration(seconds) * time.Second)))
				dp.Attributes().PutStr("request.id", strconv.Itoa(i))
			}
			engineOf(e).ObserveMetrics(md, engine.Output{})
		}
		send(0, 10)
		send(1, 10)
		time.Sleep(2 * time.Second)
		assert.Empty(t, w.reported)
		send(2, 50)
		time.Sleep(2 * time.Second)
		require.Len(t, w.reported, 1)
		event := <-w.reported
		assert.Equal(t, componentstatus.StatusRecoverableError, event.Status())
		require.ErrorContains(t, event.Err(), "noisy")
		require.ErrorContains(t, event.Err(), "request.id")
		time.Sleep(10 * time.Minute)
		require.Len(t, w.reported, 1)
		assert.Equal(t, componentstatus.StatusOK, (<-w.reported).Status())
		assert.Equal(t, 1, logs.FilterMessageSnippet("does not observe new series").Len())
		require.NoError(t, e.Shutdown(t.Context()))
	})
}
