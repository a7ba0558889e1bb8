// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"cmp"
	"container/heap"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// cursor stands at a batch in one file. It is closed until its turn
// comes, so that a folder of thousands of rotated files needs few open ones.
type cursor struct {
	path     string
	place    int // in the order of the inputs
	size     int64
	progress *Progress // nil for the first look

	file   *os.File // nil while closed
	meter  *metered
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
	c.meter = &metered{Reader: c.file, progress: c.progress, left: c.size}
	if c.reader, err = newMessageReader(c.meter); err != nil {
		return fmt.Errorf("%s: %w", c.path, err)
	}
	return nil
}

func (c *cursor) close() {
	if c.file != nil {
		_ = c.file.Close() // it was only read
		c.meter.end()
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
		var t int64
		switch c.signal {
		case signalMetrics:
			if c.points = c.metrics.DataPointCount(); c.points == 0 {
				continue
			}
			t = earliest(c.metrics)
		case signalLogs:
			t = earliestLog(c.logs)
		default:
			t = earliestSpan(c.traces)
		}
		if t != math.MaxInt64 {
			c.time = t
		}
		return nil
	}
}

// merge calls judge for every batch of all files, in the order of
// the batches' earliest times as far as each file is in order itself. It closes
// every file and returns an error for each that failed.
func merge(cursors []*cursor, progress *Progress, judge func(c *cursor) error) (failed []error, err error) {
	var queue cursorHeap
	for _, c := range cursors {
		err := firstLook(c)
		c.close()
		switch {
		case err == nil:
			queue = append(queue, c)
		case errors.Is(err, io.EOF):
			progress.add(c.size, 0)
		default:
			failed = append(failed, err)
			progress.add(c.size, 0)
		}
		c.progress = progress
	}
	heap.Init(&queue)
	for len(queue) > 0 {
		c := queue[0]
		err := c.step(judge)
		if err == nil {
			heap.Fix(&queue, 0)
			continue
		}
		c.close()
		heap.Pop(&queue)
		if stop, ok := errors.AsType[fatal](err); ok {
			for _, c := range queue {
				c.close()
			}
			return failed, stop.error
		}
		if !errors.Is(err, io.EOF) {
			failed = append(failed, err)
		}
	}
	return failed, nil
}

// firstLook finds the time of a file's first batch.
func firstLook(c *cursor) error {
	if err := c.open(); err != nil {
		return err
	}
	return c.advance()
}

// fatal is an error that has nothing to do with an input.
type fatal struct{ error }

// step has the batch judged that the cursor stands at, and goes to the next.
func (c *cursor) step(judge func(c *cursor) error) error {
	if c.file == nil {
		if err := firstLook(c); err != nil {
			return err
		}
	}
	if err := judge(c); err != nil {
		return fatal{err}
	}
	c.meter.points += int64(c.points)
	return c.advance()
}

// cursorHeap is a heap by time, and by the order of the inputs where times are equal.
type cursorHeap []*cursor

func (h cursorHeap) Len() int { return len(h) }
func (h cursorHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].time, h[j].time), cmp.Compare(h[i].place, h[j].place)) < 0
}
func (h cursorHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *cursorHeap) Push(x any)   { *h = append(*h, x.(*cursor)) }
func (h *cursorHeap) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	*h = (*h)[:last]
	return c
}

// earliest returns the earliest time of a batch, or the greatest number if no point has one.
func earliest(md pmetric.Metrics) int64 {
	least := int64(math.MaxInt64)
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				for i := range pointCount(m) {
					if t, _ := pointAt(m, i); int64(t) > 0 {
						least = min(least, int64(t))
					}
				}
			}
		}
	}
	return least
}

func pointCount(m pmetric.Metric) int {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints().Len()
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints().Len()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().DataPoints().Len()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().DataPoints().Len()
	case pmetric.MetricTypeSummary:
		return m.Summary().DataPoints().Len()
	default:
		return 0
	}
}

// pointAt returns the time and the attributes of a data point of any type.
func pointAt(m pmetric.Metric, i int) (pcommon.Timestamp, pcommon.Map) {
	type point interface {
		Timestamp() pcommon.Timestamp
		Attributes() pcommon.Map
	}
	var p point
	switch m.Type() {
	case pmetric.MetricTypeSum:
		p = m.Sum().DataPoints().At(i)
	case pmetric.MetricTypeHistogram:
		p = m.Histogram().DataPoints().At(i)
	case pmetric.MetricTypeExponentialHistogram:
		p = m.ExponentialHistogram().DataPoints().At(i)
	case pmetric.MetricTypeSummary:
		p = m.Summary().DataPoints().At(i)
	default:
		p = m.Gauge().DataPoints().At(i)
	}
	return p.Timestamp(), p.Attributes()
}
