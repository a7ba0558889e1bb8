// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
	"github.com/auspex-otel/auspex/internal/shutdown"
)

// stalled holds the beginnings of requests whose clients then stop sending.
var stalled = map[string]struct{ http, grpc string }{
	"a body":      {http: "POST /v1/metrics HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000\r\n\r\nx"},
	"a header":    {http: "POST /v1/metrics HTTP/1.1\r\nHost: localhost\r\nX-A: "},
	"a handshake": {grpc: "PRI * HTTP/2.0\r\n\r\n"},
	"a preface":   {grpc: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"},
}

// TestShutdownDoesNotWaitForClients verifies that a stalled client does not delay the shutdown of a collector.
func TestShutdownDoesNotWaitForClients(t *testing.T) {
	for name, client := range stalled {
		t.Run(name, func(t *testing.T) {
			c := peertest.StartCollector(t, peertest.CollectorOptions{Base: "auspex:default", Env: peertest.Shipped(t)})
			for _, of := range []struct{ address, text string }{{c.OTLP, client.grpc}, {c.OTLP2, client.http}} {
				if of.text != "" {
					conn, err := net.Dial("tcp", of.address)
					require.NoError(t, err)
					defer conn.Close()
					_, err = io.WriteString(conn, of.text)
					require.NoError(t, err)
				}
			}
			time.Sleep(200 * time.Millisecond)
			endsInTime(t, c)
		})
	}
}

// TestShutdownDoesNotWaitForBackends verifies the same for a backend that accepts requests and does not respond.
func TestShutdownDoesNotWaitForBackends(t *testing.T) {
	asked, release := make(chan struct{}, 100), make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		asked <- struct{}{}
		<-release
	}))
	defer backend.Close()
	defer close(release)
	c := peertest.StartCollector(t, peertest.CollectorOptions{Base: "auspex:gateway", Env: peertest.Shipped(t, "AUSPEX_REMOTE_WRITE="+backend.URL)})
	go func() {
		res, err := http.Post("http://"+c.OTLP2+"/v1/metrics", "application/json", strings.NewReader(oneGauge))
		if err == nil {
			_ = res.Body.Close()
		}
	}()
	<-asked
	endsInTime(t, c)
}

const oneGauge = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"timeUnixNano":"1733144420000000000","asDouble":1}]}}]}]}]}`

// endsInTime stops a collector and fails the test if the shutdown exceeds the limit.
func endsInTime(t *testing.T, c *peertest.Collector) {
	t.Helper()
	begin := time.Now()
	c.Signal(syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(t.Context(), 2*shutdown.Limit)
	defer cancel()
	err := c.Wait(ctx)
	took := time.Since(begin)
	t.Logf("ended after %v: %v", took, err)
	assert.Less(t, took, shutdown.Limit+time.Second)
	assert.NotContains(t, c.Log(), "panic:")
}
