// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	writeMetric  = "e2e_remote_write"
	writeWorkers = 4
	writeSeries  = 10 // per worker
	writePause   = 20 * time.Millisecond
	writeTooLate = 3 * time.Hour    // Prometheus rejects it permanently
	writeLastTry = 15 * time.Second // for open requests at the end
)

// sampleKey identifies a sample of a run.
type sampleKey struct {
	worker, series int
	at             int64 // in milliseconds
}

// sentSample holds the value that was sent under a key, and its request.
type sentSample struct {
	value   float64
	request int
}

// writeSender sends over OTLP from several workers, each with its own series. It sends a request again until it is
// acknowledged.
type writeSender struct {
	run    string
	client pmetricotlp.GRPCClient
	stop   chan struct{}
	wait   sync.WaitGroup

	mu           sync.Mutex
	requests     int
	late         bool // the next request contains a sample that Prometheus rejects
	sent         map[sampleKey]sentSample
	acknowledged map[sampleKey]sentSample
	refusals     int
}

func startWriteSender(t *testing.T, endpoint, run string) *writeSender {
	t.Helper()
	conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1, MaxDelay: 20 * time.Millisecond}}))
	require.NoError(t, err)
	s := &writeSender{
		run: run, client: pmetricotlp.NewGRPCClient(conn), stop: make(chan struct{}),
		sent: map[sampleKey]sentSample{}, acknowledged: map[sampleKey]sentSample{},
	}
	for w := range writeWorkers {
		s.wait.Go(func() { s.work(w) })
	}
	t.Cleanup(func() {
		s.end()
		_ = conn.Close()
	})
	return s
}

// end makes the workers finish their current requests and waits for them. It may be called repeatedly.
func (s *writeSender) end() {
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	s.wait.Wait()
}

func (s *writeSender) ended() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

func (s *writeSender) work(worker int) {
	last := int64(0)
	for !s.ended() {
		samples := s.next(worker, &last)
		var tried time.Time // start of the last attempts
		for !s.export(samples) {
			time.Sleep(writePause)
			switch {
			case !s.ended():
			case tried.IsZero():
				tried = time.Now()
			case time.Since(tried) > writeLastTry:
				return
			}
		}
		time.Sleep(writePause)
	}
}

// next returns the samples of a worker's next request. Times within a series are unique.
func (s *writeSender) next(worker int, last *int64) map[sampleKey]sentSample {
	*last = max(*last+1, time.Now().UnixMilli())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	samples := map[sampleKey]sentSample{}
	for i := range writeSeries {
		samples[sampleKey{worker, i, *last}] = sentSample{float64(16*s.requests + i), s.requests}
	}
	if s.late {
		s.late = false
		samples[sampleKey{worker, writeSeries, *last - writeTooLate.Milliseconds()}] = sentSample{float64(16*s.requests + writeSeries), s.requests}
	}
	maps.Copy(s.sent, samples)
	return samples
}

// export sends samples once and reports whether all of them were acknowledged.
func (s *writeSender) export(samples map[sampleKey]sentSample) bool {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "writer")
	rm.Resource().Attributes().PutStr(runAttribute, s.run)
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(writeMetric)
	dps := m.SetEmptyGauge().DataPoints()
	for k, v := range samples {
		dp := dps.AppendEmpty()
		dp.SetTimestamp(pcommon.NewTimestampFromTime(time.UnixMilli(k.at)))
		dp.SetDoubleValue(v.value)
		dp.Attributes().PutInt("worker", int64(k.worker))
		dp.Attributes().PutInt("series", int64(k.series))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := s.client.Export(ctx, pmetricotlp.NewExportRequestFromMetrics(md))
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || answer.PartialSuccess().RejectedDataPoints() > 0 {
		s.refusals++
		return false
	}
	maps.Copy(s.acknowledged, samples)
	return true
}

// sendLate adds a sample that Prometheus rejects to the next request.
func (s *writeSender) sendLate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.late = true
}

// count returns the number of acknowledged samples.
func (s *writeSender) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acknowledged)
}
