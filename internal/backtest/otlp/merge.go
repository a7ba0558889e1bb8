// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/replay"
)

// cursor is a position in one file, in batches. It opens the file when its first batch is due, so that a folder of
// thousands of rotated files needs few open ones.
type cursor struct {
	path     string
	place    int // in the order of the inputs
	size     int64
	progress *backtest.Progress // nil for the first batch

	file   *os.File // nil while closed
	meter  *backtest.Meter
	reader *messageReader
	replay.Batch
	ahead []replay.Batch // following batches
	err   error          // of the batch after them
	due   int64          // the batch's time, or that of the previous one if it is wrong

	messages [3]int // by signal, up to the position
}

// lookahead is the number of batches from which a batch far ahead of its neighbors is detected.
const lookahead = 4

// open opens the file at its start.
func (c *cursor) open() (err error) {
	if c.file, err = os.Open(c.path); err != nil {
		return err
	}
	c.messages, c.ahead, c.err = [3]int{}, nil, nil
	c.meter = backtest.NewMeter(c.file, c.progress, c.size)
	if c.reader, err = newMessageReader(c.meter); err != nil {
		return fmt.Errorf("%s: %w", c.path, err)
	}
	return nil
}

func (c *cursor) close() {
	if c.file != nil {
		_ = c.file.Close() // errors do not matter after reading
		c.meter.End()
		c.file, c.meter, c.reader, c.Batch, c.ahead = nil, nil, nil, replay.Batch{}, nil
	}
}

// advance moves to the next batch, or returns io.EOF.
func (c *cursor) advance() error {
	for c.err == nil && len(c.ahead) <= lookahead {
		var next replay.Batch
		if next, c.err = c.read(); c.err == nil {
			c.ahead = append(c.ahead, next)
		}
	}
	if len(c.ahead) == 0 {
		return c.err
	}
	c.Batch, c.ahead = c.ahead[0], c.ahead[1:]
	if c.Earliest == 0 {
		c.Earliest = c.due // the batch has no time
	}
	if c.due == 0 || !c.leaps() {
		c.due = c.Earliest
	}
	return nil
}

// leaps reports whether the batch is far ahead of the previous and following ones, as with a wrong clock of the
// sender. Such a batch is read immediately. It neither delays the rest of the file nor advances the clock.
func (c *cursor) leaps() bool {
	const far = int64(clock.Tolerance)
	return c.Earliest > c.due+far && slices.ContainsFunc(c.ahead, func(next replay.Batch) bool { return next.Earliest > 0 && next.Earliest < c.Earliest-far })
}

// read reads the next nonempty batch. Its time is 0 if it contains none.
func (c *cursor) read() (next replay.Batch, err error) {
	for {
		b, err := c.reader.next()
		if errors.Is(err, io.EOF) {
			return next, io.EOF
		}
		if err == nil {
			next, err = replay.Decode(b)
		}
		if err != nil {
			return next, fmt.Errorf("%s: %w", c.path, c.reader.at(err))
		}
		c.messages[next.Signal]++
		if next.Signal != replay.SignalMetrics || next.Points > 0 {
			return next, nil
		}
	}
}

// merge calls judge for every batch of all files in the order of their earliest times, as far as each file is itself
// ordered. It closes every file and returns an error for each that failed.
func merge(cursors []*cursor, progress *backtest.Progress, judge func(c *cursor) error) (failed []error, err error) {
	var files replay.Queue[*cursor]
	for _, c := range cursors {
		err := firstLook(c)
		c.close()
		switch {
		case err == nil:
			files.Push(c.due, c.place, c)
		case errors.Is(err, io.EOF):
			progress.Add(c.size, 0)
		default:
			failed = append(failed, err)
			progress.Add(c.size, 0)
		}
		c.progress = progress
	}
	for files.Len() > 0 {
		c := files.Pop()
		err := c.step(judge)
		if err == nil {
			files.Push(c.due, c.place, c)
			continue
		}
		c.close()
		if stop, ok := errors.AsType[fatal](err); ok {
			for files.Len() > 0 {
				files.Pop().close()
			}
			return failed, stop.error
		}
		if !errors.Is(err, io.EOF) {
			failed = append(failed, err)
		}
	}
	return failed, nil
}

// firstLook reads the first batch of a file.
func firstLook(c *cursor) error {
	if err := c.open(); err != nil {
		return err
	}
	return c.advance()
}

// fatal is an error that is not caused by an input.
type fatal struct{ error }

// step judges the batch at the cursor and moves to the next.
func (c *cursor) step(judge func(c *cursor) error) error {
	if c.file == nil {
		if err := firstLook(c); err != nil {
			return err
		}
	}
	if err := judge(c); err != nil {
		return fatal{err}
	}
	c.meter.Points += int64(c.Points)
	return c.advance()
}
