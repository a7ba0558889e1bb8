// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // gzip for responses, too
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// Hostile is an entry of testdata/hostile/requests.json.
type Hostile struct {
	Name       string   `json:"name"`
	Receivers  []string `json:"receivers"`
	What       string   `json:"what"`
	Path       string   `json:"path"`
	Type       string   `json:"content_type"`
	Encoding   string   `json:"encoding"`
	Unfinished bool     `json:"unfinished"`
	body       []byte
}

// HostileRequests reads the requests and their bodies.
func HostileRequests(t peertest.TB) (all []Hostile) {
	t.Helper()
	list, err := os.ReadFile(peertest.TestData(t, "hostile/requests.json"))
	if err == nil {
		err = json.Unmarshal(list, &all)
	}
	for i := range all {
		if err == nil {
			all[i].body, err = unzip(peertest.TestData(t, "hostile/"+all[i].Name+".gz"))
		}
	}
	if err != nil {
		t.Fatalf("hostile requests: %v", err)
	}
	return all
}

func unzip(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// Flood sends the request from the given number of clients. Each pauses after a response. The clients start one after
// the other within the first pause. stop ends the flood and returns the number of times that each response occurred.
func (h Hostile) Flood(ctx context.Context, t peertest.TB, receiver, at string, clients int, pause time.Duration) (stop func() map[string]int) {
	t.Helper()
	var mu sync.Mutex
	answers := map[string]int{}
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	for i := range clients {
		send := h.Client(t, receiver, at)
		all.Go(func() {
			time.Sleep(pause * time.Duration(i) / time.Duration(clients))
			for answer := send(ctx); ctx.Err() == nil; answer = send(ctx) {
				mu.Lock()
				answers[answer]++
				mu.Unlock()
				time.Sleep(pause)
			}
		})
	}
	return func() map[string]int {
		cancel()
		all.Wait()
		return answers
	}
}

// Client returns a function that sends the request to a receiver and returns a word that describes the response.
func (h Hostile) Client(t peertest.TB, receiver, at string) (send func(context.Context) (answer string)) {
	t.Helper()
	switch receiver {
	case "otlp/grpc":
		return h.overGRPC(t, at)
	case "lumberjack":
		return h.overLumberjack(t, at)
	}
	client := &http.Client{Timeout: AnswerWithin}
	t.Cleanup(client.CloseIdleConnections)
	headers, body := map[string]string{"Content-Encoding": h.Encoding}, h.encoded()
	return func(ctx context.Context) string {
		answer, _ := Post(ctx, client, "http://"+at+h.Path, h.Type, headers, body)
		return strings.Fields(answer)[0]
	}
}

// encoded returns the body as sent.
func (h Hostile) encoded() []byte {
	switch h.Encoding {
	case "gzip":
		return gzipped(h.body)
	case "snappy":
		return snappy.Encode(nil, h.body)
	default: // already compressed, or not compressed at all
		return h.body
	}
}

func gzipped(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body) // writing to a buffer does not fail
	_ = w.Close()
	return b.Bytes()
}

// compressed is a gRPC compressor, given by its name, for messages that are already compressed, so that a client does
// not compress the same request repeatedly.
type compressed string

func (c compressed) Type() string { return string(c) }

func (compressed) Do(w io.Writer, body []byte) error {
	_, err := w.Write(body)
	return err
}

// bytesCodec sends bytes and ignores responses.
type bytesCodec struct{}

func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}
func (bytesCodec) Unmarshal(mem.BufferSlice, any) error { return nil }
func (bytesCodec) Name() string                         { return "proto" }

func (h Hostile) overGRPC(t peertest.TB, at string) func(context.Context) string {
	t.Helper()
	conn, err := grpc.NewClient(at, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(bytesCodec{})),
		grpc.WithCompressor(compressed(h.Encoding))) //nolint:staticcheck // a registered compressor would apply to all clients of
	if err != nil {
		t.Fatalf("gRPC client of %s: %v", at, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	method := map[string]string{
		"/v1/logs":    "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
		"/v1/metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
	}[h.Path]
	body := h.encoded()
	return func(ctx context.Context) string {
		ctx, cancel := context.WithTimeout(ctx, AnswerWithin)
		defer cancel()
		return status.Code(conn.Invoke(ctx, method, body, nil)).String()
	}
}

func (h Hostile) overLumberjack(t peertest.TB, at string) func(context.Context) string {
	t.Helper()
	frame, err := h.frame()
	if err != nil {
		t.Fatalf("%s: %v", h.Name, err)
	}
	return func(ctx context.Context) string {
		conn, err := dialTCP(ctx, at)
		if err != nil {
			return "failed"
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
		if errors.Join(writeWindow(conn, 1, frame), readAck(conn, 1)) != nil {
			return "closed"
		}
		return "acknowledged"
	}
}

// frame returns a compressed frame of Lumberjack.
func (h Hostile) frame() ([]byte, error) {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, zlib.BestCompression)
	if err != nil {
		return nil, err
	}
	body := h.body
	if h.Unfinished {
		body = body[:len(body)-1]
	}
	_, err = w.Write(body)
	err = errors.Join(err, w.Flush())
	promised := b.Len() + 1000
	if !h.Unfinished {
		err = errors.Join(err, w.Close())
		promised = b.Len()
	}
	return append(binary.BigEndian.AppendUint32([]byte("2C"), uint32(promised)), b.Bytes()...), err
}
