// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"bytes"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/wire/lumberjack"
	lj "github.com/auspex-otel/auspex/internal/wire/lumberjack/lumberjacktest"
)

// badInput lists invalid input with the expected acknowledgements, counted reason, and log
// message. A well-behaved peer is served throughout.
var badInput = []struct {
	name    string
	sends   []byte
	hangsUp bool     // the peer closes its side afterward
	sees    []string // acknowledgements before the connection is closed
	reason  string
	says    string
}{
	{name: "TLS without tls", sends: []byte("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1"), reason: "version", says: "if it uses TLS, set tls"},
	{name: "HTTP", sends: []byte("POST /_bulk HTTP/1.1\r\nHost: x\r\n\r\n"), reason: "version", says: "if it uses HTTP, it has the wrong port"},
	{name: "no window", sends: lj.JSON('2', 1, "{}"), reason: "frame", says: "expected a window"},
	{name: "unknown frame", sends: lj.Join(lj.Window('2', 1), []byte("2X")), reason: "frame", says: "of type 'X'"},
	{name: "oversized window", sends: lj.Window('2', 101), reason: "window", says: "limits::items"},
	{name: "window of 4 billion", sends: lj.Window('2', 0xffffffff), reason: "window", says: "a window of 4294967295 events"},
	{name: "oversized event, and nowhere to keep it", sends: lj.Batch(`{"message":"` + strings.Repeat("x", 1000) + `"}`), reason: "dead_letter", says: "dead_letter::directory is not set"},
	{name: "huge event", sends: lj.Batch(`{"message":"` + strings.Repeat("x", 20_000) + `"}`), reason: "event_size", says: "limits::item_bytes"},
	{name: "event of 4 GiB", sends: lj.Join(lj.Window('2', 1), []byte("2J\x00\x00\x00\x01\xff\xff\xff\xff{")), reason: "event_size", says: "an event's JSON of 4294967295 bytes"},
	{name: "key of 4 GiB", sends: lj.Join(lj.Window('1', 1), []byte("1D\x00\x00\x00\x01\x00\x00\x00\x01\xff\xff\xff\xff")), reason: "event_size", says: "a key of 4294967295 bytes"},
	{name: "4 billion keys", sends: lj.Join(lj.Window('1', 1), []byte("1D\x00\x00\x00\x01\xff\xff\xff\xff")), reason: "pairs", says: "limits::fields"},
	{name: "oversized compressed frame", sends: lj.Join(lj.Window('2', 1), []byte("2C\xff\xff\xff\xff")), reason: "compressed", says: "the limit is 100000"},
	{name: "not zlib", sends: lj.Join(lj.Window('2', 1), []byte("2C\x00\x00\x00\x05abcde")), reason: "compressed", says: "the zlib stream is invalid or incomplete"},
	{name: "zip bomb", sends: lj.Join(lj.Window('2', 50), lj.Compressed('2', bytes.Repeat(lj.JSON('2', 1, `{"message":"`+strings.Repeat("0", 980)+`"}`), 50))), reason: "decompressed", says: "limits::decompressed_bytes"},
	{name: "nested too deep", sends: lj.Join(lj.Window('2', 1), lj.Compressed('2', lj.Compressed('2', lj.Compressed('2', lj.JSON('2', 1, "{}"))))), reason: "nesting", says: "inside 2 others"},
	{name: "length too long", sends: lj.Join(lj.Window('2', 1), []byte("2J\x00\x00\x00\x01\x00\x00\x00\x09{}")), hangsUp: true, reason: "truncated", says: "disconnected within a window"},
	{name: "length too short", sends: lj.Join(lj.Window('2', 2), []byte("2J\x00\x00\x00\x01\x00\x00\x00\x01{}")), reason: "version", says: "the frame's version is '}'"},
	{name: "fewer events than promised", sends: lj.Join(lj.Window('2', 2), lj.JSON('2', 1, "{}"), lj.Batch("{}")), reason: "window", says: "1 events of the last one are missing"},
	{name: "gone within a window", sends: lj.Join(lj.Window('2', 2), lj.JSON('2', 1, "{}")), hangsUp: true, reason: "truncated", says: "waiting for more events of the window"},
	{name: "stalled within a frame", sends: lj.Batch("{}")[:17], reason: "stalled", says: "the peer took longer than read_timeout"},
	{name: "stalled within a window", sends: lj.Window('2', 1), reason: "stalled", says: "read_timeout"},
	{name: "wrong after something right", sends: lj.Join(lj.Batch("{}", "{}"), []byte("nonsense")), sees: []string{"2:2"}, reason: "version", says: "'n'"},
	{name: "no JSON, and nowhere to keep it", sends: lj.Batch("{}", "{no"), reason: "dead_letter", says: "dead_letter::directory is not set"},
	{name: "no object, and nowhere to keep it", sends: lj.Batch("[1]"), reason: "dead_letter", says: "1 events that are not JSON objects"},
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	for _, tt := range badInput {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			next := &pipeline{}
			r := start(t, next, func(c *Config) {
				c.ReadTimeout = 500 * time.Millisecond
				c.MaxRequestBodySize = 100_000
				c.Limits.Items, c.Limits.ItemBytes, c.Limits.Fields, c.Limits.DecompressedBytes = 100, 1000, 10, 20_000
			})
			good := r.dial()
			good.send(lj.Batch(said(0)))
			good.acks("2:1")

			bad := r.dial()
			bad.send(tt.sends)
			if tt.hangsUp {
				require.NoError(t, bad.Conn.(interface{ CloseWrite() error }).CloseWrite())
			}
			bad.acks(tt.sees...)
			bad.acks("")
			r.counts(1, "lumberjack_errors", tt.reason)
			r.counts(1, "lumberjack_errors")
			r.says(tt.says)
			r.says("peer=" + bad.LocalAddr().String())

			good.send(lj.Batch(said(1)))
			good.acks("2:1")
			r.counts(int64(2+2*len(tt.sees)), "lumberjack_acknowledged_events")
		})
	}
}

// All reasons of the codec and of the receiver are declared in metadata.yaml.
func TestReasonsAreDeclared(t *testing.T) {
	declared := metadataAttribute(t, "error_reason")
	used := []string{reasonAck, reasonClient, reasonConnections, reasonDeadLetter, reasonMemory, reasonRetryable, reasonStalled, reasonTLS}
	for _, r := range []lumberjack.Reason{
		lumberjack.ReasonVersion, lumberjack.ReasonFrame, lumberjack.ReasonWindow, lumberjack.ReasonEventSize, lumberjack.ReasonPairs,
		lumberjack.ReasonCompressed, lumberjack.ReasonDecompressed, lumberjack.ReasonNesting, lumberjack.ReasonTruncated, lumberjack.ReasonRead,
	} {
		used = append(used, string(r))
	}
	assert.ElementsMatch(t, used, declared)
	assert.ElementsMatch(t, []string{letterDepth, letterEventSize, letterNoPipeline, letterNotJSON, letterPermanent, letterValues}, metadataAttribute(t, "letter_reason"))
}

// A peer that sends slowly must not keep its slot indefinitely.
func TestDribblingPeer(t *testing.T) {
	t.Parallel()
	r := start(t, &pipeline{}, func(c *Config) { c.ReadTimeout = 150 * time.Millisecond })
	p := r.dial()
	begin := time.Now()
	for _, b := range lj.Batch(strings.Repeat(" ", 1000)) {
		if _, err := p.Write([]byte{b}); err != nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
		if time.Since(begin) > patience {
			break
		}
	}
	assert.Less(t, time.Since(begin), patience)
	r.counts(1, "lumberjack_errors", reasonStalled)
}

// A peer that does not read its acknowledgements is detected early and disconnected.
func TestAcknowledgementsNeverRead(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes as long as an acknowledgement may take, 10 s")
	}
	next := &pipeline{}
	r := start(t, next, nil)
	p := r.dial()
	require.NoError(t, p.Conn.(*net.TCPConn).SetReadBuffer(1024))
	require.NoError(t, p.SetWriteDeadline(time.Now().Add(3*ackTimeout)))
	var err error
	for windows := bytes.Repeat(lj.Batch(said(0)), 100); err == nil; {
		_, err = p.Write(windows)
	}
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection is still open")
	r.counts(1, "lumberjack_errors", reasonAck)
	assert.Less(t, len(next.accepted()), 20_000, "windows of a peer that reads nothing")
}

// The time in the pipeline does not count against the peer.
func TestSlowPipelineIsNotAStalledPeer(t *testing.T) {
	t.Parallel()
	open, answer := gate()
	time.AfterFunc(800*time.Millisecond, open)
	r := start(t, &pipeline{answer: answer}, func(c *Config) { c.ReadTimeout = 250 * time.Millisecond; c.Chunk.Items = 1 })
	p := r.dial()
	p.send(lj.Window('2', 2), lj.JSON('2', 1, said(0)))
	p.acks("2:1")
	p.send(lj.JSON('2', 2, said(1)))
	p.acks("2:2")
	r.counts(0, "lumberjack_errors")
}

func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	r := start(t, &pipeline{}, func(c *Config) { c.IdleTimeout = 100 * time.Millisecond })
	p := r.dial()
	p.send(lj.Batch(said(0)))
	p.acks("2:1", "")
	r.says("no window began within idle_timeout")
	r.counts(0, "lumberjack_errors")

	r = start(t, &pipeline{}, func(c *Config) { c.IdleTimeout = 0; c.ReadTimeout = 100 * time.Millisecond })
	p = r.dial()
	p.silent(150 * time.Millisecond)
	p.send(lj.Batch(said(0)))
	p.acks("2:1")
	p.silent(150 * time.Millisecond)
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	r := start(t, &pipeline{}, func(c *Config) { c.Limits.Concurrency = 2 })
	one, two := r.dial(), r.dial()
	r.counts(2, "lumberjack_connections")
	three := r.dial()
	three.acks("")
	r.counts(1, "lumberjack_errors", reasonConnections)
	r.says("see limits::concurrency")
	for _, p := range []*peer{one, two} {
		p.send(lj.Batch(said(0)))
		p.acks("2:1")
	}
	one.Close()
	r.counts(1, "lumberjack_connections")
	four := r.dial()
	four.send(lj.Batch(said(0)))
	four.acks("2:1")
}

// With limits::wait a connection above the limit is served when another ends.
func TestWaitForAConnection(t *testing.T) {
	t.Parallel()
	r := start(t, &pipeline{}, func(c *Config) { c.Limits.Concurrency, c.Limits.Wait = 1, patience })
	one := r.dial()
	r.counts(1, "lumberjack_connections")
	two := r.dial()
	two.send(lj.Batch(said(0)))
	two.silent(50 * time.Millisecond)
	one.Close()
	two.acks("2:1")
	r.counts(0, "lumberjack_errors")
}

// One client leaves slots for others.
func TestConcurrencyPerClient(t *testing.T) {
	t.Parallel()
	r := start(t, &pipeline{}, func(c *Config) { c.Limits.Concurrency, c.Limits.ConcurrencyPerClient = 3, 2 })
	one, _ := r.dial(), r.dial()
	r.counts(2, "lumberjack_connections")
	r.dial().acks("")
	r.counts(1, "lumberjack_errors", reasonClient)
	r.says("see limits::concurrency_per_client")
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).DialContext(t.Context(), "tcp", r.addr)
	require.NoError(t, err)
	defer conn.Close()
	other := &peer{t, conn}
	for _, p := range []*peer{one, other} {
		p.send(lj.Batch(said(0)))
		p.acks("2:1")
	}
}

// A peer that disconnects between windows causes no error.
func TestPeerGoesBetweenWindows(t *testing.T) {
	t.Parallel()
	r := start(t, &pipeline{}, nil)
	p := r.dial()
	p.send(lj.Batch(said(0)))
	p.acks("2:1")
	require.NoError(t, p.Conn.(interface{ SetLinger(int) error }).SetLinger(0)) // sends a reset
	p.Close()
	r.counts(0, "lumberjack_connections")
	r.counts(0, "lumberjack_errors")
}
