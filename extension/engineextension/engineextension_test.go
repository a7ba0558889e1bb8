// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engineextension

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/extension/engineextension/internal/metadata"
	"github.com/auspex-otel/auspex/extension/engineextension/internal/metadatatest"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/memstorage"
)

var (
	storageID = component.MustNewIDWithName("file_storage", "engine")
	errDisk   = errors.New("disk on fire")
)

type host struct {
	extensions map[component.ID]component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

// disk is a storage extension with a single client.
type disk struct {
	component.StartFunc
	component.ShutdownFunc
	sync.Mutex
	data        map[string][]byte
	fail        func(operation, key string) error
	open        error
	opened      []string
	closed, set int
}

func newDisk() *disk { return &disk{data: map[string][]byte{}} }

func (d *disk) host() component.Host {
	return host{map[component.ID]component.Component{storageID: d}}
}

func (d *disk) GetClient(_ context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	d.opened = append(d.opened, fmt.Sprintf("%v %v %q", kind, id, name))
	return d, d.open
}

// failWith calls f before each operation and returns its error; nil makes all operations succeed.
func (d *disk) failWith(f func(operation, key string) error) {
	d.Lock()
	defer d.Unlock()
	d.fail = f
}

// size returns the number of keys.
func (d *disk) size() int {
	d.Lock()
	defer d.Unlock()
	return len(d.data)
}

func (d *disk) may(operation, key string) error {
	if d.fail == nil {
		return nil
	}
	return d.fail(operation, key)
}

func (d *disk) Get(_ context.Context, key string) ([]byte, error) {
	d.Lock()
	defer d.Unlock()
	return bytes.Clone(d.data[key]), d.may("get", key)
}

func (d *disk) Set(_ context.Context, key string, value []byte) error {
	d.Lock()
	defer d.Unlock()
	d.set++
	if err := d.may("set", key); err != nil {
		return err
	}
	d.data[key] = bytes.Clone(value)
	return nil
}

func (d *disk) Delete(_ context.Context, key string) error {
	d.Lock()
	defer d.Unlock()
	if err := d.may("delete", key); err != nil {
		return err
	}
	delete(d.data, key)
	return nil
}

// Batch performs the operations in sequence.
func (d *disk) Batch(ctx context.Context, ops ...*storage.Operation) error {
	return memstorage.Batch(ctx, d, ops)
}

func (d *disk) Close(context.Context) error {
	d.closed++
	return nil
}

// onDisk returns a configuration with storage.
func onDisk() *Config {
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	cfg.Storage = &storageID
	cfg.Engine.FalseAlarms = engine.FalseAlarms{Count: 1e6, Per: 24 * time.Hour, MaxAlpha: 1e-4}
	return cfg
}

func newTest(t *testing.T, cfg *Config) (extension.Extension, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	set := extensiontest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	e, err := NewFactory().Create(t.Context(), set, cfg)
	require.NoError(t, err)
	return e, logs
}

func engineOf(e extension.Extension) *engine.Engine { return e.(engine.Provider).Engine() }

// feed sends n points of two gauges to an engine, starting at point from. If faulty, the last one
// is anomalous.
func feed(e *engine.Engine, from, n int, faulty bool) {
	start := time.Date(1999, 5, 4, 12, 0, 0, 0, time.UTC) // before the clock of any bubble
	for i := from; i < from+n; i++ {
		md := pmetric.NewMetrics()
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", "cart")
		dps := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints()
		for k := range 2 {
			dp := dps.AppendEmpty()
			dp.SetTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Duration(i) * 10 * time.Second)))
			dp.SetDoubleValue(100 + float64(i*i%13))
			dp.Attributes().PutInt("k", int64(k))
			if faulty && k == 0 && i == from+n-1 {
				dp.SetDoubleValue(1e5)
			}
		}
		e.ObserveMetrics(md, engine.Output{Select: engine.SelectAnomalous, MaxSeries: 10})
	}
}

func TestEngineIsTheSameFromCreationToTheEnd(t *testing.T) {
	e, _ := newTest(t, onDisk())
	one := engineOf(e)
	require.NotNil(t, one)
	d := newDisk()
	require.NoError(t, e.Start(t.Context(), d.host()))
	assert.Same(t, one, engineOf(e))
	require.NoError(t, e.Shutdown(t.Context()))
	assert.Same(t, one, engineOf(e))
	assert.Equal(t, []string{`Extension anomaly_engine ""`}, normalized(d.opened))
	assert.Equal(t, 1, d.closed)
}

// normalized replaces the random name of the test component.
func normalized(opened []string) (list []string) {
	for _, o := range opened {
		words := strings.Fields(o)
		id, _, _ := strings.Cut(words[1], "/")
		list = append(list, words[0]+" "+id+" "+words[2])
	}
	return list
}

func TestConfigReachesTheEngine(t *testing.T) {
	cfg := onDisk()
	cfg.Storage = nil
	cfg.Engine.MaxSeries = 5
	cfg.Engine.FalseAlarms.MaxAlpha = 0.03
	e, _ := newTest(t, cfg)
	require.NoError(t, e.Start(t.Context(), host{}))
	md := pmetric.NewMetrics()
	dps := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints()
	for i := range 9 {
		dp := dps.AppendEmpty()
		dp.SetTimestamp(1)
		dp.Attributes().PutInt("i", int64(i))
	}
	engineOf(e).ObserveMetrics(md, engine.Output{})
	assert.Equal(t, 5, engineOf(e).Status().Series)
	assert.InDelta(t, 0.03, engineOf(e).Status().Signals[engine.SignalMetrics].Alpha, 0)
	require.NoError(t, e.Shutdown(t.Context()))
}

func TestStorageIsADependency(t *testing.T) {
	e, _ := newTest(t, onDisk())
	assert.Equal(t, []component.ID{storageID}, e.(extensioncapabilities.Dependent).Dependencies())
	cfg := onDisk()
	cfg.Storage = nil
	e, _ = newTest(t, cfg)
	assert.Empty(t, e.(extensioncapabilities.Dependent).Dependencies())
}

func TestWithoutStorageItSaysSo(t *testing.T) {
	cfg := onDisk()
	cfg.Storage = nil
	e, logs := newTest(t, cfg)
	require.NoError(t, e.Start(t.Context(), host{}))
	assert.Equal(t, 1, logs.FilterMessageSnippet("storage is not set").Len())
	assert.False(t, engineOf(e).Status().Persisted)
	require.NoError(t, e.Shutdown(t.Context()))
}

func TestStorageThatDoesNotWork(t *testing.T) {
	failing := newDisk()
	failing.open = errDisk
	unreadable := newDisk()
	unreadable.fail = func(operation, _ string) error {
		if operation == "get" {
			return errDisk
		}
		return nil
	}
	for name, c := range map[string]struct {
		host component.Host
		want string
	}{
		"missing":       {host{}, `storage: no extension "file_storage/engine" is configured`},
		"not a storage": {host{map[component.ID]component.Component{storageID: nil}}, `storage: extension "file_storage/engine" is not a storage extension`},
		"does not open": {failing.host(), `storage: cannot open "file_storage/engine": disk on fire`},
		"can't be read": {unreadable.host(), `storage: "file_storage/engine": read snapshot/0/manifest from storage: disk on fire`},
	} {
		t.Run(name, func(t *testing.T) {
			e, _ := newTest(t, onDisk())
			err := e.Start(t.Context(), c.host)
			require.ErrorContains(t, err, c.want)
			require.NoError(t, e.Shutdown(t.Context()), "the collector shuts down what did not start")
		})
	}
	assert.Zero(t, unreadable.set, "an empty state is not written over what could not be read")
	assert.Equal(t, 1, unreadable.closed)
}

func TestShutdownWithoutStart(t *testing.T) {
	e, _ := newTest(t, onDisk())
	require.NoError(t, e.Shutdown(t.Context()))
}

func TestStateIsWrittenAtShutdownAndReadAtStart(t *testing.T) {
	d := newDisk()
	e, _ := newTest(t, onDisk())
	require.NoError(t, e.Start(t.Context(), d.host()))
	feed(engineOf(e), 0, 401, true)
	before := engineOf(e).Status()
	incidents := engineOf(e).Incidents("")
	require.Len(t, incidents, 1)
	assert.Zero(t, d.size())
	require.NoError(t, e.Shutdown(t.Context()))
	assert.NotEmpty(t, d.data)

	again, logs := newTest(t, onDisk())
	require.NoError(t, again.Start(t.Context(), d.host()))
	after := engineOf(again).Status()
	assert.Equal(t, before.Points, after.Points)
	assert.Equal(t, before.Series, after.Series)
	assert.Equal(t, incidents, engineOf(again).Incidents(""))
	assert.Equal(t, 1, logs.FilterMessage("restored state").Len())
	require.NoError(t, again.Shutdown(t.Context()))
	assert.Equal(t, 2, d.closed)
}

// Before receivers stop, deliveries end and a snapshot is written, so a process that is killed
// later loses nothing.
func TestStateIsWrittenBeforeReceiversStop(t *testing.T) {
	d := newDisk()
	e, _ := newTest(t, onDisk())
	require.NoError(t, e.Start(t.Context(), d.host()))
	feed(engineOf(e), 0, 5, false)
	ctx, leave, ok := engineOf(e).Outlet().Enter(t.Context())
	require.True(t, ok)
	go func() {
		<-ctx.Done()
		leave()
	}()
	require.NoError(t, e.(extensioncapabilities.PipelineWatcher).NotReady())
	_, _, ok = engineOf(e).Outlet().Enter(t.Context())
	assert.False(t, ok, "findings are not delivered any more")

	killed := &disk{data: maps.Clone(d.data)}
	again, _ := newTest(t, onDisk())
	require.NoError(t, again.Start(t.Context(), killed.host()))
	assert.Equal(t, uint64(10), engineOf(again).Status().Points)
	require.NoError(t, again.Shutdown(t.Context()))

	feed(engineOf(e), 5, 5, false) // passed on by receivers until they have stopped
	require.NoError(t, e.Shutdown(t.Context()))
	again, _ = newTest(t, onDisk())
	require.NoError(t, again.Start(t.Context(), d.host()))
	assert.Equal(t, uint64(20), engineOf(again).Status().Points)
	require.NoError(t, again.Shutdown(t.Context()))
}

// A slow disk does not delay the shutdown: the snapshot of NotReady remains.
func TestLastStateIsSkippedIfThereIsNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		e, logs := newTest(t, onDisk())
		require.NoError(t, e.Start(t.Context(), d.host()))
		feed(engineOf(e), 0, 5, false)
		require.NoError(t, e.(extensioncapabilities.PipelineWatcher).NotReady())
		time.Sleep(lastTime) // a client stalls
		before := engineOf(e).Status().Generation
		require.NoError(t, e.Shutdown(t.Context()))
		assert.Equal(t, before, engineOf(e).Status().Generation)
		assert.Equal(t, 1, logs.FilterMessageSnippet("No time remains").Len())
		assert.Equal(t, 1, d.closed)
	})
}

// A slow snapshot is completed while receivers stop.
func TestSlowStateIsCompletedWhileReceiversStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		e, logs := newTest(t, onDisk())
		require.NoError(t, e.Start(t.Context(), d.host()))
		feed(engineOf(e), 0, 5, false)
		d.failWith(func(operation, _ string) error {
			if operation == "set" {
				time.Sleep(3 * time.Second) // of two: a chunk and the manifest
			}
			return nil
		})
		begin := time.Now()
		require.NoError(t, e.(extensioncapabilities.PipelineWatcher).NotReady())
		assert.Equal(t, firstTime, time.Since(begin))
		assert.Equal(t, 1, logs.FilterMessageSnippet("is written while receivers stop").Len())
		require.NoError(t, e.Shutdown(t.Context()))
		assert.Equal(t, 6*time.Second, time.Since(begin), "and there is no time for another one")
		d.failWith(nil)
		again, _ := newTest(t, onDisk())
		require.NoError(t, again.Start(t.Context(), d.host()))
		assert.Equal(t, uint64(10), engineOf(again).Status().Points)
		require.NoError(t, again.Shutdown(t.Context()))
	})
}

func TestStateIsWrittenAtTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		cfg := onDisk()
		cfg.SnapshotInterval = 10 * time.Second
		e, _ := newTest(t, cfg)
		require.NoError(t, e.Start(t.Context(), d.host()))
		feed(engineOf(e), 0, 5, false)
		time.Sleep(10*time.Second - 1)
		synctest.Wait()
		assert.Zero(t, d.size())
		for generation := uint64(1); generation <= 3; generation++ {
			time.Sleep(10 * time.Second)
			synctest.Wait()
			s := engineOf(e).Status()
			assert.Equal(t, generation, s.Generation)
			assert.WithinDuration(t, time.Now(), s.SnapshotTime, 10*time.Second)
		}

		// A kill now loses the later points. The written state remains.
		feed(engineOf(e), 5, 5, false)
		killed := &disk{data: d.data}
		again, _ := newTest(t, cfg)
		require.NoError(t, again.Start(t.Context(), killed.host()))
		assert.Equal(t, uint64(10), engineOf(again).Status().Points)
		require.NoError(t, again.Shutdown(t.Context()))
		require.NoError(t, e.Shutdown(t.Context()))
	})
}

// The engine's clock ticks: the anomaly of a stopped series closes without new telemetry.
func TestItTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := onDisk()
		cfg.Storage = nil
		e, _ := newTest(t, cfg)
		require.NoError(t, e.Start(t.Context(), host{}))
		feed(engineOf(e), 0, 401, true)
		require.Equal(t, 1, engineOf(e).Status().OpenAnomalies)
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		assert.Zero(t, engineOf(e).Status().OpenAnomalies)
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		assert.Zero(t, engineOf(e).Status().Series)
		require.NoError(t, e.Shutdown(t.Context()))
	})
}

// A failing disk is logged and counted at each attempt. The next success recovers.
func TestSnapshotThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		telemetry := componenttest.NewTelemetry()
		core, logs := observer.New(zapcore.ErrorLevel)
		set := metadatatest.NewSettings(telemetry)
		set.Logger = zap.New(core)
		d := newDisk()
		e, err := NewFactory().Create(t.Context(), set, onDisk())
		require.NoError(t, err)
		require.NoError(t, e.Start(t.Context(), d.host()))
		d.failWith(func(operation, _ string) error {
			if operation == "set" {
				return errDisk
			}
			return nil
		})
		time.Sleep(2*time.Minute + time.Second)
		synctest.Wait()
		require.Equal(t, 2, logs.Len())
		assert.Contains(t, logs.All()[0].Message, "cannot write the snapshot")
		assert.Contains(t, logs.All()[0].ContextMap()["error"], "write snapshot 1, chunk 0: disk on fire")
		d.failWith(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		metadatatest.AssertEqualExtensionAnomalyEngineSnapshots(t, telemetry, []metricdata.DataPoint[int64]{
			{Value: 2, Attributes: attribute.NewSet(attribute.String("outcome", "failed"))},
			{Value: 1, Attributes: attribute.NewSet(attribute.String("outcome", "written"))},
		}, metricdatatest.IgnoreTimestamp())
		d.failWith(func(operation, _ string) error {
			if operation == "delete" {
				return errDisk
			}
			return nil
		})
		require.ErrorIs(t, e.Shutdown(t.Context()), errDisk)
		assert.Equal(t, 1, d.closed, "and the client is closed all the same")
		require.NoError(t, telemetry.Shutdown(t.Context()))
	})
}

func TestTelemetry(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	cfg := onDisk()
	cfg.Storage = nil
	cfg.Engine.MaxSeries = 5
	e, err := NewFactory().Create(t.Context(), metadatatest.NewSettings(telemetry), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), host{}))
	feed(engineOf(e), 0, 401, true)
	feed(engineOf(e), -5, 1, false) // both out of order
	one := func(v int64) []metricdata.DataPoint[int64] { return []metricdata.DataPoint[int64]{{Value: v}} }
	ignore := metricdatatest.IgnoreTimestamp()
	metadatatest.AssertEqualExtensionAnomalyEngineAlpha(t, telemetry, bySignal(func(view.SignalStatus) float64 { return 1e-4 }, e), ignore)
	metadatatest.AssertEqualExtensionAnomalyEngineAnomalies(t, telemetry, one(1), ignore)
	metadatatest.AssertEqualExtensionAnomalyEngineOpenAnomalies(t, telemetry, one(1), ignore)
	metadatatest.AssertEqualExtensionAnomalyEnginePendingFindings(t, telemetry, one(2), ignore)
	metadatatest.AssertEqualExtensionAnomalyEnginePoints(t, telemetry, one(802), ignore)
	metadatatest.AssertEqualExtensionAnomalyEngineSeries(t, telemetry, one(2), ignore)
	metadatatest.AssertEqualExtensionAnomalyEngineSeriesEvicted(t, telemetry, one(0), ignore)
	metadatatest.AssertEqualExtensionAnomalyEngineSeriesLearning(t, telemetry, one(int64(engineOf(e).Status().Warming)), ignore)
	metadatatest.AssertEqualExtensionAnomalyEngineFalseAlarmsPerDay(t, telemetry, []metricdata.DataPoint[float64]{{Value: engineOf(e).Status().FalseAlarmsPerDay}}, ignore)
	metadatatest.AssertEqualExtensionAnomalyEngineRefusedPoints(t, telemetry, []metricdata.DataPoint[int64]{
		{Value: 2, Attributes: attribute.NewSet(attribute.String("reason", engine.RefusedOutOfOrder))},
	}, ignore)

	require.NoError(t, e.Shutdown(t.Context()))
	_, err = telemetry.GetMetric("otelcol_extension_anomaly_engine_points")
	require.Error(t, err, "after shutdown the engine is no longer read")
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

// The snapshot at shutdown is counted like any other.
func TestSnapshotAtShutdownIsCounted(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	e, err := NewFactory().Create(t.Context(), metadatatest.NewSettings(telemetry), onDisk())
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), newDisk().host()))
	require.NoError(t, e.Shutdown(t.Context()))
	metadatatest.AssertEqualExtensionAnomalyEngineSnapshots(t, telemetry, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: attribute.NewSet(attribute.String("outcome", "written"))},
	}, metricdatatest.IgnoreTimestamp())
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

// TestWithFileStorage uses the storage extension of the shipped configurations over two restarts.
func TestWithFileStorage(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "engine")
	factory := filestorage.NewFactory()
	points := uint64(0)
	for generation := range 3 {
		fileCfg := factory.CreateDefaultConfig().(*filestorage.Config)
		fileCfg.Directory, fileCfg.CreateDirectory, fileCfg.FSync = directory, true, true
		files, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), fileCfg)
		require.NoError(t, err)
		h := host{map[component.ID]component.Component{storageID: files}}
		require.NoError(t, files.Start(t.Context(), h))

		set := extensiontest.NewNopSettings(metadata.Type)
		set.ID = component.NewID(metadata.Type)
		e, err := NewFactory().Create(t.Context(), set, onDisk())
		require.NoError(t, err)
		require.NoError(t, e.Start(t.Context(), h))
		s := engineOf(e).Status()
		assert.Equal(t, points, s.Points)
		assert.Equal(t, uint64(generation), s.Generation)
		feed(engineOf(e), 200*generation, 200, false)
		points = engineOf(e).Status().Points
		assert.Equal(t, uint64(400*(generation+1)), points)
		require.NoError(t, e.Shutdown(t.Context()))
		require.NoError(t, files.Shutdown(t.Context()))
	}
}
