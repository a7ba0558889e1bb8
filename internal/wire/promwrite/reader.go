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

// Limits bounds the content of a request.
type Limits struct {
	// Points is the maximum number of samples, histograms, and exemplars in a request. The limit
	// of labels is labelsPerPoint times as high, that of symbols symbolsPerPoint times.
	Points int
	// Labels is the maximum number of labels of a series.
	Labels int
	// LabelBytes is the maximum size of a name or a value, in bytes.
	LabelBytes int
	// Buckets is the maximum number of buckets of a native histogram, including those between its
	// spans.
	Buckets int
}

// labelsPerPoint bounds the mean number of labels per point of a full request.
const labelsPerPoint = 32

// symbolsPerPoint bounds the mean number of symbols per point. Most symbols are shared.
const symbolsPerPoint = 8

// These are the sizes in bytes of parts of a request, here and as data points, without their
// texts. TestCost of the receiver measures them.
const (
	pointCost  = 640
	labelCost  = 224
	symbolCost = 16
	bucketCost = 16
)

// DefaultLimits returns limits that no real client reaches.
func DefaultLimits() Limits {
	return Limits{Points: 100_000, Labels: 256, LabelBytes: 64 << 10, Buckets: 10_000}
}

// Sink receives the content of a request.
type Sink interface {
	// Series receives a series without its rejected parts.
	Series(s *Series)
	// Metadata receives the metadata of a metric family in a version 1 request.
	Metadata(m Metadata)
	// Refused receives the fault of a rejected part of the request.
	Refused(f Fault)
}

// Reader reads requests, one at a time. Its results are in slabs that the next Read reuses, so a
// warm Reader allocates only for histograms and exemplars.
type Reader struct {
	limits   Limits
	interner *interner
	sink     Sink
	memory   bounds.Memory
	denied   error // error of memory
	points   int

	last, stride int // start of the labels of the last series, and the distance to those of the series before

	symbols    []string
	refs       []uint64
	labels     []Label
	samples    []Sample
	histograms []Histogram
	exemplars  []Exemplar
	series     Series // the series passed to the sink
}

// NewReader returns a Reader with limits.
func NewReader(limits Limits) *Reader { return &Reader{limits: limits, interner: newInterner()} }

// errPoints is the cause of an Error with ReasonPoints.
var errPoints = errors.New("too much in one request")

// Read parses a request. The data for the sink does not reference content. Memory is reserved for
// all parts except texts, which never exceed the body. Read returns an error of memory unchanged.
func (r *Reader) Read(v Version, content []byte, memory bounds.Memory, sink Sink) error {
	r.reset(sink)
	r.memory = memory
	defer func() { r.sink, r.memory, r.series = nil, nil, Series{} }()
	// Every kept text is copied, so content need not be.
	body := unsafe.String(unsafe.SliceData(content), len(content)) //nolint:gosec // not used after Read
	c := cursor{rest: body}
	var err error
	if v == Version2 {
		// Symbols may follow the series that reference them.
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
		return &Error{Reason: ReasonPoints, Offset: at, Detail: fmt.Sprintf("more than the limit of %d samples, histograms, and exemplars, or %d times as many labels, or %d times as many symbols", r.limits.Points, labelsPerPoint, symbolsPerPoint)}
	}
	return &Error{Reason: ReasonMalformed, Offset: at, Detail: err.Error()}
}

func (r *Reader) reset(sink Sink) {
	r.sink, r.points, r.denied = sink, 0, nil
	r.last, r.stride = 0, 0
	// References to the previous body must not remain.
	clear(r.symbols)
	clear(r.labels)
	clear(r.histograms)
	clear(r.exemplars)
	r.symbols, r.refs, r.labels = r.symbols[:0], r.refs[:0], r.labels[:0]
	r.samples, r.histograms, r.exemplars = r.samples[:0], r.histograms[:0], r.exemplars[:0]
}

// readSymbols reads the texts of version 2. It counts them first, so that a table above the limit
// takes no memory, and others are allocated once.
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

// symbols calls do with the texts of version 2.
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

// The field numbers of the series.
const seriesFieldV1, seriesFieldV2 = 1, 5

var errOtherVersion = errors.New("it is a message of the other version: correct the content type")

// readRequest reads the series and metadata. A message of the other version parses as an empty
// one, and must be rejected to avoid data loss.
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

// count counts a point of the request.
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

// intern returns copies of a label's name and value. Most labels equal that of the previous
// series at the same position.
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

// addLabel appends a label to the current series or exemplar.
func (r *Reader) addLabel(name, value string) error {
	if len(r.labels) >= labelsPerPoint*r.limits.Points {
		return errPoints
	}
	r.labels = append(r.labels, Label{name, value})
	return r.charge(labelCost)
}

// draft holds the start of the parts of the current series in the slabs.
type draft struct {
	labels, samples, histograms, exemplars int
	fault                                  Fault // fault of its labels, if it has a reason
	metadata                               Metadata
}

func (r *Reader) begin() draft {
	r.stride, r.last = len(r.labels)-r.last, len(r.labels)
	return draft{labels: len(r.labels), samples: len(r.samples), histograms: len(r.histograms), exemplars: len(r.exemplars)}
}

// finish checks a series and passes it to the sink. It returns an error if memory is denied.
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
		// Few bytes on the wire may represent many empty buckets.
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
