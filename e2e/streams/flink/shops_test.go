// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package flink

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/demo/telemetry"
	"github.com/auspex-otel/auspex/internal/peertest"
)

// faults has the fault of each shop. The shops differ in their seed, too.
var faults = []string{"network", "database", "errors", "latency", "cpu", "queue"}

// shopName returns the namespace of a shop, which is its shard.
func shopName(i int) string { return fmt.Sprint("shop-", i) }

// shops are recordings of the demo's shop, each in a folder of its own under its own namespace.
type shops struct {
	folder string
	// expected has the findings of auspex backtest on each recording.
	expected findings
}

// hours is added to the seed from shop to shop: the hour at which a recording starts is the seed modulo 24, and all
// must start at the same time.
const hours = 24

// recordShops records the demo's shop with each fault, and evaluates each recording with auspex backtest.
func recordShops(t *testing.T) *shops {
	t.Helper()
	s := &shops{folder: t.TempDir(), expected: findings{}}
	for i, fault := range faults {
		recorded, judged := filepath.Join(s.folder, "recorded", shopName(i)), filepath.Join(s.folder, "judged", shopName(i))
		run(t, []string{fmt.Sprint("SEED=", seed(t)+hours*i), "FAULT=" + fault}, "auspex-demo", "-write", recorded, "-before", "3h")
		for _, signal := range signals {
			rename(t, filepath.Join(recorded, "otlp", signal+".jsonl.gz"), shopName(i))
		}
		run(t, nil, "auspex", "backtest", "otlp", "--in", filepath.Join(recorded, "otlp"), "--out", judged)
		s.expected.addBacktest(t, shopName(i), judged)
	}
	return s
}

var signals = []string{"metrics", "logs", "traces"}

// run runs a program of bin/.
func run(t *testing.T, env []string, program string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	path := filepath.Join(peertest.Root(t), "bin", program)
	require.FileExists(t, path, "run make build bin/auspex-demo")
	output, err := peertest.Run(ctx, t, env, append([]string{path}, args...)...)
	require.NoError(t, err, "%s %v: %s", program, args, output)
}

// rename replaces the namespace of a recording.
func rename(t *testing.T, path, namespace string) {
	t.Helper()
	const attribute = `{"key":"service.namespace","value":{"stringValue":"%s"}}`
	in, lines := open(t, path)
	out, err := os.Create(path + ".new")
	require.NoError(t, err)
	zip, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	require.NoError(t, err)
	for line := range lines {
		renamed := strings.ReplaceAll(line, fmt.Sprintf(attribute, "shop"), fmt.Sprintf(attribute, namespace))
		require.Contains(t, renamed, namespace)
		_, err := io.WriteString(zip, renamed+"\n")
		require.NoError(t, err)
	}
	require.NoError(t, zip.Close())
	require.NoError(t, out.Close())
	require.NoError(t, in.Close())
	require.NoError(t, os.Rename(path+".new", path))
}

// open returns the lines of a compressed file.
func open(t *testing.T, path string) (io.Closer, iter.Seq[string]) {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	zip, err := gzip.NewReader(file)
	require.NoError(t, err)
	return file, func(yield func(string) bool) {
		lines := bufio.NewScanner(zip)
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			if !yield(lines.Text()) {
				return
			}
		}
		require.NoError(t, lines.Err())
	}
}

// send sends all recordings through a sink, and returns the number of their messages. A request has the messages of
// all shops that have the same number, so that the agent must divide it.
func (s *shops) send(t *testing.T, sink telemetry.Sink) (messages int64) {
	t.Helper()
	var sources []source
	for i := range faults {
		for _, signal := range signals {
			file, lines := open(t, filepath.Join(s.folder, "recorded", shopName(i), "otlp", signal+".jsonl.gz"))
			defer file.Close()
			next, stop := iter.Pull(lines)
			defer stop()
			sources = append(sources, source{signal, next})
		}
	}
	for {
		batch := telemetry.Batch{Metrics: pmetric.NewMetrics(), Logs: plog.NewLogs(), Traces: ptrace.NewTraces()}
		before := messages
		for _, source := range sources {
			if source.addTo(t, batch) {
				messages++
			}
		}
		if messages == before {
			return messages
		}
		require.NoError(t, sink.Send(context.WithoutCancel(t.Context()), batch))
	}
}

// source returns the messages of one recording and signal.
type source struct {
	signal string
	next   func() (line string, ok bool)
}

// addTo adds the next message to a batch. It returns false at the end.
func (s source) addTo(t *testing.T, batch telemetry.Batch) bool {
	t.Helper()
	line, ok := s.next()
	if !ok {
		return false
	}
	switch s.signal {
	case "metrics":
		m, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics([]byte(line))
		require.NoError(t, err)
		m.ResourceMetrics().MoveAndAppendTo(batch.Metrics.ResourceMetrics())
	case "logs":
		l, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
		require.NoError(t, err)
		l.ResourceLogs().MoveAndAppendTo(batch.Logs.ResourceLogs())
	case "traces":
		s, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces([]byte(line))
		require.NoError(t, err)
		s.ResourceSpans().MoveAndAppendTo(batch.Traces.ResourceSpans())
	}
	return true
}
