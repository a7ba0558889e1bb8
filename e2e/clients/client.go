// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// AnswerWithin is the time that a client waits for a response.
const AnswerWithin = 20 * time.Second

// Batch is a request to any receiver. All its records have one signal.
type Batch struct {
	// Service is the service.name of the resource.
	Service string
	// Logs holds log records. If it is empty, Points holds the points of one gauge.
	Logs   []Log
	Metric string
	Points []Point
}

// Log is a log record.
type Log struct {
	Time time.Time
	Text string
	// ID is the document id, for protocols that have ids. Empty means none.
	ID string
}

// Point is a point of a series. Labels identify the series.
type Point struct {
	Time   time.Time
	Value  float64
	Labels map[string]string
}

// Client sends a batch. It returns nil if the receiver acknowledged all of it.
type Client func(context.Context, Batch) error

// New returns a client of a receiver at an address. The receiver is lumberjack,
// elasticsearch_bulk, prometheus_remote_write, otlp/grpc, or otlp/http.
func New(t peertest.TB, receiver, at string) Client {
	t.Helper()
	web := &http.Client{Timeout: AnswerWithin, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	t.Cleanup(web.CloseIdleConnections)
	switch receiver {
	case "otlp/grpc":
		return otlpGRPC(t, at)
	case "otlp/http":
		return func(ctx context.Context, b Batch) error { return otlpHTTP(ctx, web, at, b) }
	case "lumberjack":
		return func(ctx context.Context, b Batch) error { return lumberjack(ctx, at, b) }
	case "elasticsearch_bulk":
		return func(ctx context.Context, b Batch) error { return bulk(ctx, web, at, b) }
	case "prometheus_remote_write":
		return func(ctx context.Context, b Batch) error { return remoteWrite(ctx, web, at, b) }
	}
	t.Fatalf("no client for the receiver %q", receiver)
	return nil
}

// Post sends a POST request, or a GET request if body is nil. It returns the status and the body of the response. On
// failure it returns "failed" and the error text.
func Post(ctx context.Context, client *http.Client, address, kind string, headers map[string]string, body []byte) (status string, answer []byte) {
	method := http.MethodPost
	if len(body) == 0 {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Sprintf("failed %v", err), nil
	}
	req.Header.Set("Content-Type", kind)
	for name, value := range headers {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Sprintf("failed %v", err), nil
	}
	defer res.Body.Close()
	if answer, err = io.ReadAll(res.Body); err != nil {
		return fmt.Sprintf("failed %v", err), nil
	}
	return res.Status, answer
}

// succeeded returns an error unless the status is 2xx.
func succeeded(status string, answer []byte) error {
	if strings.HasPrefix(status, "2") {
		return nil
	}
	return fmt.Errorf("%s: %s", status, answer[:min(len(answer), 200)])
}
