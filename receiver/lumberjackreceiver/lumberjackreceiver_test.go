// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	v2 "github.com/elastic/go-lumber/client/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
	"github.com/auspex-otel/auspex/internal/wire/lumberjack"
	lj "github.com/auspex-otel/auspex/internal/wire/lumberjack/lumberjacktest"
)

func TestGoLumber(t *testing.T) {
	t.Parallel()
	for name, level := range map[string]int{"plain": 0, "compressed": 3} {
		t.Run(name, func(t *testing.T) {
			next := &pipeline{}
			r := start(t, next, nil)
			c, err := v2.SyncDial(r.addr, v2.CompressionLevel(level), v2.Timeout(patience))
			require.NoError(t, err)
			defer c.Close()
			for _, window := range [][2]int{{0, 1}, {1, 501}, {501, 510}} {
				n, err := c.Send(lines(window[0], window[1]))
				require.NoError(t, err)
				assert.Equal(t, window[1]-window[0], n)
				assert.Equal(t, bodies(0, window[1]), next.accepted(), "acknowledged after it was accepted")
			}
			r.counts(510, "lumberjack_acknowledged_events")
			r.counts(510, "accepted_log_records")
			r.counts(1, "lumberjack_connections")
			assert.NotEmpty(t, next.peers[0])
			require.NoError(t, c.Close())
			r.counts(0, "lumberjack_connections")
			r.counts(0, "lumberjack_errors")
		})
	}
}

// Several clients at the same time pipeline their windows.
func TestPipelinedWindows(t *testing.T) {
	t.Parallel()
	next := &pipeline{}
	r := start(t, next, nil)
	const senders, windows = 4, 50
	done := make(chan error, senders)
	for range senders {
		go func() {
			c, err := v2.AsyncDial(r.addr, 5, v2.Timeout(patience))
			if err != nil {
				done <- err
				return
			}
			defer c.Close()
			acks := make(chan error, windows)
			for i := range windows {
				if err := c.Send(func(_ uint32, err error) { acks <- err }, lines(i, i+3)); err != nil {
					done <- err
					return
				}
			}
			for range windows {
				err = errors.Join(err, <-acks)
			}
			done <- err
		}()
	}
	for range senders {
		require.NoError(t, <-done)
	}
	assert.Len(t, next.accepted(), senders*windows*3)
	r.counts(senders*windows*3, "lumberjack_acknowledged_events")
}

// TestRealSenders replays the frames of real clients and expects the sequence numbers that they
// wait for.
func TestRealSenders(t *testing.T) {
	t.Parallel()
	for name, acks := range map[string][]string{
		"go-lumber-plain": {"2:1", "2:3"}, "go-lumber-compressed": {"2:1", "2:3"},
		"pylogbeat": {"2:2", "2:3"}, "lumberjack-client": {"2:2", "2:1"},
	} {
		t.Run(name, func(t *testing.T) {
			next := &pipeline{}
			r := start(t, next, nil)
			stream, err := os.ReadFile(peertest.TestData(t, "wire", "lumberjack", name+".bin"))
			require.NoError(t, err)
			p := r.dial()
			p.send(stream)
			p.acks(acks...)
			assert.NotEmpty(t, next.accepted())
		})
	}
}

func TestVersion1(t *testing.T) {
	t.Parallel()
	next := &pipeline{}
	r := start(t, next, nil)
	p := r.dial()
	p.send(lj.Window('1', 2), lj.Data('1', 41, "line", "line 0"), lj.Data('1', 42, "line", "line 1", "host", "web-1"))
	p.acks("1:42")
	p.send(lj.Window('1', 1), lj.Compressed('1', lj.Data('1', 43, "line", "line 2")))
	p.acks("1:43")
	assert.Equal(t, bodies(0, 3), next.accepted())
}

func TestRefusedIsSentAgain(t *testing.T) {
	t.Parallel()
	next := &pipeline{answer: func(_ context.Context, call int, _ []string) error {
		if call <= 2 {
			return errors.New("memory is full")
		}
		return nil
	}}
	r := start(t, next, nil)
	for try := range 3 {
		c, err := v2.SyncDial(r.addr, v2.Timeout(patience))
		require.NoError(t, err)
		n, err := c.Send(lines(0, 10))
		c.Close()
		if try < 2 {
			require.Error(t, err)
			assert.Zero(t, n)
			assert.Empty(t, next.accepted())
			continue
		}
		require.NoError(t, err)
	}
	assert.Equal(t, bodies(0, 10), next.accepted())
	r.counts(10, "lumberjack_acknowledged_events")
	r.counts(2, "lumberjack_errors", reasonRetryable)
	r.says("the pipeline returned a retryable error, the peer sends the events again")
	r.says("memory is full")
}

func TestPartialAcks(t *testing.T) {
	t.Parallel()
	t.Run("events", func(t *testing.T) {
		next := &pipeline{}
		r := start(t, next, func(c *Config) { c.Chunk.Items = 2 })
		p := r.dial()
		p.send(lj.Batch(said(0), said(1), said(2), said(3), said(4)))
		p.acks("2:2", "2:4", "2:5")
		p.send(lj.Batch(said(5), said(6)))
		p.acks("2:2")
		p.send(lj.Batch(said(7)))
		p.acks("2:1")
		p.silent(20 * time.Millisecond)
		assert.Equal(t, bodies(0, 8), next.accepted())
		assert.Equal(t, 5, next.calls)
	})
	t.Run("bytes", func(t *testing.T) {
		r := start(t, &pipeline{}, func(c *Config) { c.Chunk.Bytes = len(said(0)) + 1 })
		p := r.dial()
		p.send(lj.Batch(said(0), said(1), said(2)))
		p.acks("2:2", "2:3")
	})
	// The sender learns which events it need not send again.
	t.Run("a later chunk is refused", func(t *testing.T) {
		next := &pipeline{answer: func(_ context.Context, call int, _ []string) error {
			if call == 3 {
				return errors.New("no")
			}
			return nil
		}}
		r := start(t, next, func(c *Config) { c.Chunk.Items = 2 })
		p := r.dial()
		p.send(lj.Batch(said(0), said(1), said(2), said(3), said(4), said(5), said(6)))
		p.acks("2:2", "2:4", "")
		assert.Equal(t, bodies(0, 4), next.accepted())
		r.counts(4, "lumberjack_acknowledged_events")
	})
	t.Run("numbers that jump", func(t *testing.T) {
		r := start(t, &pipeline{}, func(c *Config) { c.Chunk.Items = 2 })
		p := r.dial()
		p.send(lj.Window('2', 4), lj.JSON('2', 9, said(0)), lj.JSON('2', 5, said(1)), lj.JSON('2', 6, said(2)), lj.JSON('2', 7, said(3)))
		p.acks("2:9")
		p.silent(20 * time.Millisecond)
		p.send(lj.Window('2', 3), lj.JSON('2', 4294967295, said(0)), lj.JSON('2', 0, said(1)), lj.JSON('2', 1, said(2)))
		p.acks("2:0", "2:1")
		r.counts(7, "lumberjack_acknowledged_events")
	})
}

// gate returns an answer function that blocks until open is called.
func gate() (open func(), answer func(context.Context, int, []string) error) {
	ch := make(chan struct{})
	return func() { close(ch) }, func(ctx context.Context, _ int, _ []string) error {
		select {
		case <-ch:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestKeepAlive(t *testing.T) {
	t.Parallel()
	quick := func(c *Config) { c.KeepAlive = 30 * time.Millisecond }
	t.Run("nothing accepted yet", func(t *testing.T) {
		t.Parallel()
		open, answer := gate()
		r := start(t, &pipeline{answer: answer}, quick)
		p := r.dial()
		p.send(lj.Batch(said(0), said(1)))
		p.acks("2:0", "2:0", "2:0")
		open()
		ack := p.ack()
		for ack == "2:0" {
			ack = p.ack()
		}
		assert.Equal(t, "2:2", ack)
		p.silent(100 * time.Millisecond)
	})
	t.Run("a sender that does not wait long", func(t *testing.T) {
		t.Parallel()
		open, answer := gate()
		next := &pipeline{answer: answer}
		r := start(t, next, quick)
		time.AfterFunc(1200*time.Millisecond, open)
		c, err := v2.SyncDial(r.addr, v2.Timeout(800*time.Millisecond))
		require.NoError(t, err)
		defer c.Close()
		n, err := c.Send(lines(0, 3))
		require.NoError(t, err)
		assert.Equal(t, 3, n)
		assert.Equal(t, 1, next.calls)
	})
	for _, version := range []byte{lumberjack.Version1, lumberjack.Version2} {
		t.Run("chunk by chunk in version "+string(version), func(t *testing.T) {
			t.Parallel()
			openFirst, first := gate()
			openSecond, second := gate()
			next := &pipeline{answer: func(ctx context.Context, call int, bodies []string) error {
				if call == 1 {
					return first(ctx, call, bodies)
				}
				return second(ctx, call, bodies)
			}}
			r := start(t, next, func(c *Config) { quick(c); c.Chunk.Items = 1 })
			p := r.dial()
			ack := func(sequence int) string { return fmt.Sprintf("%c:%d", version, sequence) }
			// until skips repeated acknowledgements.
			until := func(before, want int) {
				t.Helper()
				got := p.ack()
				for got == ack(before) {
					got = p.ack()
				}
				require.Equal(t, ack(want), got)
			}
			p.send(lj.Window(version, 2), lj.JSON(version, 7, said(0)), lj.JSON(version, 8, said(1)))
			if version == lumberjack.Version1 {
				p.silent(100 * time.Millisecond)
			} else {
				p.acks(ack(0), ack(0))
			}
			openFirst()
			until(0, 7)
			p.acks(ack(7), ack(7))
			openSecond()
			until(7, 8)
			p.silent(100 * time.Millisecond)
		})
	}
}
