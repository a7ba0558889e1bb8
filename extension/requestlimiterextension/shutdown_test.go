// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package requestlimiterextension

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/auspex-otel/auspex/internal/shutdown"
)

// A client that stalls before the end of a body gets a retryable error.
func TestShutdownEndsRequestsThatAreRead(t *testing.T) {
	r := newRig(t)
	conn, err := net.Dial("tcp", r.http)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
	require.NoError(t, err)
	answers := bufio.NewReader(conn)
	res, err := http.ReadResponse(answers, nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusContinue, res.StatusCode, "the server reads the body")
	_, err = io.WriteString(conn, "x")
	require.NoError(t, err)
	begin := time.Now()
	require.NoError(t, r.NotReady())
	code, text := readResponse(t, answers)
	assert.Equal(t, http.StatusServiceUnavailable, code)
	assert.Contains(t, text, "shutting down")
	assert.InDelta(t, shutdown.Drain.Seconds(), time.Since(begin).Seconds(), 1)
}

func TestIncompleteBody(t *testing.T) {
	r := newRig(t)
	conn, err := net.Dial("tcp", r.http)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000\r\n\r\nx")
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	code, text := readResponse(t, bufio.NewReader(conn))
	assert.Equal(t, http.StatusServiceUnavailable, code, "which is retryable in OTLP")
	assert.Contains(t, text, "did not arrive completely")
}

func readResponse(t *testing.T, from *bufio.Reader) (code int, text string) {
	t.Helper()
	res, err := http.ReadResponse(from, nil)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

// An incomplete message blocks a graceful stop of the server.
func TestShutdownEndsStreams(t *testing.T) {
	r := newRig(t)
	conn, err := grpc.NewClient(r.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	stream, err := conn.NewStream(context.Background(), &grpc.StreamDesc{ClientStreams: true},
		"/opentelemetry.proto.collector.logs.v1.LogsService/Export", grpc.WaitForReady(true))
	require.NoError(t, err)
	time.Sleep(50 * time.Millisecond) // its header has arrived, but not the rest
	require.NoError(t, r.NotReady())
	err = stream.RecvMsg(new([]byte))
	assert.Equal(t, codes.Canceled, status.Code(err), "which is retryable in OTLP: %v", err)
}
