// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// SpanKind is the role of a span, as OpenTelemetry has it.
type SpanKind int

// The kinds of span.
const (
	Internal SpanKind = iota
	Server
	Client
	Producer
	Consumer
)

// Attribute is a name and a value, which is Number if Text is empty.
type Attribute struct {
	Key, Text string
	Number    int64
}

// Span is a finished operation of a pod.
type Span struct {
	Trace      [16]byte
	ID, Parent [8]byte // Parent is zero at the root
	By         *Instance
	Kind       SpanKind
	Name       string
	Start, End time.Time
	Attributes []Attribute
	// Error is the error.type of an operation that failed; Exception is the message of what was thrown in it.
	Error, Exception string
}

// Line is a log record.
type Line struct {
	At     time.Time
	By     *Instance
	Trace  [16]byte // zero, as is Span, for what belongs to no request
	Span   [8]byte
	Failed bool
	Body   string
}

// Request is a request from outside the shop that is followed.
type Request struct {
	Trace [16]byte
	// Faulty says that a fault has changed its course: something in it took longer, failed or ended
	// early that would not have without the fault. It is the ground truth, and is never sent.
	Faulty bool
}

// trace is a request that is being followed. A nil trace follows nothing: most requests have one.
type trace struct {
	id    [16]byte
	epoch time.Time // what offsets count from
	ink   *rand.Rand
	spans []Span
	lines []Line
	hit   bool // a fault has changed its course
}

// suffer notes that a fault changes the course of the request.
func (t *trace) suffer(changed bool) {
	if t != nil && changed {
		t.hit = true
	}
}

// none is the parent of a root, and what a nil trace opens.
const none = -1

// at is the time at an offset, in seconds.
func (t *trace) at(offset float64) time.Time {
	return t.epoch.Add(time.Duration(offset * float64(time.Second)))
}

// open begins a span and returns its place.
func (t *trace) open(by *Instance, kind SpanKind, name string, at float64, parent int, attributes ...Attribute) int {
	s := Span{Trace: t.id, By: by, Kind: kind, Name: name, Start: t.at(at), Attributes: attributes}
	binary.BigEndian.PutUint64(s.ID[:], t.ink.Uint64()|1)
	if parent != none {
		s.Parent = t.spans[parent].ID
	}
	t.spans = append(t.spans, s)
	return len(t.spans) - 1
}

// close ends a span. failure is its error.type, empty if all went well.
func (t *trace) close(span int, at float64, failure string, attributes ...Attribute) {
	s := &t.spans[span]
	s.End, s.Error = t.at(at), failure
	s.Attributes = append(s.Attributes, attributes...)
}

// say writes a line in a span.
func (t *trace) say(span int, at float64, failed bool, line string) {
	s := &t.spans[span]
	when := t.at(at)
	t.lines = append(t.lines, Line{
		At: when, By: s.By, Trace: t.id, Span: s.ID, Failed: failed, Body: words(t.ink, line, when.Sub(s.Start)),
	})
}

// text and number are attributes.
func text(key, value string) Attribute       { return Attribute{Key: key, Text: value} }
func number(key string, value int) Attribute { return Attribute{Key: key, Number: int64(value)} }

// status is the HTTP status code of a request, failure its error.type.
func status(failed bool) (code int, failure string) {
	if failed {
		return 500, "500"
	}
	return 200, ""
}
