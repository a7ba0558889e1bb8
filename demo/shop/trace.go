// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// SpanKind is the role of a span in OpenTelemetry.
type SpanKind int

// Kinds of span.
const (
	Internal SpanKind = iota
	Server
	Client
	Producer
	Consumer
)

// Attribute is a name with a value. The value is Number if Text is empty.
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
	// Error is the error.type of a failed operation. Exception is the message of its exception.
	Error, Exception string
}

// Line is a log record.
type Line struct {
	At     time.Time
	By     *Instance
	Trace  [16]byte // zero, like Span, for lines that belong to no request
	Span   [8]byte
	Failed bool
	Body   string
}

// Request is a traced request from outside the shop.
type Request struct {
	Trace [16]byte
	// Faulty reports that a fault changed the request: a part of it took longer, failed, or ended early because of
	// the fault. It is the ground truth and is not sent.
	Faulty bool
}

// trace collects the spans and lines of a traced request. A nil trace, which most requests have, collects none.
type trace struct {
	id    [16]byte
	epoch time.Time // origin of the offsets
	ink   *rand.Rand
	spans []Span
	lines []Line
	hit   bool // affected by a fault
}

// suffer records that a fault affects the request.
func (t *trace) suffer(changed bool) {
	if t != nil && changed {
		t.hit = true
	}
}

// none is the parent of a root span, and the span that a nil trace opens.
const none = -1

// at returns the time at an offset in seconds.
func (t *trace) at(offset float64) time.Time {
	return t.epoch.Add(time.Duration(offset * float64(time.Second)))
}

// open begins a span and returns its index.
func (t *trace) open(by *Instance, kind SpanKind, name string, at float64, parent int, attributes ...Attribute) int {
	s := Span{Trace: t.id, By: by, Kind: kind, Name: name, Start: t.at(at), Attributes: attributes}
	binary.BigEndian.PutUint64(s.ID[:], t.ink.Uint64()|1)
	if parent != none {
		s.Parent = t.spans[parent].ID
	}
	t.spans = append(t.spans, s)
	return len(t.spans) - 1
}

// close ends a span. failure is its error.type, or empty on success.
func (t *trace) close(span int, at float64, failure string, attributes ...Attribute) {
	s := &t.spans[span]
	s.End, s.Error = t.at(at), failure
	s.Attributes = append(s.Attributes, attributes...)
}

// say writes a log line in a span.
func (t *trace) say(span int, at float64, failed bool, line string) {
	s := &t.spans[span]
	when := t.at(at)
	t.lines = append(t.lines, Line{
		At: when, By: s.By, Trace: t.id, Span: s.ID, Failed: failed, Body: words(t.ink, line, when.Sub(s.Start)),
	})
}

// text and number return attributes.
func text(key, value string) Attribute       { return Attribute{Key: key, Text: value} }
func number(key string, value int) Attribute { return Attribute{Key: key, Number: int64(value)} }

// status returns the HTTP status code and the error.type of a request.
func status(failed bool) (code int, failure string) {
	if failed {
		return 500, "500"
	}
	return 200, ""
}
