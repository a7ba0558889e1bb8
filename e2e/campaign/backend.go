// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// backend is the server that an exporter writes to.
type backend interface {
	// address returns the listening address.
	address() string
	// read calls find once for each copy of each record that the backend has.
	read(ctx context.Context, rows []*row, find func(row, n int)) error
	// alive reports whether the backend still runs.
	alive() bool
}

// startBackend starts an empty backend for an exporter.
func startBackend(t peertest.TB, exporter, run string) backend {
	t.Helper()
	switch exporter {
	case "elasticsearch":
		return elasticsearch{peertest.StartElasticsearch(t, 8), run}
	case "prometheus_remote_write":
		return prometheus{peertest.StartPrometheus(t, peertest.PrometheusOptions{OutOfOrder: 3 * time.Hour}), run}
	default:
		return startSink(t, run)
	}
}

// elasticsearch is a backend that runs Elasticsearch.
type elasticsearch struct {
	*peertest.Elasticsearch
	run string
}

func (e elasticsearch) address() string { return strings.TrimPrefix(e.URL, "http://") }
func (e elasticsearch) alive() bool     { return e.Running() }

func (e elasticsearch) read(ctx context.Context, _ []*row, find func(row, n int)) error {
	const search = `"query":{"match_all":{}},"_source":["message","body.text","metrics.` + metricName + `","attributes.run","attributes.row"]`
	return e.Scan(ctx, "*", search, func(h peertest.Hit) { readDocument(e.run, h.Source, find) })
}

// readDocument calls find for the record of a document if the record belongs to the run.
func readDocument(run string, document map[string]any, find func(row, n int)) {
	object := func(name string) map[string]any {
		o, _ := document[name].(map[string]any)
		return o
	}
	if v, ok := object("metrics")[metricName].(float64); ok {
		row, err := strconv.Atoi(fmt.Sprint(object("attributes")["row"]))
		if err == nil && object("attributes")["run"] == run {
			find(row, decodeValue(v))
		}
		return
	}
	for _, text := range []any{document["message"], object("body")["text"]} {
		if text, ok := text.(string); ok {
			readTexts(run, text, find)
		}
	}
}

// prometheus is a backend that runs Prometheus.
type prometheus struct {
	*peertest.Prometheus
	run string
}

func (p prometheus) address() string { return strings.TrimPrefix(p.URL(), "http://") }
func (p prometheus) alive() bool     { return p.Running() }

func (p prometheus) read(ctx context.Context, rows []*row, find func(row, n int)) error {
	for _, r := range rows {
		answer, err := p.Query(ctx, fmt.Sprintf(`%s{run=%q,row="%d"}[10h]`, metricName, p.run, r.row), time.Now().Add(2*time.Hour))
		if err != nil {
			return err
		}
		for _, s := range answer.Series {
			for _, sample := range s.Samples {
				find(r.row, decodeValue(sample.Value))
			}
		}
	}
	return nil
}

// sink is an OTLP server that counts records.
type sink struct {
	listener net.Listener
	run      string

	mu    sync.Mutex
	found map[[2]int]int // by row and record
}

type logSink struct {
	plogotlp.UnimplementedGRPCServer
	*sink
}

type metricSink struct {
	pmetricotlp.UnimplementedGRPCServer
	*sink
}

func startSink(t peertest.TB, run string) *sink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at the end
	if err != nil {
		t.Fatalf("OTLP sink: %v", err)
	}
	s := &sink{listener: l, run: run, found: map[[2]int]int{}}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(16 << 20))
	plogotlp.RegisterGRPCServer(server, &logSink{sink: s})
	pmetricotlp.RegisterGRPCServer(server, &metricSink{sink: s})
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	return s
}

// Export counts log records.
func (s *logSink) Export(_ context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	readLogs(s.run, request.Logs(), s.count)
	return plogotlp.NewExportResponse(), nil
}

// Export counts points.
func (s *metricSink) Export(_ context.Context, request pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	readMetrics(s.run, request.Metrics(), s.count)
	return pmetricotlp.NewExportResponse(), nil
}

func (s *sink) count(row, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found[[2]int{row, n}]++
}

func (s *sink) address() string { return s.listener.Addr().String() }
func (s *sink) alive() bool     { return true }

func (s *sink) read(_ context.Context, _ []*row, find func(row, n int)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, times := range s.found {
		for range times {
			find(id[0], id[1])
		}
	}
	return nil
}

// readLogs calls find for every record of a run in a batch.
func readLogs(run string, ld plog.Logs, find func(row, n int)) {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				readTexts(run, lr.Body().AsString(), find)
			}
		}
	}
}

// readMetrics calls find for every point of a run in a batch.
func readMetrics(run string, md pmetric.Metrics, find func(row, n int)) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Name() != metricName || m.Type() != pmetric.MetricTypeGauge {
					continue
				}
				for _, dp := range m.Gauge().DataPoints().All() {
					of, _ := dp.Attributes().Get("run")
					number, _ := dp.Attributes().Get("row")
					if row, err := strconv.Atoi(number.AsString()); err == nil && of.AsString() == run {
						find(row, decodeValue(dp.DoubleValue()))
					}
				}
			}
		}
	}
}
