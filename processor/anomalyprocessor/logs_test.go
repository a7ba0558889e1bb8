// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package anomalyprocessor

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/tap"
	"github.com/auspex-otel/auspex/processor/anomalyprocessor/internal/metadata"
)

func startLogs(t *testing.T, next consumer.Logs) processor.Logs {
	t.Helper()
	p, err := NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), NewFactory().CreateDefaultConfig(), next)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), hostOf(ticked(engine.DefaultConfig()))))
	t.Cleanup(func() { require.NoError(t, p.Shutdown(t.Context())) })
	return p
}

var dawn = time.Date(2026, 5, 4, 6, 0, 0, 0, time.UTC)

// said returns a batch of records of one service, second seconds after dawn.
func said(second int, severity plog.SeverityNumber, texts ...string) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "cart")
	sl := rl.ScopeLogs().AppendEmpty()
	for _, text := range texts {
		lr := sl.LogRecords().AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(dawn.Add(time.Duration(second) * time.Second)))
		lr.SetSeverityNumber(severity)
		lr.Body().SetStr(text)
	}
	return ld
}

func attributesOf(ld plog.Logs, i int) map[string]any {
	return ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(i).Attributes().AsRaw()
}

func TestLogsGetTheirTemplate(t *testing.T) {
	sink := &consumertest.LogsSink{}
	p := startLogs(t, sink)
	assert.True(t, p.Capabilities().MutatesData)
	require.NoError(t, p.ConsumeLogs(t.Context(), said(0, plog.SeverityNumberInfo, "took 12 ms", "took 13 ms", "stopped")))
	got := sink.AllLogs()[0]
	first, second, third := attributesOf(got, 0), attributesOf(got, 1), attributesOf(got, 2)
	assert.Equal(t, "took <*> ms", first["log.record.template"])
	assert.Len(t, first["log.record.template.id"], 16)
	assert.Equal(t, first, second)
	assert.NotEqual(t, first["log.record.template.id"], third["log.record.template.id"])
	assert.NotContains(t, first, "anomaly.score")
}

// Attributes of a preceding collector are kept.
func TestLogsKeepTheTemplateAndScoreThatTheyHave(t *testing.T) {
	sink := &consumertest.LogsSink{}
	p := startLogs(t, sink)
	ld := said(0, plog.SeverityNumberInfo, "took 12 ms")
	lr := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	want := map[string]any{"log.record.template": "took * ms", "anomaly.score": 7.5}
	require.NoError(t, lr.Attributes().FromRaw(want))
	require.NoError(t, p.ConsumeLogs(t.Context(), ld))
	assert.Equal(t, want, attributesOf(sink.AllLogs()[0], 0))
}

func TestLogsGetTheirNumbersOnRequest(t *testing.T) {
	for _, asked := range []bool{false, true} {
		sink := &consumertest.LogsSink{}
		cfg := NewFactory().CreateDefaultConfig().(*Config)
		cfg.Logs.Parameters = asked
		p, err := NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, sink)
		require.NoError(t, err)
		require.NoError(t, p.Start(t.Context(), hostOf(ticked(engine.DefaultConfig()))))
		require.NoError(t, p.ConsumeLogs(t.Context(), said(0, plog.SeverityNumberInfo, "took 12 ms of 3.5, size=7")))
		require.NoError(t, p.Shutdown(t.Context()))
		attributes := attributesOf(sink.AllLogs()[0], 0)
		if asked {
			assert.Equal(t, []any{12.0, 3.5, 7.0}, attributes["log.record.template.parameters"])
			assert.InDelta(t, 7, attributes["log.record.template.parameter.size"], 0)
		} else {
			assert.NotContains(t, attributes, "log.record.template.parameters")
			assert.NotContains(t, attributes, "log.record.template.parameter.size")
		}
	}
}

// Findings pass unchanged, regardless of their origin.
func TestFindingsPassUnobserved(t *testing.T) {
	sink := &consumertest.LogsSink{}
	p := startLogs(t, sink)
	ld := said(0, plog.SeverityNumberInfo, "cart was slow", "took 12 ms")
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetEventName("auspex.anomaly")
	require.NoError(t, p.ConsumeLogs(t.Context(), ld))
	assert.Empty(t, attributesOf(sink.AllLogs()[0], 0))
	assert.NotEmpty(t, attributesOf(sink.AllLogs()[0], 1))
}

func TestANewErrorIsMarkedAndARefusedBatchGetsTheSameAgain(t *testing.T) {
	sink := &consumertest.LogsSink{}
	refusal := errors.New("not now")
	refuse := false
	p := startLogs(t, consumerOf(t, func(ld plog.Logs) error {
		if refuse {
			return refusal
		}
		return sink.ConsumeLogs(t.Context(), ld)
	}))
	for i := range 400 {
		require.NoError(t, p.ConsumeLogs(t.Context(), said(5*i, plog.SeverityNumberInfo, fmt.Sprintf("took %d ms", i))))
	}
	refuse = true
	require.ErrorIs(t, p.ConsumeLogs(t.Context(), said(2000, plog.SeverityNumberError, "the disk is full")), refusal)
	refuse = false
	require.NoError(t, p.ConsumeLogs(t.Context(), said(2000, plog.SeverityNumberError, "the disk is full")))
	require.NoError(t, p.ConsumeLogs(t.Context(), said(2001, plog.SeverityNumberError, "the disk is full")))
	got := sink.AllLogs()
	marked, known := attributesOf(got[400], 0), attributesOf(got[401], 0)
	assert.Equal(t, "new template", marked["anomaly.reason"])
	assert.GreaterOrEqual(t, marked["anomaly.score"], 1.0)
	assert.NotContains(t, known, "anomaly.score")
}

func consumerOf(t *testing.T, f func(plog.Logs) error) consumer.Logs {
	t.Helper()
	c, err := consumer.NewLogs(func(_ context.Context, ld plog.Logs) error { return f(ld) })
	require.NoError(t, err)
	return c
}

// tapOwner is a console, as far as a processor sees it.
type tapOwner struct {
	component.Component
	taps *tap.Taps
}

func (o tapOwner) Taps() *tap.Taps { return o.taps }

func TestTapShowsRecordsWithTheirTemplate(t *testing.T) {
	taps, sink := tap.New(), &consumertest.LogsSink{}
	h := hostOf(ticked(engine.DefaultConfig()))
	h.extensions[component.MustNewID("anomaly_console")] = tapOwner{taps: taps}
	set := processortest.NewNopSettings(metadata.Type)
	p, err := NewFactory().CreateLogs(t.Context(), set, NewFactory().CreateDefaultConfig(), sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), h))
	t.Cleanup(func() { require.NoError(t, p.Shutdown(t.Context())) })
	open, err := taps.Open(tap.Place{Kind: "processor", ID: set.ID.String(), Signal: "logs"}, 1)
	require.NoError(t, err)
	require.NoError(t, p.ConsumeLogs(t.Context(), said(0, plog.SeverityNumberInfo, "took 12 ms, password=hunter2", "took 13 ms, password=hunter2")))
	<-open.Full()
	list := open.Close()
	require.Len(t, list, 1)
	assert.Equal(t, "took 12 ms, password=<*>", list[0].Text)
	assert.NotEmpty(t, list[0].Attributes["log.record.template"])
	assert.Equal(t, "took 12 ms, password=hunter2", sink.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str(), "telemetry itself is unchanged")
}
