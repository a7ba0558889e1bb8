// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package promwrite

import "math"

// Version is a version of the protocol.
type Version int

// The supported versions.
const (
	Version1 Version = 1 // prometheus.WriteRequest
	Version2 Version = 2 // io.prometheus.write.v2.Request
)

// NameLabel is the label with the name of a metric.
const NameLabel = "__name__"

// Label is one name and its value.
type Label struct{ Name, Value string }

// Sample is a value at a time. Times are milliseconds since 1970; a start of 0 is unknown.
type Sample struct {
	Value       float64
	Time, Start int64
}

// Exemplar is an example of the observations of a sample. A time of 0 is unknown.
type Exemplar struct {
	Labels []Label
	Value  float64
	Time   int64
}

// CustomBounds is the schema of a histogram with listed bounds.
const CustomBounds = -53

// ResetHint is the client's knowledge of counter resets.
type ResetHint int32

// The hints. HintGauge marks a histogram that is not monotonic.
const (
	HintUnknown ResetHint = iota
	HintYes
	HintNo
	HintGauge
)

// Span is a run of buckets: the gap after the previous span, and the length.
type Span struct {
	Offset int32
	Length uint32
}

// Buckets holds the buckets on one side of zero. An integer histogram has Deltas, each relative
// to the previous bucket; a float histogram has Counts.
type Buckets struct {
	Spans  []Span
	Deltas []int64
	Counts []float64
}

// Histogram is a native histogram at a time.
type Histogram struct {
	Time, Start        int64
	Float              bool // CountFloat and ZeroCountFloat apply, and Counts of buckets
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

// Type is the type of a metric, as declared by clients.
type Type uint8

// The types, with their numbers on the wire.
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

// String returns the Prometheus name of a type.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return typeNames[TypeUnknown]
}

// ParseType parses the name of a type. Unknown names return the unknown type.
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
	Family     string // of version 1; in version 2 the metadata belongs to its series
	Type       Type
	Help, Unit string
}

// Series is one series of a request. Its slices are valid until the Reader's next Read.
type Series struct {
	Labels     []Label // sorted by name, unique and not empty; one is NameLabel
	Unsorted   bool    // they arrived unsorted
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

// IsStale reports whether a value marks the end of its series. The sum of a histogram has the
// mark.
func IsStale(v float64) bool { return math.Float64bits(v) == staleBits }

// Stale returns the value for which IsStale returns true.
func Stale() float64 { return math.Float64frombits(staleBits) }
