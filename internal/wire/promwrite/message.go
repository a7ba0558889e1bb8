// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package promwrite

import "math"

// Version is a version of the protocol.
type Version int

// The versions that are known.
const (
	Version1 Version = 1 // prometheus.WriteRequest
	Version2 Version = 2 // io.prometheus.write.v2.Request
)

// NameLabel is the label that holds the name of a metric.
const NameLabel = "__name__"

// Label is one name and its value.
type Label struct{ Name, Value string }

// Sample is a value at a time. Times are milliseconds since 1970; a start of 0 is not known.
type Sample struct {
	Value       float64
	Time, Start int64
}

// Exemplar is one observation among those that a sample sums up. A time of 0 is not known.
type Exemplar struct {
	Labels []Label
	Value  float64
	Time   int64
}

// CustomBounds is the schema of a histogram whose bounds are listed.
const CustomBounds = -53

// ResetHint is the sender's knowledge of counter resets.
type ResetHint int32

// The hints. HintGauge marks a histogram that may fall.
const (
	HintUnknown ResetHint = iota
	HintYes
	HintNo
	HintGauge
)

// Span is a run of buckets: a gap from the one before, and a length.
type Span struct {
	Offset int32
	Length uint32
}

// Buckets are the buckets on one side of zero. An integer histogram has Deltas,
// each to the bucket before, a float histogram has Counts.
type Buckets struct {
	Spans  []Span
	Deltas []int64
	Counts []float64
}

// Histogram is a native histogram at a time.
type Histogram struct {
	Time, Start        int64
	Float              bool // CountFloat and ZeroCountFloat are meant, and Counts of buckets
	Count, ZeroCount   uint64
	CountFloat         float64
	ZeroCountFloat     float64
	Sum                float64
	Schema             int32
	ZeroThreshold      float64
	Positive, Negative Buckets
	Hint               ResetHint
	Bounds             []float64 // with the schema CustomBounds
}

// Type is the type of a metric, as senders declare it.
type Type uint8

// The types, numbered as on the wire.
const (
	TypeUnknown Type = iota
	TypeCounter
	TypeGauge
	TypeHistogram
	TypeGaugeHistogram
	TypeSummary
	TypeInfo
	TypeStateSet
)

var typeNames = [...]string{"unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"}

// String is the name that Prometheus has for a type.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return typeNames[TypeUnknown]
}

// ParseType reads such a name. Another one is unknown.
func ParseType(name string) Type {
	for t, n := range typeNames {
		if n == name {
			return Type(t)
		}
	}
	return TypeUnknown
}

// Metadata describes a family of metrics.
type Metadata struct {
	Family     string // in version 1; in version 2 it belongs to its series
	Type       Type
	Help, Unit string
}

// Series is one series of a request. Its slices are valid until the Reader's next Read.
type Series struct {
	Labels     []Label // in the order of names, each once, none empty; one is NameLabel
	Unsorted   bool    // they came in another order
	Samples    []Sample
	Histograms []Histogram
	Exemplars  []Exemplar
	Metadata   Metadata
}

// Get returns the value of a label, "" if there is none.
func (s *Series) Get(name string) string {
	for i := range s.Labels {
		if s.Labels[i].Name == name {
			return s.Labels[i].Value
		}
	}
	return ""
}

// staleBits are the bits of the NaN that marks the end of a series.
const staleBits = 0x7ff0000000000002

// IsStale reports whether a value marks the end of its series. A histogram has the mark in its sum.
func IsStale(v float64) bool { return math.Float64bits(v) == staleBits }

// Stale is the value that IsStale knows.
func Stale() float64 { return math.Float64frombits(staleBits) }
