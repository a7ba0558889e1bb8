// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package room divides the memory of the engine between its tables, and defines the estimated size of their entries.
// The sizes are upper bounds for entries that have learned for a day, measured on the heap.
package room

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/series"
)

const (
	// Modeled is the size of a series with a model, in bytes.
	Modeled = 12 << 10
	// Bare is the size of a series without a model, in bytes.
	Bare = 1 << 10
	// Least is the minimum memory of an engine, in bytes.
	Least = 256 << 10

	// attributeSize is the size of an attribute without its text, entrySize that of an operation or a template, in
	// bytes.
	attributeSize, entrySize = 64, 4 << 10
	// streamsShare is the maximum share of the memory for series, entriesShare that for operations, and that for
	// templates.
	streamsShare, entriesShare = 0.75, 0.125
)

// Memory is the limit of the engine's memory, in bytes. 0 is no limit.
type Memory int

// Streams returns the maximum size of the series in bytes.
func (m Memory) Streams() int { return int(streamsShare * float64(m)) }

// Entries returns the maximum number of operations, and of templates.
func (m Memory) Entries() int {
	if m == 0 {
		return math.MaxInt
	}
	return int(entriesShare * float64(m) / entrySize)
}

// Attributes returns the size of attributes in bytes. Their values are short (see internal/engine/intake).
func Attributes(m pcommon.Map) (bytes int) {
	for k, v := range m.All() {
		bytes += attributeSize + len(k)
		switch v.Type() {
		case pcommon.ValueTypeStr:
			bytes += len(v.Str())
		case pcommon.ValueTypeMap, pcommon.ValueTypeSlice, pcommon.ValueTypeBytes:
			bytes += series.MaxText
		default:
		}
	}
	return bytes
}
