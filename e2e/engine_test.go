// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// TestOneEngine runs the processor in two metrics pipelines and in all three signals. It verifies that there is one
// engine, one state file, and one verdict for a point that passes both pipelines.
func TestOneEngine(t *testing.T) {
	p := peertest.StartPrometheus(t, peertest.PrometheusOptions{OutOfOrder: 2 * time.Hour})
	c := peertest.StartCollector(t, peertest.CollectorOptions{Config: config(t, "two_pipelines.yaml"), Env: []string{"REMOTE_WRITE=" + p.WriteURL()}})
	api := console{c.Console}
	const steps, shifted = 1500, 10
	start := time.Now().UTC().Truncate(time.Second).Add(-steps * time.Second)
	run := newRun()
	a := newApp(t, plan{name: "checkout", resource: onHost("checkout", "host-a"), temporality: metricdata.CumulativeTemporality, histogram: true}, run, 1, start)
	x := newExporter(t, c.OTLP)
	for i := range steps {
		shift := 0.0
		if i >= steps-shifted {
			shift = shiftBy
		}
		a.step(t, start.Add(time.Duration(i+1)*time.Second), shift)
		if i%50 == 49 || i >= steps-shifted {
			require.NoError(t, a.export(x))
		}
	}
	sendLogAndSpan(t, c.OTLP)

	// A gauge produces one point per step. Rates and histogram statistics need two readings for the first point.
	status := api.mustStatus(t)
	assert.Equal(t, uint64(steps+6*(steps-1)), status.Points, "points, each judged once though two pipelines carry it")
	assert.Equal(t, 7, status.Series)
	assert.True(t, status.Persisted)
	assert.Positive(t, status.OpenAnomalies)
	compareWays(t, p, run, start.Add(steps*time.Second))

	peertest.Eventually(t, 5*time.Second, "a snapshot", func() error {
		if s, err := api.status(); err != nil || s.Generation == 0 {
			return fmt.Errorf("generation %d, %w", s.Generation, err)
		}
		return nil
	})
	assert.Len(t, files(t, c.State), 1, "files of state")
	assert.NotContains(t, c.Log(), "shared default engine")
	c.Stop()
	list := files(t, c.State)
	assert.Len(t, list, 1, "files of state after the end")
	t.Logf("one state file: %v; %d points judged once, carried by two pipelines", list, status.Points)
}

// compareWays verifies that both pipelines wrote the same verdicts.
func compareWays(t *testing.T, p *peertest.Prometheus, run string, end time.Time) {
	t.Helper()
	highest := 0.0
	for _, name := range []string{"anomaly_score", "anomaly_observed", "anomaly_expected", "anomaly_lower", "anomaly_upper", queueName, ordersName} {
		first := ask(t, p, name+"_first", fmt.Sprintf(`%s{e2e_run="%s",way="first"}[1h]`, name, run), end)
		second := ask(t, p, name+"_second", fmt.Sprintf(`%s{e2e_run="%s",way="second"}[1h]`, name, run), end)
		require.NotEmpty(t, first.Series, name)
		require.Len(t, second.Series, len(first.Series), name)
		for _, s := range first.Series {
			s.Labels["way"] = "second"
			other, err := labeled(second, s.Labels)
			require.NoError(t, err)
			assert.Equal(t, s.Samples, other.Samples, "%v", s.Labels)
			if name == "anomaly_score" {
				for _, sample := range s.Samples {
					highest = max(highest, sample.Value)
				}
			}
		}
	}
	assert.Greater(t, highest, 1.0, "the shift scores above 1")
}

// files returns the files below a folder.
func files(t *testing.T, dir string) (list []string) {
	t.Helper()
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, filepath.Base(name))
		}
		return err
	}))
	return list
}

// sendLogAndSpan sends a log record and a span through the processor.
func sendLogAndSpan(t *testing.T, endpoint string) {
	t.Helper()
	conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	now := pcommon.NewTimestampFromTime(time.Now())

	ld := plog.NewLogs()
	record := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.SetTimestamp(now)
	record.Body().SetStr("order 7 was paid")
	_, err = plogotlp.NewGRPCClient(conn).Export(t.Context(), plogotlp.NewExportRequestFromLogs(ld))
	require.NoError(t, err)

	td := ptrace.NewTraces()
	span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetName("pay")
	span.SetTraceID([16]byte{1})
	span.SetSpanID([8]byte{1})
	span.SetStartTimestamp(now)
	span.SetEndTimestamp(now + 1e6)
	_, err = ptraceotlp.NewGRPCClient(conn).Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(td))
	require.NoError(t, err)
}
