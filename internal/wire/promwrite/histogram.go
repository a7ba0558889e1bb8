// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package promwrite

import (
	"fmt"
	"math"
)

// histogram parses a Histogram of either version. Only version 2 has a start time.
func (r *Reader) histogram(message string) error {
	if err := r.count(); err != nil {
		return err
	}
	var h Histogram
	for c := (cursor{rest: message}); c.more(); {
		if err := c.next(); err != nil {
			return err
		}
		var err error
		switch c.field {
		case 8, 9, 10:
			err = h.Negative.read(&c, c.field-8, r.limits.Buckets+1)
		case 11, 12, 13:
			err = h.Positive.read(&c, c.field-11, r.limits.Buckets+1)
		case 16:
			h.Bounds, err = numbers(&c, h.Bounds, r.limits.Buckets+1, wireFixed64, math.Float64frombits)
		default:
			err = h.read(&c)
		}
		if err != nil {
			return err
		}
	}
	r.histograms = append(r.histograms, h)
	return r.charge(bucketCost * (len(h.Positive.Spans) + len(h.Positive.Deltas) + len(h.Positive.Counts) +
		len(h.Negative.Spans) + len(h.Negative.Deltas) + len(h.Negative.Counts) + len(h.Bounds)))
}

// read parses a numeric field.
func (h *Histogram) read(c *cursor) (err error) {
	switch c.field {
	case 1:
		h.Count, err = c.uint()
	case 2:
		h.Float = true
		h.CountFloat, err = c.float()
	case 3:
		h.Sum, err = c.float()
	case 4:
		var v int64
		v, err = c.zigzag()
		h.Schema = int32(v)
	case 5:
		h.ZeroThreshold, err = c.float()
	case 6:
		h.ZeroCount, err = c.uint()
	case 7:
		h.ZeroCountFloat, err = c.float()
	case 14:
		var v int64
		v, err = c.int()
		h.Hint = ResetHint(v)
	case 15:
		h.Time, err = c.int()
	case 17:
		h.Start, err = c.int()
	}
	return err
}

// read parses a field of one side, with at most most elements: 0 is a span, 1 are deltas, 2 are
// counts.
func (b *Buckets) read(c *cursor, field uint64, most int) (err error) {
	switch field {
	case 1:
		b.Deltas, err = numbers(c, b.Deltas, most, wireVarint, zigzag)
		return err
	case 2:
		b.Counts, err = numbers(c, b.Counts, most, wireFixed64, math.Float64frombits)
		return err
	}
	message, err := c.text()
	if err != nil {
		return err
	}
	var s Span
	for in := (cursor{rest: message}); in.more(); {
		if err := in.next(); err != nil {
			return err
		}
		switch in.field {
		case 1:
			var v int64
			v, err = in.zigzag()
			s.Offset = int32(v)
		case 2:
			var v uint64
			v, err = in.uint()
			s.Length = uint32(v)
		}
		if err != nil {
			return err
		}
	}
	if len(b.Spans) < most {
		b.Spans = append(b.Spans, s)
	}
	return nil
}

// Walk calls do for each bucket of the spans, with its number. Bucket 0 of an exponential
// histogram has the upper bound 1, bucket 0 of one with listed bounds the first of these. Counts
// of float histograms are rounded.
func (b *Buckets) Walk(float bool, do func(number int, count uint64)) {
	number, next, count := 0, 0, int64(0)
	for _, s := range b.Spans {
		number += int(s.Offset)
		for range s.Length {
			if float {
				do(number, uint64(math.RoundToEven(b.Counts[next])))
			} else {
				count += b.Deltas[next]
				do(number, uint64(count))
			}
			next++
			number++
		}
	}
}

// Range returns the number of the first bucket and that after the last.
func (b *Buckets) Range() (first, end int) {
	if len(b.Spans) == 0 {
		return 0, 0
	}
	first = int(b.Spans[0].Offset)
	for _, s := range b.Spans {
		end += int(s.Offset) + int(s.Length)
	}
	return first, end
}

// buckets returns the number of buckets of the histogram, including the gaps between its spans.
func (h *Histogram) buckets() int {
	if IsStale(h.Sum) {
		return 0
	}
	n := len(h.Bounds)
	for _, side := range []*Buckets{&h.Positive, &h.Negative} {
		first, end := side.Range()
		n += end - first
	}
	return n
}

// Schemas of exponential histograms.
const minSchema, maxSchema = -4, 8

// check returns the fault of a histogram, or "" if it is valid.
func (h *Histogram) check(limit int) string {
	if IsStale(h.Sum) {
		return ""
	}
	custom := h.Schema == CustomBounds
	if !custom && (h.Schema < minSchema || h.Schema > maxSchema) {
		return fmt.Sprintf("a histogram of schema %d, expected %d to %d or %d", h.Schema, minSchema, maxSchema, CustomBounds)
	}
	if h.Float && !isCount(h.CountFloat) || !isCount(h.ZeroCountFloat) {
		return "a histogram with an invalid count"
	}
	positive, wrong := h.Positive.check(h.Float, limit)
	if wrong != "" {
		return wrong
	}
	negative, wrong := h.Negative.check(h.Float, limit)
	if wrong != "" {
		return wrong
	}
	if !h.Float && (positive > h.Count || negative > h.Count-positive || h.ZeroCount > h.Count-positive-negative) {
		return "a histogram whose bucket counts exceed its count"
	}
	if len(h.Bounds) > limit {
		return fmt.Sprintf("a histogram of more than %d bounds", limit)
	}
	if custom {
		return h.checkBounds()
	}
	if len(h.Bounds) > 0 {
		return "an exponential histogram with listed bounds"
	}
	return ""
}

func (h *Histogram) checkBounds() string {
	if len(h.Negative.Spans) > 0 || h.ZeroCount > 0 || h.ZeroCountFloat > 0 {
		return "a histogram with listed bounds and negative or zero buckets"
	}
	for i, b := range h.Bounds {
		if math.IsNaN(b) || math.IsInf(b, 0) || i > 0 && b <= h.Bounds[i-1] {
			return "a histogram whose bounds are not increasing"
		}
	}
	if first, end := h.Positive.Range(); first < 0 || end > len(h.Bounds)+1 {
		return fmt.Sprintf("a histogram with buckets %d to %d, but %d bounds", first, end-1, len(h.Bounds))
	}
	return ""
}

// check returns the fault of one side, or if it is valid the count of an integer histogram on
// that side.
func (b *Buckets) check(float bool, limit int) (sum uint64, wrong string) {
	length, end := uint64(0), int64(0)
	if len(b.Spans) > limit {
		return 0, fmt.Sprintf("a histogram of more than %d spans", limit)
	}
	for i, s := range b.Spans {
		if i > 0 && s.Offset < 0 {
			return 0, "a histogram whose spans overlap"
		}
		length += uint64(s.Length)
		if i > 0 {
			end += int64(s.Offset)
		}
		if end += int64(s.Length); end > int64(limit) {
			return 0, fmt.Sprintf("a histogram of more than %d buckets", limit)
		}
	}
	have := len(b.Deltas)
	if float {
		have = len(b.Counts)
	}
	if length != uint64(have) {
		return 0, fmt.Sprintf("a histogram with spans for %d buckets, but counts for %d", length, have)
	}
	if float {
		for _, c := range b.Counts {
			if !isCount(c) {
				return 0, "a histogram with an invalid bucket count"
			}
		}
		return 0, ""
	}
	count := int64(0)
	for _, d := range b.Deltas {
		if count += d; count < 0 {
			return 0, "a histogram with a bucket below 0"
		}
		if sum += uint64(count); sum > math.MaxInt64 {
			return 0, "a histogram with more than 63 bits of observations"
		}
	}
	return sum, ""
}

func isCount(v float64) bool { return v >= 0 && v < 1<<63 }
