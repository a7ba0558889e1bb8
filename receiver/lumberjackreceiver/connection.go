// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/client"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/internal/wire/lumberjack"
)

// Reasons for an error, in addition to those of the codec.
const (
	reasonAck         = "ack"         // an acknowledgement could not be sent
	reasonClient      = "client"      // limits::concurrency_per_client is reached
	reasonConnections = "connections" // limits::concurrency is reached
	reasonDeadLetter  = "dead_letter" // an event cannot be delivered, nor written as a dead letter
	reasonMemory      = "memory"      // limits::memory_bytes is in use
	reasonRetryable   = "retryable"   // a retryable error of the pipeline
	reasonStalled     = "stalled"     // the peer was too slow
	reasonTLS         = "tls"         // the handshake failed
)

const (
	ackTimeout  = 10 * time.Second       // for a peer that does not read its acknowledgements
	lingerTime  = 500 * time.Millisecond // time for a peer to read the last acknowledgement before its bytes are discarded
	lingerBytes = 1 << 20

	// ackBuffer is the size in bytes of the send buffer of a connection, which contains only
	// acknowledgements. It is full, and reveals a peer that does not read, after about 3,000
	// windows. The kernel's own buffer grows to 4 MiB, or 300,000 windows.
	ackBuffer = 16 << 10
)

// errDraining ends the wait for a window when the receiver shuts down.
var errDraining = errors.New("the receiver is shutting down")

// failure states why a connection is closed.
type failure struct {
	reason  string
	message string
	err     error
}

func (f *failure) Error() string { return f.message + ": " + f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// connection serves one peer. Only drain and abort may be called from other goroutines.
type connection struct {
	server *server
	ticket *receiverutil.Ticket
	conn   net.Conn
	peer   string
	ctx    context.Context
	reader *lumberjack.Reader
	window window
	chunk  chunk
	acks   acks

	mu       sync.Mutex // guards the following fields against drain
	idle     bool
	draining bool
	patience time.Duration // remaining time of the peer; negative means unlimited
}

func newConnection(s *server, conn net.Conn, ticket *receiverutil.Ticket) *connection {
	peer := conn.RemoteAddr()
	c := &connection{
		server: s, conn: conn, ticket: ticket, peer: peer.String(), ctx: client.NewContext(s.ctx, client.Info{Addr: peer}),
		idle: true, patience: s.cfg.ReadTimeout,
	}
	if buffered, ok := conn.(interface{ SetWriteBuffer(int) error }); ok {
		_ = buffered.SetWriteBuffer(ackBuffer) // It fails only if the connection is gone.
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		limitUnacknowledged(tcp, ackTimeout)
	}
	if s.tls != nil {
		c.conn = tls.Server(conn, s.tls)
	}
	c.reader = lumberjack.NewReader(c, s.cfg.codecLimits(), c)
	c.acks.conn = c.conn
	c.chunk.reset(s.set.BuildInfo.Version)
	return c
}

// run serves the peer until it disconnects or the receiver shuts down.
func (c *connection) run() {
	err := c.handshake()
	for err == nil {
		err = c.serveWindow()
	}
	c.report(err)
	// The memory is freed while the peer reads its last acknowledgement.
	c.reader, c.chunk = nil, chunk{}
	c.ticket.ReleaseAll()
	c.close()
}

func (c *connection) handshake() error {
	conn, ok := c.conn.(*tls.Conn)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.server.cfg.ReadTimeout)
	defer cancel()
	err := conn.HandshakeContext(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && c.draining {
		return errDraining
	}
	if err != nil {
		return &failure{reasonTLS, "the TLS handshake failed", err}
	}
	return nil
}

func (c *connection) serveWindow() error {
	if err := c.await(); err != nil {
		return err
	}
	c.window = window{}
	if err := c.reader.ReadWindow(c.take); err != nil {
		return err
	}
	if version, ok := c.reader.EmptyWindow(); ok {
		return c.acks.send(version, 0)
	}
	return c.handOver(true)
}

// await waits for the next window up to idle_timeout.
func (c *connection) await() error {
	c.mu.Lock()
	c.idle, c.patience = true, c.server.cfg.IdleTimeout
	if c.patience == 0 {
		c.patience = -1
	}
	draining := c.draining
	c.mu.Unlock()
	if draining {
		return errDraining
	}
	if err := c.reader.Await(); err != nil {
		return err
	}
	c.mu.Lock()
	c.idle, c.patience = false, c.server.cfg.ReadTimeout
	c.mu.Unlock()
	return nil
}

// Reserve reserves memory for the codec and for the events of the chunk. If not enough is free,
// it hands over the chunk, which frees the chunk's memory.
func (c *connection) Reserve(n int) error {
	err := c.ticket.Reserve(n)
	if err != nil && len(c.chunk.ends) > 0 {
		if err := c.handOver(false); err != nil {
			return err
		}
		err = c.ticket.Reserve(n)
	}
	if err != nil {
		return &failure{reasonMemory, "an event needs more memory than is free, the peer sends it again; see limits::memory_bytes", err}
	}
	return nil
}

// Release returns memory that Reserve reserved.
func (c *connection) Release(n int) { c.ticket.Release(n) }

// Read reads from the peer for the codec, within the peer's remaining time. The time between two
// reads, which the pipeline takes, does not count.
func (c *connection) Read(p []byte) (int, error) {
	c.mu.Lock()
	if c.idle && c.draining {
		c.mu.Unlock()
		return 0, errDraining
	}
	begin, deadline := time.Now(), time.Time{}
	if c.patience >= 0 {
		deadline = begin.Add(c.patience)
	}
	err := c.conn.SetReadDeadline(deadline)
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	n, err := c.conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.patience >= 0 {
		c.patience = max(0, c.patience-time.Since(begin))
	}
	if err != nil && c.idle && c.draining {
		return n, errDraining
	}
	return n, err
}

// drain lets the current window end and prevents new windows.
func (c *connection) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	if c.idle {
		_ = c.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// abort closes the connection immediately.
func (c *connection) abort() { _ = c.conn.Close() }

// report logs and counts why the connection ends, unless the reason is normal.
func (c *connection) report(err error) {
	peer := zap.String("peer", c.peer)
	debug := func(message string, fields ...zap.Field) {
		c.server.logger.Debug(message, append(fields, peer, zap.Error(err))...)
	}
	fault := func(reason, message string, err error) {
		c.server.failed(reason)
		c.server.log.Warn(reason, 1, "Connection closed: "+message, zap.String("reason", reason), peer, zap.Error(err))
	}
	var wrong *lumberjack.Error
	var failed *failure
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, errDraining):
		debug("Connection closed")
	case errors.As(err, &failed):
		fault(failed.reason, failed.message, failed.err)
	case errors.Is(err, syscall.ETIMEDOUT):
		fault(reasonAck, "the peer did not read its acknowledgements; it sends accepted events again", err)
	case errors.Is(err, os.ErrDeadlineExceeded) && c.idle:
		debug("Connection closed: no window began within idle_timeout", zap.Duration("idle_timeout", c.server.cfg.IdleTimeout))
	case errors.Is(err, os.ErrDeadlineExceeded):
		fault(reasonStalled, fmt.Sprintf("the peer took longer than read_timeout, which is %v, to send a window", c.server.cfg.ReadTimeout), err)
	case c.idle:
		debug("Connection closed by the peer")
	case errors.As(err, &wrong):
		fault(string(wrong.Reason), describe(wrong), err)
	default:
		c.server.log.Error("unexpected", 1, "Connection closed because of an unexpected error", peer, zap.Error(err))
	}
}

// describe returns a message for a codec error, with a remedy if the cause is likely.
func describe(fault *lumberjack.Error) string {
	const wrong = "the peer sent an invalid frame"
	switch fault.Reason {
	case lumberjack.ReasonRead, lumberjack.ReasonTruncated:
		return "the peer disconnected within a window"
	case lumberjack.ReasonVersion:
		return wrong + "; if it uses TLS, set tls; if it uses HTTP, it has the wrong port"
	case lumberjack.ReasonWindow:
		return wrong + "; increase limits::items if the client is valid"
	case lumberjack.ReasonEventSize:
		return wrong + "; increase limits::item_bytes if the client is valid"
	case lumberjack.ReasonPairs:
		return wrong + "; increase limits::fields if the client is valid"
	case lumberjack.ReasonCompressed:
		return wrong + "; increase max_request_body_size if the client is valid"
	case lumberjack.ReasonDecompressed:
		return wrong + "; increase limits::decompressed_bytes if the client is valid"
	}
	return wrong
}

// close closes the connection so that the peer can read the last acknowledgement. Closing with
// unread bytes would reset the connection and discard the acknowledgement.
func (c *connection) close() {
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok && c.ctx.Err() == nil {
		if half.CloseWrite() == nil && c.conn.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
			_, _ = io.CopyN(io.Discard, c.conn, lingerBytes)
		}
	}
	_ = c.conn.Close()
}

// acks writes acknowledgements. A second goroutine repeats the last one while the pipeline works.
type acks struct {
	conn net.Conn
	mu   sync.Mutex
}

func (a *acks) write(version byte, sequence uint32) error {
	if err := a.conn.SetWriteDeadline(time.Now().Add(ackTimeout)); err != nil {
		return err
	}
	_, err := a.conn.Write(lumberjack.AppendAck(nil, version, sequence))
	return err
}

// send acknowledges all events up to a sequence number.
func (a *acks) send(version byte, sequence uint32) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.write(version, sequence); err != nil {
		return &failure{reasonAck, "cannot send an acknowledgement; the peer sends accepted events again", fmt.Errorf("sequence %d: %w", sequence, err)}
	}
	return nil
}

// keepAlive repeats a sequence number at an interval until stop is called. None is sent after
// stop, because the peer would take it for an acknowledgement of the next window.
func (a *acks) keepAlive(every time.Duration, version byte, sequence uint32) (stop func()) {
	stopped := false
	var timer *time.Timer
	a.mu.Lock()
	defer a.mu.Unlock()
	timer = time.AfterFunc(every, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		// If the peer is gone, the final acknowledgement reports the error.
		if !stopped && a.write(version, sequence) == nil {
			timer.Reset(every)
		}
	})
	return func() {
		timer.Stop()
		a.mu.Lock()
		defer a.mu.Unlock()
		stopped = true
	}
}
