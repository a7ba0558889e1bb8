// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // answers are compressed as requests are
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
)

// answerWithin is how long a client waits for an answer.
const answerWithin = 20 * time.Second

// politeRecords is the size of a request of the well-behaved client.
const politeRecords = 20

// politeClient returns what sends one small request and waits until it is acknowledged.
func politeClient(t *testing.T, receiver, at string) (send func() error) {
	t.Helper()
	client := &http.Client{Timeout: answerWithin}
	t.Cleanup(client.CloseIdleConnections)
	post := func(path, kind string, headers map[string]string, body []byte) func() error {
		return func() error {
			answer := postBody(context.Background(), client, "http://"+at+path, kind, headers, body)
			if !strings.HasPrefix(answer, "2") {
				return errors.New(answer)
			}
			return nil
		}
	}
	switch receiver {
	case "otlp/grpc":
		conn, err := grpc.NewClient(at, grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		logs, request := plogotlp.NewGRPCClient(conn), plogotlp.NewExportRequestFromLogs(batchOfRecords(politeRecords, 0))
		return func() error {
			ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
			defer cancel()
			_, err := logs.Export(ctx, request)
			return err
		}
	case "otlp/http":
		body, err := plogotlp.NewExportRequestFromLogs(batchOfRecords(politeRecords, 0)).MarshalProto()
		require.NoError(t, err)
		return post("/v1/logs", "application/x-protobuf", nil, body)
	case "elasticsearch_bulk":
		return post("/_bulk", "application/x-ndjson", nil, []byte(strings.Repeat("{\"create\":{\"_index\":\"logs\"}}\n{\"message\":\"order placed\"}\n", politeRecords)))
	case "prometheus_remote_write":
		return func() error {
			body := snappy.Encode(nil, samples(politeRecords, time.Now()))
			return post("/api/v1/write", "application/x-protobuf", map[string]string{"Content-Encoding": "snappy"}, body)()
		}
	default:
		var frames []byte
		for i := range politeRecords {
			frames = append(frames, dataFrame(i+1, `{"message":"order placed"}`)...)
		}
		return func() error { return window(at, politeRecords, frames) }
	}
}

// samples is a request of remote write 1.0 with a sample of each of n series.
func samples(n int, at time.Time) (request []byte) {
	field := func(to []byte, number protowire.Number, content []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(to, number, protowire.BytesType), content)
	}
	for i := range n {
		var one []byte
		for _, label := range [][2]string{{"__name__", "orders"}, {"n", strconv.Itoa(i)}} {
			one = field(one, 1, field(field(nil, 1, []byte(label[0])), 2, []byte(label[1])))
		}
		sample := protowire.AppendVarint(protowire.AppendTag(nil, 2, protowire.VarintType), uint64(at.UnixMilli()))
		request = field(request, 1, field(one, 2, sample))
	}
	return request
}

// dataFrame is an event of lumberjack in JSON.
func dataFrame(number int, text string) []byte {
	b := binary.BigEndian.AppendUint32([]byte("2J"), uint32(number))
	return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
}

// window sends a window of lumberjack and waits until all of it is acknowledged.
func window(at string, events int, frames []byte) error {
	conn, err := net.DialTimeout("tcp", at, answerWithin)
	if err != nil {
		return err
	}
	defer conn.Close()
	return errors.Join(conn.SetDeadline(time.Now().Add(answerWithin)), writeWindow(conn, events, frames), readAck(conn, events))
}

func writeWindow(conn net.Conn, events int, frames []byte) error {
	_, err := conn.Write(append(binary.BigEndian.AppendUint32([]byte("2W"), uint32(events)), frames...))
	return err
}

func readAck(conn net.Conn, events int) error {
	var ack [6]byte
	for {
		if _, err := io.ReadFull(conn, ack[:]); err != nil {
			return err
		}
		if int(binary.BigEndian.Uint32(ack[2:])) == events {
			return nil
		}
	}
}

// hostileClient returns what sends a hostile request and returns a word for its
// answer.
func hostileClient(t *testing.T, receiver, at string, h hostileRequest) (send func(context.Context) (answer string)) {
	t.Helper()
	switch receiver {
	case "otlp/grpc":
		return hostileGRPC(t, at, h)
	case "lumberjack":
		return hostileLumberjack(t, at, h)
	}
	client := &http.Client{Timeout: answerWithin}
	t.Cleanup(client.CloseIdleConnections)
	headers, body := map[string]string{"Content-Encoding": h.Encoding}, h.body
	switch h.Encoding {
	case "gzip":
		body = gzipped(t, h.body)
	case "snappy":
		body = snappy.Encode(nil, h.body)
	}
	return func(ctx context.Context) string {
		return strings.Fields(postBody(ctx, client, "http://"+at+h.Path, h.Type, headers, body))[0]
	}
}

// postBody posts a body, or gets the address if there is none. It returns the status
// and the error that it stands for, or "failed" and an error.
func postBody(ctx context.Context, client *http.Client, address, kind string, headers map[string]string, body []byte) (answer string) {
	method := http.MethodPost
	if len(body) == 0 {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Sprintf("failed %v", err)
	}
	req.Header.Set("Content-Type", kind)
	for name, value := range headers {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Sprintf("failed %v", err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return fmt.Sprintf("failed %v", err)
	}
	return res.Status
}

func gzipped(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// compressed is the compressor for bytes that are compressed already, so that a client
// need not compress the same request again and again.
type compressed struct{}

func (compressed) Type() string { return "gzip" }

func (compressed) Do(w io.Writer, body []byte) error {
	_, err := w.Write(body)
	return err
}

// bytesCodec sends bytes and ignores answers.
type bytesCodec struct{}

func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}
func (bytesCodec) Unmarshal(mem.BufferSlice, any) error { return nil }
func (bytesCodec) Name() string                         { return "proto" }

func hostileGRPC(t *testing.T, at string, h hostileRequest) func(context.Context) string {
	t.Helper()
	conn, err := grpc.NewClient(at, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(bytesCodec{})),
		grpc.WithCompressor(compressed{})) //nolint:staticcheck // one of a name would be for all clients of the process
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	method := map[string]string{
		"/v1/logs":    "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
		"/v1/metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
	}[h.Path]
	body := gzipped(t, h.body)
	return func(ctx context.Context) string {
		ctx, cancel := context.WithTimeout(ctx, answerWithin)
		defer cancel()
		return status.Code(conn.Invoke(ctx, method, body, nil)).String()
	}
}

func hostileLumberjack(t *testing.T, at string, h hostileRequest) func(context.Context) string {
	t.Helper()
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, zlib.BestCompression)
	require.NoError(t, err)
	body := h.body
	if h.Unfinished {
		body = body[:len(body)-1]
	}
	_, err = w.Write(body)
	require.NoError(t, err)
	require.NoError(t, w.Flush())
	promised := b.Len()
	if h.Unfinished {
		promised += 1000
	} else {
		require.NoError(t, w.Close())
		promised = b.Len()
	}
	frame := append(binary.BigEndian.AppendUint32([]byte("2C"), uint32(promised)), b.Bytes()...)
	return func(ctx context.Context) string {
		conn, err := net.DialTimeout("tcp", at, answerWithin)
		if err != nil {
			return "failed"
		}
		defer conn.Close()
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		if errors.Join(writeWindow(conn, 1, frame), readAck(conn, 1)) != nil {
			return "closed"
		}
		return "acknowledged"
	}
}
