// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package promwrite

import "fmt"

// seriesV1 parses a TimeSeries of version 1.
func (r *Reader) seriesV1(message string) error {
	d := r.begin()
	for c := (cursor{rest: message}); c.more(); {
		if err := c.next(); err != nil {
			return err
		}
		if c.field > 4 {
			continue
		}
		m, err := c.text()
		if err != nil {
			return err
		}
		switch c.field {
		case 1:
			err = r.labelV1(m)
		case 2:
			err = r.sample(m)
		case 3:
			err = r.exemplar(m, Version1)
		case 4:
			err = r.histogram(m)
		}
		if err != nil {
			return err
		}
	}
	return r.finish(&d)
}

func (r *Reader) labelV1(message string) error {
	var name, value string
	for c := (cursor{rest: message}); c.more(); {
		if err := c.next(); err != nil {
			return err
		}
		var err error
		switch c.field {
		case 1:
			name, err = c.text()
		case 2:
			value, err = c.text()
		}
		if err != nil {
			return err
		}
	}
	return r.addLabel(r.intern(name, value))
}

// sample parses a Sample. Only version 2 has a start time.
func (r *Reader) sample(message string) error {
	if err := r.count(); err != nil {
		return err
	}
	var s Sample
	for c := (cursor{rest: message}); c.more(); {
		if err := c.next(); err != nil {
			return err
		}
		var err error
		switch c.field {
		case 1:
			s.Value, err = c.float()
		case 2:
			s.Time, err = c.int()
		case 3:
			s.Start, err = c.int()
		}
		if err != nil {
			return err
		}
	}
	r.samples = append(r.samples, s)
	return nil
}

// exemplar parses an Exemplar. Its labels have a separate slice, because they arrive between
// those of the series.
func (r *Reader) exemplar(message string, v Version) error {
	if err := r.count(); err != nil {
		return err
	}
	var e Exemplar
	before := len(r.labels)
	refs := len(r.refs)
	for c := (cursor{rest: message}); c.more(); {
		if err := c.next(); err != nil {
			return err
		}
		var err error
		switch {
		case c.field == 1 && v == Version1:
			if _, err = c.text(); err == nil {
				err = r.labelV1(c.bytes)
			}
		case c.field == 1:
			r.refs, err = numbers(&c, r.refs, refs+r.mostRefs(), wireVarint, func(v uint64) uint64 { return v })
		case c.field == 2:
			e.Value, err = c.float()
		case c.field == 3:
			e.Time, err = c.int()
		}
		if err != nil {
			return err
		}
	}
	if v == Version2 {
		fault, err := r.resolve(r.refs[refs:])
		if err != nil {
			return err
		}
		r.refs = r.refs[:refs]
		if fault.Reason != "" {
			r.labels = r.labels[:before]
			r.sink.Refused(Fault{Reason: ReasonExemplar, Detail: fault.Detail, Exemplars: 1})
			return nil
		}
	}
	e.Labels = append([]Label(nil), r.labels[before:]...)
	r.labels = r.labels[:before]
	r.exemplars = append(r.exemplars, e)
	return nil
}

// metadata parses a MetricMetadata of version 1.
func (r *Reader) metadata(message string) error {
	var m Metadata
	for c := (cursor{rest: message}); c.more(); {
		if err := c.next(); err != nil {
			return err
		}
		var err error
		switch c.field {
		case 1:
			m.Type, err = c.metricType()
		case 2:
			m.Family, err = c.text()
		case 4:
			m.Help, err = c.text()
		case 5:
			m.Unit, err = c.text()
		}
		if err != nil {
			return err
		}
	}
	if err := r.charge(pointCost); err != nil {
		return err
	}
	m.Family, m.Help, m.Unit = r.interner.text(m.Family), r.interner.text(m.Help), r.interner.text(m.Unit)
	r.sink.Metadata(m)
	return nil
}

func (c *cursor) metricType() (Type, error) {
	v, err := c.uint()
	if v >= uint64(len(typeNames)) {
		v = 0 // a type of a later version
	}
	return Type(v), err
}

// seriesV2 parses a TimeSeries of version 2.
func (r *Reader) seriesV2(message string) error {
	d := r.begin()
	r.refs = r.refs[:0]
	for c := (cursor{rest: message}); c.more(); {
		if err := c.next(); err != nil {
			return err
		}
		var err error
		if c.field == 1 {
			r.refs, err = numbers(&c, r.refs, r.mostRefs(), wireVarint, func(v uint64) uint64 { return v })
		} else if c.field <= 5 {
			var m string
			if m, err = c.text(); err == nil {
				err = r.partV2(&d, c.field, m)
			}
		}
		if err != nil {
			return err
		}
	}
	fault, err := r.resolve(r.refs)
	if err != nil {
		return err
	}
	if d.fault.Reason == "" {
		d.fault = fault
	}
	return r.finish(&d)
}

// mostRefs returns the number of references for the maximum number of labels, plus one label.
func (r *Reader) mostRefs() int { return 2*r.limits.Labels + 2 }

func (r *Reader) partV2(d *draft, field uint64, message string) error {
	switch field {
	case 2:
		return r.sample(message)
	case 3:
		return r.histogram(message)
	case 4:
		return r.exemplar(message, Version2)
	}
	for c := (cursor{rest: message}); c.more(); {
		if err := c.next(); err != nil {
			return err
		}
		var err error
		switch c.field {
		case 1:
			d.metadata.Type, err = c.metricType()
		case 3:
			d.metadata.Help, err = r.optional(d, &c)
		case 4:
			d.metadata.Unit, err = r.optional(d, &c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// optional returns the symbol of a reference that may be 0 for none.
func (r *Reader) optional(d *draft, c *cursor) (string, error) {
	ref, err := c.uint()
	if err != nil || ref == 0 {
		return "", err
	}
	if ref >= uint64(len(r.symbols)) {
		d.fault = r.missing(ref)
		return "", nil
	}
	return r.symbols[ref], nil
}

func (r *Reader) missing(ref uint64) Fault {
	return Fault{Reason: ReasonSymbol, Detail: fmt.Sprintf("a reference to symbol %d of %d", ref, len(r.symbols))}
}

// resolve appends the labels of references.
func (r *Reader) resolve(refs []uint64) (fault Fault, err error) {
	if len(refs)%2 != 0 {
		return Fault{Reason: ReasonSymbol, Detail: fmt.Sprintf("%d references to labels, expected pairs", len(refs))}, nil
	}
	for i := 0; i < len(refs); i += 2 {
		for _, ref := range refs[i : i+2] {
			if ref >= uint64(len(r.symbols)) {
				return r.missing(ref), nil
			}
		}
		if err := r.addLabel(r.symbols[refs[i]], r.symbols[refs[i+1]]); err != nil {
			return fault, err
		}
	}
	return fault, nil
}
