// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/auspex-otel/auspex/internal/backtest"
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
	message
	points int
	time   int64 // the earliest of the batch

	messages [3]int // by signal, as far as it was read
}

// open begins the file from its start.
func (c *cursor) open() (err error) {
	if c.file, err = os.Open(c.path); err != nil {
		return err
	}
	c.messages = [3]int{}
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
		c.file, c.meter, c.reader, c.message = nil, nil, nil, message{}
	}
}

// advance goes to the next batch, or returns io.EOF.
func (c *cursor) advance() error {
	for {
		b, err := c.reader.next()
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		if err == nil {
			c.message, err = decode(b)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.path, c.reader.at(err))
		}
		c.messages[c.signal]++
		if c.signal == signalMetrics {
			if c.points = c.metrics.DataPointCount(); c.points == 0 {
				continue
			}
		}
		if t := c.earliest(); t != math.MaxInt64 {
			c.time = t
		}
		return nil
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
			files.push(c.time, c.place, c)
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
			files.push(c.time, c.place, c)
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
