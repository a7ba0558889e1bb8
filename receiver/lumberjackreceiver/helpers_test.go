// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/internal/wire/lumberjack"
	"github.com/auspex-otel/auspex/receiver/lumberjackreceiver/internal/metadata"
)

// patience is the timeout of all waits in tests.
const patience = 5 * time.Second

// pipeline is the next consumer. It keeps the bodies of what it accepted.
type pipeline struct {
	// answer returns the result for each batch, by call number; nil accepts all.
	answer func(ctx context.Context, call int, bodies []string) error

	mu    sync.Mutex
	calls int
	took  []string
	logs  []plog.Logs
	peers []string
}

func (p *pipeline) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (p *pipeline) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	var bodies []string
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				bodies = append(bodies, lr.Body().AsString())
			}
		}
	}
	p.mu.Lock()
	p.calls++
	call := p.calls
	p.mu.Unlock()
	if p.answer != nil {
		if err := p.answer(ctx, call, bodies); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = append(p.took, bodies...)
	p.logs = append(p.logs, ld)
	p.peers = append(p.peers, client.FromContext(ctx).Addr.String())
	return nil
}

func (p *pipeline) accepted() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.took)
}

// running is a receiver that listens on its own port.
type running struct {
	*testing.T
	*server
	addr      string
	telemetry *componenttest.Telemetry
	log       *observer.ObservedLogs
}

func start(t *testing.T, next *pipeline, change func(*Config)) *running {
	t.Helper()
	r := prepare(t, next, change)
	r.begin()
	return r
}

// begin starts the prepared receiver.
func (r *running) begin() {
	r.Helper()
	require.NoError(r, r.Start(r.Context(), componenttest.NewNopHost()))
	r.addr = r.listener.Addr().String()
	r.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		assert.NoError(r, r.Shutdown(ctx))
	})
}

func prepare(t *testing.T, next *pipeline, change func(*Config)) *running {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.NetAddr.Endpoint = "127.0.0.1:0"
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	r := &running{T: t, telemetry: componenttest.NewTelemetry()}
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = r.telemetry.NewTelemetrySettings()
	core, log := observer.New(zap.DebugLevel)
	set.Logger, r.log = zap.New(core), log
	logs, err := NewFactory().CreateLogs(t.Context(), set, cfg, next)
	require.NoError(t, err)
	r.server = logs.(*receiverutil.Instance[*server]).Component
	t.Cleanup(func() { assert.NoError(t, r.telemetry.Shutdown(context.Background())) })
	return r
}

// count returns the value of one of the receiver's counters.
func (r *running) count(name string, reason ...string) int64 {
	r.Helper()
	m, err := r.telemetry.GetMetric("otelcol_receiver_" + name)
	if err != nil {
		return 0 // not recorded yet
	}
	var sum int64
	for _, dp := range m.Data.(metricdata.Sum[int64]).DataPoints {
		v, _ := dp.Attributes.Value(attribute.Key("reason"))
		if len(reason) == 0 || v.AsString() == reason[0] {
			sum += dp.Value
		}
	}
	return sum
}

// counts waits until a counter has the value want.
func (r *running) counts(want int64, name string, reason ...string) {
	r.Helper()
	assert.Eventually(r, func() bool { return r.count(name, reason...) == want }, patience, 5*time.Millisecond,
		"%s %v is %d, not %d", name, reason, r.count(name, reason...), want)
}

// says waits for a log message.
func (r *running) says(message string) {
	r.Helper()
	assert.Eventually(r, func() bool {
		return slices.ContainsFunc(r.log.All(), func(e observer.LoggedEntry) bool { return contains(e, message) })
	}, patience, 5*time.Millisecond, "no log line has %q: %v", message, r.log.All())
}

func contains(e observer.LoggedEntry, text string) bool {
	var line strings.Builder
	line.WriteString(e.Message)
	for _, f := range e.Context {
		fmt.Fprint(&line, " ", f.Key, "=", f.String, f.Interface)
	}
	return strings.Contains(line.String(), text)
}

// peer is a client that sends raw frames.
type peer struct {
	*testing.T
	net.Conn
}

func (r *running) dial() *peer {
	r.Helper()
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(r.Context(), "tcp", r.addr)
	require.NoError(r, err)
	r.Cleanup(func() { conn.Close() })
	return &peer{r.T, conn}
}

func (p *peer) send(frames ...[]byte) {
	p.Helper()
	for _, f := range frames {
		_, err := p.Write(f)
		require.NoError(p, err)
	}
}

// ack reads the next acknowledgement, as "2:17", or "" if the receiver closed the connection.
func (p *peer) ack() string {
	p.Helper()
	require.NoError(p, p.SetReadDeadline(time.Now().Add(patience)))
	b := make([]byte, 6)
	_, err := io.ReadFull(p, b)
	if err == io.EOF {
		return ""
	}
	require.NoError(p, err)
	require.Equal(p, lumberjack.FrameAck, b[1])
	return fmt.Sprintf("%c:%d", b[0], uint32(b[2])<<24|uint32(b[3])<<16|uint32(b[4])<<8|uint32(b[5]))
}

// acks reads the wanted acknowledgements.
func (p *peer) acks(want ...string) {
	p.Helper()
	for _, w := range want {
		require.Equal(p, w, p.ack())
	}
}

// silent checks that no acknowledgement arrives for d.
func (p *peer) silent(d time.Duration) {
	p.Helper()
	require.NoError(p, p.SetReadDeadline(time.Now().Add(d)))
	n, err := p.Read(make([]byte, 6))
	assert.Zero(p, n)
	var timeout net.Error
	require.ErrorAs(p, err, &timeout)
	assert.True(p, timeout.Timeout())
}

func lines(from, to int) (events []any) {
	for i := from; i < to; i++ {
		events = append(events, map[string]any{"message": fmt.Sprint("line ", i)})
	}
	return events
}

func bodies(from, to int) (texts []string) {
	for i := from; i < to; i++ {
		texts = append(texts, fmt.Sprint("line ", i))
	}
	return texts
}

// said returns an event with one line.
func said(i int) string { return fmt.Sprintf(`{"message":"line %d"}`, i) }

func metadataAttribute(t *testing.T, name string) (enum []string) {
	t.Helper()
	conf, err := confmaptest.LoadConf("metadata.yaml")
	require.NoError(t, err)
	attribute, err := conf.Sub("attributes::" + name)
	require.NoError(t, err)
	for _, v := range attribute.Get("enum").([]any) {
		enum = append(enum, v.(string))
	}
	return enum
}
