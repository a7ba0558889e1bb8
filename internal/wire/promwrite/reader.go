// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package promwrite

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"github.com/auspex-otel/auspex/internal/wire/bounds"
)

// Limits bound what a request may hold.
type Limits struct {
	// Points is the most samples, histograms and exemplars of a request. Labels may
	// be labelsPerPoint times as many, and symbols symbolsPerPoint times.
	Points int
	// Labels is the most labels of a series.
	Labels int
	// LabelBytes is the most bytes of a name or a value.
	LabelBytes int
	// Buckets is the most buckets of a native histogram, those between its spans included.
	Buckets int
}

// labelsPerPoint bounds the mean number of labels per point of a full request.
const labelsPerPoint = 32

// symbolsPerPoint is the same for symbols, of which most are those of other points too.
const symbolsPerPoint = 8

// Memory in bytes that parts of a request need here and as data points, without
// their texts. TestCost of the receiver measures them.
const (
	pointCost  = 640
	labelCost  = 224
	symbolCost = 16
	bucketCost = 16
)

// DefaultLimits are far above what senders send.
func DefaultLimits() Limits {
	return Limits{Points: 100_000, Labels: 256, LabelBytes: 64 << 10, Buckets: 10_000}
}

// Sink gets what a request holds.
type Sink interface {
	// Series gets a series without what was refused of it.
	Series(s *Series)
	// Metadata receives the metadata of a metric family from a request of version 1.
	Metadata(m Metadata)
	// Refused gets what is wrong with a part of the request.
	Refused(f Fault)
}

// Reader reads requests, one at a time. What it hands out lies in slabs that the
// next Read uses again, so a warm Reader allocates for histograms and exemplars alone.
type Reader struct {
	limits   Limits
	interner *interner
	sink     Sink
	memory   bounds.Memory
	denied   error // of memory
	points   int

	last, stride int // where the labels of the last series begin, and how many places those of the one before are behind

	symbols    []string
	refs       []uint64
	labels     []Label
	samples    []Sample
	histograms []Histogram
	exemplars  []Exemplar
	series     Series // the one that is being handed out
}

// NewReader returns a Reader with limits.
func NewReader(limits Limits) *Reader { return &Reader{limits: limits, interner: newInterner()} }

// errPoints is the cause of an Error with ReasonPoints.
var errPoints = errors.New("too much in one request")

// Read reads a request. What the sink gets holds nothing of the body. Memory is
// reserved for what is read, apart from the texts, which are never larger than the
// body; an error of memory ends Read as it is.
func (r *Reader) Read(v Version, content []byte, memory bounds.Memory, sink Sink) error {
	r.reset(sink)
	r.memory = memory
	defer func() { r.sink, r.memory, r.series = nil, nil, Series{} }()
	// Every text that is kept is copied, so the content need not be.
	body := unsafe.String(unsafe.SliceData(content), len(content)) //nolint:gosec // it is not used after Read
	c := cursor{rest: body}
	var err error
	if v == Version2 {
		// Symbols may come after what refers to them.
		if err = r.readSymbols(&c); err == nil {
			c = cursor{rest: body}
			err = r.readRequest(&c, Version2, r.seriesV2)
		}
	} else {
		err = r.readRequest(&c, Version1, r.seriesV1)
	}
	if err == nil {
		return nil
	}
	if r.denied != nil {
		return r.denied
	}
	at := len(body) - len(c.rest)
	if errors.Is(err, errPoints) {
		return &Error{Reason: ReasonPoints, Offset: at, Detail: fmt.Sprintf("more than the limit of %d samples, histograms and exemplars, or %d times as many labels, or %d times as many symbols", r.limits.Points, labelsPerPoint, symbolsPerPoint)}
	}
	return &Error{Reason: ReasonMalformed, Offset: at, Detail: err.Error()}
}

func (r *Reader) reset(sink Sink) {
	r.sink, r.points, r.denied = sink, 0, nil
	r.last, r.stride = 0, 0
	// Of the body before nothing may be held.
	clear(r.symbols)
	clear(r.labels)
	clear(r.histograms)
	clear(r.exemplars)
	r.symbols, r.refs, r.labels = r.symbols[:0], r.refs[:0], r.labels[:0]
	r.samples, r.histograms, r.exemplars = r.samples[:0], r.histograms[:0], r.exemplars[:0]
}

// readSymbols reads the texts of version 2. It counts them first, so that what is
// above the limit takes no memory, and the rest takes it once.
func (r *Reader) readSymbols(c *cursor) error {
	n, counted := 0, *c
	if err := counted.symbols(func(string) { n++ }); err != nil {
		return err
	}
	if n > symbolsPerPoint*r.limits.Points {
		return errPoints
	}
	if err := r.charge(n * symbolCost); err != nil {
		return err
	}
	r.symbols = slices.Grow(r.symbols, n)
	return c.symbols(func(text string) { r.symbols = append(r.symbols, r.interner.text(text)) })
}

// symbols hands out the texts of version 2.
func (c *cursor) symbols(do func(text string)) error {
	for c.more() {
		if err := c.next(); err != nil {
			return err
		}
		if c.field != 4 {
			continue
		}
		text, err := c.text()
		if err != nil {
			return err
		}
		do(text)
	}
	return nil
}

// The numbers of the fields with the series.
const seriesFieldV1, seriesFieldV2 = 1, 5

var errOtherVersion = errors.New("it is a message of the other version: the content type is wrong")

// readRequest reads the series, and metadata. A message of the other version
// looks like an empty one, and to accept it would be to lose it.
func (r *Reader) readRequest(c *cursor, v Version, series func(string) error) error {
	own, other := uint64(seriesFieldV1), uint64(seriesFieldV2)
	if v == Version2 {
		own, other = other, own
	}
	foreign, known := false, false
	for c.more() {
		if err := c.next(); err != nil {
			return err
		}
		foreign = foreign || c.field == other
		if c.field != own && (c.field != 3 || v != Version1) {
			continue
		}
		known = true
		message, err := c.text()
		if err != nil {
			return err
		}
		if c.field == own {
			err = series(message)
		} else {
			err = r.metadata(message)
		}
		if err != nil {
			return err
		}
	}
	if foreign && !known {
		return errOtherVersion
	}
	return nil
}

// count adds a point to those of the request.
func (r *Reader) count() error {
	if r.points++; r.points > r.limits.Points {
		return errPoints
	}
	return r.charge(pointCost)
}

// charge reserves memory.
func (r *Reader) charge(n int) error {
	if err := r.memory.Reserve(n); err != nil {
		r.denied = err
	}
	return r.denied
}

// intern returns copies of a label's name and value. Most labels are those that
// the series before has in the same place.
func (r *Reader) intern(name, value string) (string, string) {
	var before Label
	if i := len(r.labels) - r.stride; i >= 0 && i < len(r.labels) {
		before = r.labels[i]
	}
	if before.Name != name {
		before.Name = r.interner.text(name)
	}
	if before.Value != value {
		before.Value = r.interner.text(value)
	}
	return before.Name, before.Value
}

// addLabel appends a label to those of the series or the exemplar that is being read.
func (r *Reader) addLabel(name, value string) error {
	if len(r.labels) >= labelsPerPoint*r.limits.Points {
		return errPoints
	}
	r.labels = append(r.labels, Label{name, value})
	return r.charge(labelCost)
}

// draft is a series while it is read: where its parts begin in the slabs.
type draft struct {
	labels, samples, histograms, exemplars int
	fault                                  Fault // of its labels, if it has a reason
	metadata                               Metadata
}

func (r *Reader) begin() draft {
	r.stride, r.last = len(r.labels)-r.last, len(r.labels)
	return draft{labels: len(r.labels), samples: len(r.samples), histograms: len(r.histograms), exemplars: len(r.exemplars)}
}

// finish checks a series and hands it out. It returns an error if memory is denied.
func (r *Reader) finish(d *draft) error {
	own := r.labels[d.labels:len(r.labels):len(r.labels)]
	r.series = Series{Labels: own, Metadata: d.metadata}
	s := &r.series
	if d.fault.Reason == "" {
		s.Labels, s.Unsorted, d.fault = r.checkLabels(own)
	}
	if d.fault.Reason == "" && s.Get(NameLabel) == "" {
		d.fault = Fault{Reason: ReasonNoName, Detail: "a series has no " + NameLabel + describe(own)}
	}
	if d.fault.Reason != "" {
		d.fault.Samples, d.fault.Histograms, d.fault.Exemplars = len(r.samples)-d.samples, len(r.histograms)-d.histograms, len(r.exemplars)-d.exemplars
		r.sink.Refused(d.fault)
		return nil
	}
	s.Samples = r.checkSamples(s, r.samples[d.samples:])
	s.Histograms = r.checkHistograms(s, r.histograms[d.histograms:])
	s.Exemplars = r.checkExemplars(s, r.exemplars[d.exemplars:])
	if r.denied == nil {
		r.sink.Series(s)
	}
	return r.denied
}

// lastTime is the last millisecond that fits into 64 bits of nanoseconds.
const lastTime = math.MaxInt64 / 1_000_000

func validTime(t int64) bool { return t > 0 && t <= lastTime }

func (r *Reader) checkSamples(s *Series, list []Sample) []Sample {
	kept := list[:0]
	for _, sample := range list {
		if !validTime(sample.Time) {
			r.sink.Refused(Fault{Reason: ReasonTimestamp, Detail: fmt.Sprintf("a sample at %d ms%s", sample.Time, describe(s.Labels)), Samples: 1})
			continue
		}
		if !validTime(sample.Start) || sample.Start > sample.Time {
			sample.Start = 0
		}
		kept = append(kept, sample)
	}
	return kept
}

func (r *Reader) checkHistograms(s *Series, list []Histogram) []Histogram {
	kept := list[:0]
	for i := range list {
		h := &list[i]
		fault := Fault{Histograms: 1}
		if !validTime(h.Time) {
			fault.Reason, fault.Detail = ReasonTimestamp, fmt.Sprintf("a histogram at %d ms%s", h.Time, describe(s.Labels))
		} else if wrong := h.check(r.limits.Buckets); wrong != "" {
			fault.Reason, fault.Detail = ReasonHistogram, wrong+describe(s.Labels)
		}
		if fault.Reason != "" {
			r.sink.Refused(fault)
			continue
		}
		// Few bytes on the wire may stand for many empty buckets.
		if r.charge(bucketCost*h.buckets()) != nil {
			return nil
		}
		if !validTime(h.Start) || h.Start > h.Time {
			h.Start = 0
		}
		kept = append(kept, *h)
	}
	return kept
}

func (r *Reader) checkExemplars(s *Series, list []Exemplar) []Exemplar {
	kept := list[:0]
	for _, e := range list {
		labels, _, fault := r.checkLabels(e.Labels)
		if fault.Reason == "" && e.Time != 0 && !validTime(e.Time) {
			fault.Detail = fmt.Sprintf("an exemplar at %d ms", e.Time)
			fault.Reason = ReasonExemplar
		}
		if fault.Reason != "" {
			r.sink.Refused(Fault{Reason: ReasonExemplar, Detail: fault.Detail + describe(s.Labels), Exemplars: 1})
			continue
		}
		e.Labels = labels
		kept = append(kept, e)
	}
	return kept
}
