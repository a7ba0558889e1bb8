// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package requestlimiterextension

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/auspex-otel/auspex/extension/requestlimiterextension/internal/metadata"
	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/internal/wire/otlp"
)

const (
	testLimitMiB  = 64
	testBodyBytes = testLimitMiB << 20 / 32
)

type host struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

// rig is core's receiver behind the limiter.
type rig struct {
	*limiter
	grpc, http string
	// entered receives a channel for each batch in the pipeline. The batch stays there until the
	// channel is closed.
	entered chan chan struct{}
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{grpc: free(t), http: free(t), entered: make(chan chan struct{})}
	ext, err := NewFactory().Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), &Config{LimitMiB: testLimitMiB})
	require.NoError(t, err)
	r.limiter = ext.(*limiter)
	r.patience = 50 * time.Millisecond
	h := host{componenttest.NewNopHost(), map[component.ID]component.Component{component.NewID(metadata.Type): ext}}
	require.NoError(t, ext.Start(t.Context(), h))
	middlewares := []any{map[string]any{"id": metadata.Type.String()}}
	f := otlpreceiver.NewFactory()
	cfg := f.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{
		"grpc": map[string]any{"endpoint": r.grpc, "max_recv_msg_size_mib": testBodyBytes >> 20, "middlewares": middlewares},
		"http": map[string]any{"endpoint": r.http, "max_request_body_size": testBodyBytes, "middlewares": middlewares},
	}}).Unmarshal(cfg))
	next, err := consumer.NewLogs(func(context.Context, plog.Logs) error {
		proceed := make(chan struct{})
		r.entered <- proceed
		<-proceed
		return nil
	})
	require.NoError(t, err)
	receiver, err := f.CreateLogs(t.Context(), receivertest.NewNopSettings(f.Type()), cfg, next)
	require.NoError(t, err)
	require.NoError(t, receiver.Start(t.Context(), h))
	t.Cleanup(func() {
		require.NoError(t, receiver.Shutdown(context.Background()))
		require.NoError(t, ext.Shutdown(context.Background()))
		for _, m := range []*receiverutil.Memory{r.reading, r.decoding} {
			all := m.Reservation()
			assert.NoError(t, all.Reserve(testLimitMiB<<20/share/2), "all of the budget is there again")
		}
		assert.Empty(t, r.large)
		r.admitted.Range(func(any, any) bool { assert.Fail(t, "an admission was not removed"); return false })
	})
	return r
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// request returns empty log records, each with a cost of 426 bytes.
func request(records int) plogotlp.ExportRequest {
	ld := plog.NewLogs()
	slice := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range records {
		slice.AppendEmpty()
	}
	return plogotlp.NewExportRequestFromLogs(ld)
}

// These are numbers of empty records. Two medium requests leave less of the 8 MiB for decoding
// than a third one needs, a large one needs more than one request may have, and a huge one needs
// more than half of 64 MiB.
const (
	few, medium, large, huge = 10, 6_000, 50_000, 90_000
)

// send sends records and returns whether they were accepted, and whether the error is retryable.
type send func(records int) (ok, again bool)

func (r *rig) overHTTP(t *testing.T) send {
	t.Helper()
	return func(records int) (ok, again bool) {
		body, err := request(records).MarshalProto()
		assert.NoError(t, err)
		code := r.post(t, body, "application/x-protobuf")
		return code == http.StatusOK, code == http.StatusServiceUnavailable
	}
}

// post sends a compressed body and returns the status.
func (r *rig) post(t *testing.T, body []byte, kind string) int {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(body)
	assert.NoError(t, err)
	assert.NoError(t, w.Close())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.http+"/v1/logs", &packed)
	if !assert.NoError(t, err) {
		return 0
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Content-Encoding", "gzip")
	res, err := http.DefaultClient.Do(req)
	if !assert.NoError(t, err) {
		return 0
	}
	assert.NoError(t, res.Body.Close())
	return res.StatusCode
}

func (r *rig) overGRPC(t *testing.T) send {
	t.Helper()
	conn, err := grpc.NewClient(r.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, conn.Close()) })
	client := plogotlp.NewGRPCClient(conn)
	return func(records int) (ok, again bool) {
		_, err := client.Export(t.Context(), request(records), grpc.WaitForReady(true))
		return err == nil, status.Code(err) == codes.Unavailable
	}
}

// begin sends a request and returns when it is in the pipeline. end completes it and returns
// whether it was accepted.
func (r *rig) begin(send send, records int) (end func() (ok bool)) {
	answer := make(chan bool)
	go func() {
		ok, _ := send(records)
		answer <- ok
	}()
	proceed := <-r.entered
	return func() bool {
		close(proceed)
		return <-answer
	}
}

func TestRequestsInFlightAreBounded(t *testing.T) {
	for name, over := range map[string]func(*rig, *testing.T) send{"http": (*rig).overHTTP, "grpc": (*rig).overGRPC} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			send := over(r, t)
			for size, atOnce := range map[int]int{medium: 2, large: 1} {
				var ends []func() bool
				for range atOnce {
					ends = append(ends, r.begin(send, size))
				}
				ok, again := send(size)
				assert.False(t, ok)
				assert.True(t, again, "there is no room while the others are processed")
				assert.True(t, r.begin(send, few)(), "a small request is served")
				for _, end := range ends {
					assert.True(t, end())
				}
				assert.True(t, r.begin(send, size)())
			}
			ok, again := send(huge)
			assert.False(t, ok)
			assert.False(t, again, "there will never be room for this one")
		})
	}
}

// A waiting request is admitted as soon as memory is available.
func TestRequestsWaitForEachOther(t *testing.T) {
	for _, size := range []int{medium, large} {
		r := newRig(t)
		r.patience = time.Minute
		send := r.overHTTP(t)
		answers := make(chan bool)
		for range 5 {
			go func() {
				ok, _ := send(size)
				answers <- ok
			}()
		}
		for range 5 {
			close(<-r.entered)
			assert.True(t, <-answers)
		}
	}
}

// Clients that stop within a request hold only the bytes that they sent.
func TestUnfinishedRequestsLeaveRoomForOthers(t *testing.T) {
	r := newRig(t)
	for range 100 {
		conn, err := net.Dial("tcp", r.http)
		require.NoError(t, err)
		defer conn.Close()
		_, err = fmt.Fprintf(conn, "POST /v1/logs HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\nContent-Length: %d\r\n\r\n", testBodyBytes)
		require.NoError(t, err)
		_, err = conn.Write(make([]byte, testBodyBytes/2))
		require.NoError(t, err)
	}
	assert.True(t, r.begin(r.overHTTP(t), few)())
}

// deep returns a log record whose body has nested lists.
func deep(levels int) []byte {
	ld := plog.NewLogs()
	v := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body()
	for range levels {
		v = v.SetEmptySlice().AppendEmpty()
	}
	body, _ := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	return body
}

func TestBodyAboveTheReceiversLimit(t *testing.T) {
	r := newRig(t)
	assert.Equal(t, http.StatusRequestEntityTooLarge, r.post(t, make([]byte, testBodyBytes+1), "application/x-protobuf"))
	assert.Equal(t, http.StatusBadRequest, r.post(t, []byte("\xff\xff"), "application/x-protobuf"))
	assert.Equal(t, http.StatusRequestEntityTooLarge, r.post(t, deep(otlp.MaxDepth+1), "application/x-protobuf"))
	assert.Equal(t, http.StatusRequestEntityTooLarge, r.post(t, []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[`+strings.Repeat("{},", 150_000)+`{}]}]}]}`), "application/json"))
	go func() { close(<-r.entered) }()
	assert.Equal(t, http.StatusOK, r.post(t, []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}`), "application/json; charset=utf-8"))
}

func TestGarbageCollectorKeepsToTheLimit(t *testing.T) {
	before := debug.SetMemoryLimit(math.MaxInt64)
	defer debug.SetMemoryLimit(before)
	ext, err := NewFactory().Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), &Config{LimitMiB: 10_000})
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
	assert.Equal(t, int64(8_000)<<20, debug.SetMemoryLimit(-1))
	require.NoError(t, ext.Shutdown(t.Context()))
	assert.Equal(t, int64(math.MaxInt64), debug.SetMemoryLimit(-1))
	debug.SetMemoryLimit(1 << 40) // stands for GOMEMLIMIT
	require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
	assert.Equal(t, int64(1)<<40, debug.SetMemoryLimit(-1))
}

func TestConfig(t *testing.T) {
	require.NoError(t, confmap.Validate(createDefaultConfig()))
	require.ErrorContains(t, confmap.Validate(&Config{LimitMiB: 1}), "limit_mib: is 1, it must be at least 16")
}

func TestSoftLimitLeavesRoomForTheProgram(t *testing.T) {
	for limit, soft := range map[int64]int64{64: 32, 256: 160, 512: 409, 2048: 1638} {
		assert.Equal(t, soft, softLimit(limit<<20)>>20, "%d MiB", limit)
	}
}
