// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// field returns a length-delimited field.
func field(number int, content string) string {
	b := binary.AppendUvarint(nil, uint64(number)<<3|2)
	return string(binary.AppendUvarint(b, uint64(len(content)))) + content
}

// inLogs wraps log records into a request.
func inLogs(records string) []byte { return []byte(field(1, field(2, records))) }

// inMetrics wraps data points of an exponential histogram into a request.
func inMetrics(points string) []byte { return []byte(field(1, field(2, field(2, field(10, points))))) }

func nested(levels int) string {
	// It is built from the innermost, because each level contains the length of the next one.
	var heads []string
	size := 0
	for range levels {
		h := string(binary.AppendUvarint([]byte{1<<3 | 2}, uint64(size)))
		size += len(h)
		heads = append(heads, h)
		h = string(binary.AppendUvarint([]byte{5<<3 | 2}, uint64(size)))
		size += len(h)
		heads = append(heads, h)
	}
	for i, j := 0, len(heads)-1; i < j; i, j = i+1, j-1 {
		heads[i], heads[j] = heads[j], heads[i]
	}
	return strings.Join(heads, "")
}

func TestCost(t *testing.T) {
	for name, c := range map[string]struct {
		kind  Request
		body  []byte
		least int
		most  int
	}{
		"empty":              {Logs, nil, 0, 0},
		"a long text":        {Logs, inLogs(field(2, field(5, field(1, strings.Repeat("x", 1<<20))))), 1 << 20, 1<<20 + 1500},
		"empty records":      {Logs, inLogs(strings.Repeat(field(2, ""), 1e6)), 200e6, 300e6},
		"empty attributes":   {Logs, inLogs(field(2, strings.Repeat(field(6, ""), 1e6))), 100e6, 150e6},
		"packed numbers":     {Metrics, inMetrics(field(1, field(8, field(2, strings.Repeat("\x01", 1e6))))), 30e6, 40e6},
		"numbers":            {Metrics, inMetrics(field(1, field(8, strings.Repeat("\x10\x01", 1e6)))), 30e6, 40e6},
		"as an unknown kind": {Request{}, inMetrics(field(1, field(8, field(2, strings.Repeat("\x01", 1e6))))), 30e6, 40e6},
		"nested":             {Logs, inLogs(field(2, field(5, nested(1000)))), 1000 * perLevel, 1000*perLevel + 200_000},
		"side by side":       {Logs, inLogs(field(2, field(5, field(5, strings.Repeat(field(1, nested(1)), 1000))))), 100_000, 500_000},
		"deprecated":         {Logs, []byte(field(1, field(1000, strings.Repeat(field(2, ""), 1e6)))), 200e6, 300e6},
		"a group first":      {Logs, append([]byte{3<<3 | 3}, inLogs(strings.Repeat(field(2, ""), 1e6))...), 200e6, 350e6},
		"cut":                {Logs, inLogs(strings.Repeat(field(2, ""), 1e6))[:1e6], 100e6, 300e6},
	} {
		t.Run(name, func(t *testing.T) {
			got := Cost(c.kind, c.body, math.MaxInt)
			assert.GreaterOrEqual(t, got, c.least)
			assert.LessOrEqual(t, got, c.most)
		})
	}
	assert.Greater(t, CostJSON([]byte(`{"logRecords":[`+strings.Repeat("{},", 1e6)+`{}]}`)), 300_000_000)
}

func TestCostStops(t *testing.T) {
	body := inLogs(strings.Repeat(field(2, ""), 1e6))
	assert.Less(t, Cost(Logs, body, 1e6), 2_000_000)
	assert.Greater(t, Cost(Logs, body, 1e6), 1_000_000)
}

// The scanner's own stack does not grow with the depth.
func TestCostOfDeepValues(t *testing.T) {
	assert.Less(t, Cost(Logs, inLogs(field(2, field(5, nested(MaxDepth)))), math.MaxInt), 50_000_000)
	for _, levels := range []int{MaxDepth + 1, 1_000_000} {
		assert.Equal(t, TooDeep, Cost(Logs, inLogs(field(2, field(5, nested(levels)))), math.MaxInt))
	}
}

func FuzzCost(f *testing.F) {
	f.Add(inLogs(field(2, field(5, nested(10)))))
	f.Add(inMetrics(field(1, field(8, field(2, "\x01\x02")))))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, kind := range []Request{Logs, Metrics, Traces, {}} {
			got := Cost(kind, body, math.MaxInt)
			assert.GreaterOrEqual(t, got, 0)
			if got != TooDeep {
				assert.LessOrEqual(t, got, 400*len(body)+len(body)*perLevel)
			}
			for _, most := range []int{got - 1, got} {
				assert.Equal(t, got > most, Cost(kind, body, most) > most)
			}
		}
	})
}

func BenchmarkCost(b *testing.B) {
	record := field(2, field(5, field(1, strings.Repeat("order placed ", 20)))+field(6, field(1, "key")+field(2, field(1, "value"))))
	body := inLogs(strings.Repeat(record, 1000))
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		Cost(Logs, body, math.MaxInt)
	}
}
