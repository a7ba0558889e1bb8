// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/demo/telemetry"
	"github.com/auspex-otel/auspex/internal/peertest"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const scheduledServices = 12

// scheduledStep returns the points of all services at a time.
func scheduledStep(at time.Time, random *rand.Rand) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for i := range scheduledServices {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", scheduledService(i))
		list := rm.ScopeMetrics().AppendEmpty().Metrics()
		for _, name := range []string{"load", "queue"} {
			m := list.AppendEmpty()
			m.SetName(name)
			p := m.SetEmptyGauge().DataPoints().AppendEmpty()
			p.SetTimestamp(pcommon.NewTimestampFromTime(at))
			p.SetDoubleValue(100 + random.ExpFloat64()*random.ExpFloat64())
		}
	}
	return md
}

func scheduledService(i int) string { return fmt.Sprint("service-", i) }

// TestSchedule records a collector, and evaluates a part of its data by its schedule. The scores must be those of the
// collector.
func TestSchedule(t *testing.T) {
	c := peertest.StartCollector(t, peertest.CollectorOptions{Config: config(t, "schedule.yaml")})
	sink, err := telemetry.Dial(c.OTLP)
	require.NoError(t, err)
	defer sink.Close()
	random := rand.New(rand.NewPCG(seed(t, 1), 1))
	const steps = 1200
	for i := range steps {
		at := time.Now().Truncate(time.Second).Add(time.Duration(i-steps) * 10 * time.Second)
		batch := telemetry.Batch{Metrics: scheduledStep(at, random), Logs: plog.NewLogs(), Traces: ptrace.NewTraces()}
		require.NoError(t, sink.Send(t.Context(), batch))
	}
	c.Stop()

	received, err := os.ReadFile(filepath.Join(c.State, "received.jsonl"))
	require.NoError(t, err)
	judged, err := os.ReadFile(filepath.Join(c.State, "judged.jsonl"))
	require.NoError(t, err)
	worst := map[string]float64{}
	eachGauge(t, judged, func(service string, m pmetric.Metric) {
		if m.Name() == vocabulary.MetricScore {
			for _, p := range m.Gauge().DataPoints().All() {
				name, _ := p.Attributes().Get(vocabulary.AttrMetric)
				key := service + "/" + name.Str()
				worst[key] = max(worst[key], p.DoubleValue())
			}
		}
	})
	require.Len(t, worst, 2*scheduledServices)

	differ := 0
	for i := range 4 {
		service, dir := scheduledService(i), t.TempDir()
		part := filepath.Join(dir, "part.jsonl")
		require.NoError(t, os.WriteFile(part, partOf(t, received, service), 0o600))
		by := scores(t, "--in", part, "--out", filepath.Join(dir, "by"), "--schedule", filepath.Join(c.State, "schedule.jsonl"))
		alone := scores(t, "--in", part, "--out", filepath.Join(dir, "alone"))
		for _, metric := range []string{"load", "queue"} {
			key := service + "/" + metric
			assert.Equal(t, fmt.Sprint(worst[key]), by[key], key)
			if alone[key] != by[key] {
				differ++
			}
		}
	}
	assert.Equal(t, 8, differ, "series whose score is another one without the schedule")
}

// eachGauge calls see with the metrics of a file of the file exporter.
func eachGauge(t *testing.T, text []byte, see func(service string, m pmetric.Metric)) {
	t.Helper()
	for line := range bytes.Lines(text) {
		md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(line)
		require.NoError(t, err)
		for _, rm := range md.ResourceMetrics().All() {
			service, _ := rm.Resource().Attributes().Get("service.name")
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					see(service.Str(), m)
				}
			}
		}
	}
}

// partOf returns the resources of a service.
func partOf(t *testing.T, text []byte, service string) (part []byte) {
	t.Helper()
	for line := range bytes.Lines(text) {
		md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(line)
		require.NoError(t, err)
		md.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool {
			name, _ := rm.Resource().Attributes().Get("service.name")
			return name.Str() != service
		})
		b, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(md)
		require.NoError(t, err)
		part = append(append(part, b...), '\n')
	}
	return part
}

// scores runs auspex backtest otlp, and returns the worst score of each series.
func scores(t *testing.T, args ...string) map[string]string {
	t.Helper()
	program := filepath.Join(filepath.Dir(peertest.CollectorProgram(t)), "auspex")
	output, err := exec.CommandContext(t.Context(), program, append([]string{"backtest", "otlp"}, args...)...).CombinedOutput()
	require.NoError(t, err, string(output))
	text, err := os.ReadFile(filepath.Join(args[3], "series.csv"))
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	require.NoError(t, err)
	worst := map[string]string{}
	for _, row := range rows[1:] {
		worst[row[0]+"/"+row[1]] = row[7]
	}
	return worst
}
