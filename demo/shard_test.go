// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/demo/shop"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/replay"
)

// messages returns the telemetry of the shop as OTLP, one message per export and signal. The fault begins three minutes
// before the end.
func messages(t *testing.T, kind shop.Kind, length time.Duration) (list [][]byte, signals []replay.Signal) {
	t.Helper()
	d := &demo{set: settings{seed: 3, kind: kind}, screen: newScreen(io.Discard, false, false)}
	d.build(live)
	add := func(signal replay.Signal, b []byte, err error) {
		require.NoError(t, err)
		list, signals = append(list, b), append(signals, signal)
	}
	broken := false
	for d.end.Before(live.Add(length)) {
		if !broken && d.end.After(live.Add(length-faultFor)) {
			d.breakOne()
			broken = true
		}
		d.record.Add(d.next())
		b := d.fleet.Take()
		metrics, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(b.Metrics)
		add(replay.SignalMetrics, metrics, err)
		logs, err := (&plog.ProtoMarshaler{}).MarshalLogs(b.Logs)
		add(replay.SignalLogs, logs, err)
		traces, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(b.Traces)
		add(replay.SignalTraces, traces, err)
	}
	return list, signals
}

// A shard that is stored and loaded has the same findings and verdicts, to the byte, as one that is not.
func TestShopContinuesFromTheStateOfItsShard(t *testing.T) {
	list, signals := messages(t, shop.Deployment, 13*time.Minute)
	run := func(save func(i int) bool) (results []string) {
		hooks := replay.Hooks{
			Findings: func(events engine.Events) {
				for _, a := range events.Anomalies {
					b, err := json.Marshal(a)
					require.NoError(t, err)
					results = append(results, "anomaly "+string(b))
				}
				for _, i := range events.Incidents {
					b, err := json.Marshal(i)
					require.NoError(t, err)
					results = append(results, "incident "+string(b))
				}
			},
			Verdicts: func(_ pmetric.Metrics, list []engine.Verdict) error {
				results = append(results, fmt.Sprintf("%+v", list))
				return nil
			},
		}
		s := replay.NewShard(engine.DefaultConfig(), hooks)
		for i, b := range list {
			x, err := replay.DecodeProto(signals[i], b)
			require.NoError(t, err)
			require.NoError(t, s.AddNext(x))
			if save(i) {
				b, err := s.Save()
				require.NoError(t, err)
				s, err = replay.LoadShard(engine.DefaultConfig(), hooks, b)
				require.NoError(t, err)
			}
		}
		require.NoError(t, s.End())
		return results
	}
	want := run(func(int) bool { return false })
	has := func(text string) func(string) bool {
		return func(s string) bool { return strings.Contains(s, text) }
	}
	for _, text := range []string{"anomaly ", "incident ", `"trace_ids"`, `"suspects"`} {
		assert.True(t, slices.ContainsFunc(want, has(text)), "the results contain no %q", text)
	}
	got := run(func(i int) bool { return i%150 == 149 || i > len(list)-100 && i%17 == 0 })
	for i := range min(len(want), len(got)) {
		require.Equal(t, want[i], got[i], "result %d", i)
	}
	assert.Len(t, got, len(want))
}
