// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/engine/clock"
)

// cursor is a position in one file: a batch. The file is opened when its first
// batch is due, so that a folder of thousands of rotated files needs few open ones.
type cursor struct {
	path     string
	place    int // in the order of the inputs
	size     int64
	progress *backtest.Progress // nil for the first look

	file   *os.File // nil while closed
	meter  *backtest.Meter
	reader *messageReader
	batch
	ahead []batch // the next ones
	err   error   // of the one after them
	due   int64   // when the batch is to be read: its time, or, where that is wrong, that of the one before

	messages [3]int // by signal, as far as it was read
}

// batch is a message with its number of data points, its earliest time, and the
// latest time of data points.
type batch struct {
	message
	points       int
	time, latest int64
}

// lookahead is the number of batches among which one is found that lies far ahead of its neighbors.
const lookahead = 4

// open begins the file from its start.
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
		_ = c.file.Close() // it was only read
		c.meter.End()
		c.file, c.meter, c.reader, c.batch, c.ahead = nil, nil, nil, batch{}, nil
	}
}

// advance goes to the next batch, or returns io.EOF.
func (c *cursor) advance() error {
	for c.err == nil && len(c.ahead) <= lookahead {
		var next batch
		if next, c.err = c.read(); c.err == nil {
			c.ahead = append(c.ahead, next)
		}
	}
	if len(c.ahead) == 0 {
		return c.err
	}
	c.batch, c.ahead = c.ahead[0], c.ahead[1:]
	if c.time == 0 {
		c.time = c.due // nothing in it has a time
	}
	if c.due == 0 || !c.leaps() {
		c.due = c.time
	}
	return nil
}

// leaps reports whether the batch lies far ahead of the ones before and after it, as a
// sender with a wrong clock makes it. Such a batch is read at once: it neither
// holds up the rest of the file nor advances the clock.
func (c *cursor) leaps() bool {
	const far = int64(clock.Tolerance)
	return c.time > c.due+far && slices.ContainsFunc(c.ahead, func(next batch) bool { return next.time > 0 && next.time < c.time-far })
}

// read reads a batch that is not empty. Its time is 0 if nothing in it has one.
func (c *cursor) read() (next batch, err error) {
	for {
		b, err := c.reader.next()
		if errors.Is(err, io.EOF) {
			return next, io.EOF
		}
		if err == nil {
			next.message, err = decode(b)
		}
		if err != nil {
			return next, fmt.Errorf("%s: %w", c.path, c.reader.at(err))
		}
		c.messages[next.signal]++
		if next.signal == signalMetrics {
			if next.points = next.metrics.DataPointCount(); next.points == 0 {
				continue
			}
		}
		var earliest int64
		if earliest, next.latest = next.times(); earliest != math.MaxInt64 {
			next.time = earliest
		}
		return next, nil
	}
}

// merge calls judge for every batch of all files, in the order of
// the batches' earliest times as far as each file is in order itself. It closes
// every file and returns an error for each that failed.
func merge(cursors []*cursor, progress *backtest.Progress, judge func(c *cursor) error) (failed []error, err error) {
	var files queue[*cursor]
	for _, c := range cursors {
		err := firstLook(c)
		c.close()
		switch {
		case err == nil:
			files.push(c.due, c.place, c)
		case errors.Is(err, io.EOF):
			progress.Add(c.size, 0)
		default:
			failed = append(failed, err)
			progress.Add(c.size, 0)
		}
		c.progress = progress
	}
	for files.len() > 0 {
		c := files.pop()
		err := c.step(judge)
		if err == nil {
			files.push(c.due, c.place, c)
			continue
		}
		c.close()
		if stop, ok := errors.AsType[fatal](err); ok {
			for files.len() > 0 {
				files.pop().close()
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

// fatal is an error that has nothing to do with an input.
type fatal struct{ error }

// step has the batch at the cursor judged, and goes to the next.
func (c *cursor) step(judge func(c *cursor) error) error {
	if c.file == nil {
		if err := firstLook(c); err != nil {
			return err
		}
	}
	if err := judge(c); err != nil {
		return fatal{err}
	}
	c.meter.Points += int64(c.points)
	return c.advance()
}
