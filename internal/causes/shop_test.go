// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package causes

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"github.com/auspex-otel/auspex/internal/trace"
)

// shop is a small system with known faults: front calls cart, pay, and mail, and pay calls bank. It sends one request
// per second of event time.
type shop struct {
	random *rand.Rand
	a      *Accumulator
	name   func(string) string
	offset int64 // of all times
	spans  []trace.Span
	lines  []Line
	nextID uint64
	fault  string // from faultAt on
}

const (
	second  = int64(1e9)
	faultAt = 1200 * second
	askedAt = faultAt + 180*second
)

func newShop(seed uint64, fault string) *shop {
	return &shop{
		random: rand.New(rand.NewPCG(seed, 7)), a: New(DefaultConfig()), fault: fault,
		name: func(s string) string { return s }, offset: 1_700_000_000 * second / (10 * second) * (10 * second),
	}
}

// run simulates until a time.
func (s *shop) run(until int64) {
	for t := int64(0); t < until; t += second {
		s.request(t)
		if t%(15*second) == 0 {
			s.resources(t)
		}
		for i := range s.spans {
			s.a.Span(&s.spans[i])
		}
		for i := range s.lines {
			s.a.Line(&s.lines[i])
		}
		s.spans, s.lines = s.spans[:0], s.lines[:0]
		s.a.Advance(s.offset + t)
	}
}

func (s *shop) suspects(until int64) (names []string) {
	for _, x := range s.a.Blame(s.offset+faultAt, s.offset+until, nil) {
		names = append(names, x.Service)
	}
	return names
}

// is reports whether a fault is active at a time, in four of five requests.
func (s *shop) is(fault string, t int64) bool {
	return s.fault == fault && t >= faultAt && s.random.Float64() < 0.8
}

// takes returns a duration of about the given milliseconds.
func (s *shop) takes(ms float64) int64 {
	return int64(ms * math.Exp(0.25*s.random.NormFloat64()) * 1e6)
}

// call simulates a span of an operation. do simulates its content and returns its end.
func (s *shop) call(traceID uint64, parent uint64, service, name string, kind trace.Kind, start int64, do func(id uint64, t int64) (int64, bool)) int64 {
	s.nextID++
	id := s.nextID
	end, failed := do(id, start)
	x := trace.Span{Service: s.name(service), Name: s.name(name), Kind: kind, Start: s.offset + start, End: s.offset + end, Error: failed}
	binary.BigEndian.PutUint64(x.Trace[8:], traceID)
	binary.BigEndian.PutUint64(x.ID[:], id)
	binary.BigEndian.PutUint64(x.Parent[:], parent)
	s.spans = append(s.spans, x)
	return end
}

// remote simulates a call to another service over the network.
func (s *shop) remote(traceID, parent uint64, caller, callee, name string, start int64, do func(id uint64, t int64) (int64, bool)) int64 {
	network := func() int64 {
		if s.fault == "network "+callee && start >= faultAt {
			return s.takes(30)
		}
		return s.takes(1)
	}
	return s.call(traceID, parent, caller, "call "+name, trace.KindClient, start, func(id uint64, t int64) (int64, bool) {
		return s.call(traceID, id, callee, name, trace.KindServer, t+network(), do) + network(), false
	})
}

func (s *shop) line(traceID, span uint64, service string, template uint64, t int64) {
	l := Line{Service: s.name(service), Template: template, Time: s.offset + t}
	binary.BigEndian.PutUint64(l.Trace[8:], traceID)
	binary.BigEndian.PutUint64(l.Span[:], span)
	s.lines = append(s.lines, l)
}

func (s *shop) request(t int64) {
	s.nextID++
	traceID := s.nextID
	s.call(traceID, 0, "front", "order", trace.KindServer, t+int64(s.random.IntN(1e6)), func(id uint64, t int64) (int64, bool) {
		t = s.remote(traceID, id, "front", "cart", "items", t+s.takes(1), func(cart uint64, t int64) (int64, bool) {
			if s.is("exception in cart", t) {
				s.line(traceID, cart, "cart", 99, t)
				return t + s.takes(1), true
			}
			s.line(traceID, cart, "cart", 1, t)
			return t + s.takes(4), false
		})
		if s.random.Float64() < 0.3 { // not every visitor buys
			return t + s.takes(1), false
		}
		t = s.remote(traceID, id, "front", "pay", "charge", t+s.takes(1), func(pay uint64, t int64) (int64, bool) { return s.pay(traceID, pay, t) })
		return s.remote(traceID, id, "front", "mail", "send", t+s.takes(1), func(_ uint64, t int64) (int64, bool) { return t + s.takes(6), false }), false
	})
}

func (s *shop) pay(traceID, pay uint64, t int64) (int64, bool) {
	s.line(traceID, pay, "pay", 2, t)
	if s.is("early return in pay", t) {
		return t + s.takes(1), false
	}
	t = s.remote(traceID, pay, "pay", "bank", "transfer", t+s.takes(2), func(_ uint64, t int64) (int64, bool) {
		if s.is("slow bank", t) {
			return t + s.takes(120), false
		}
		return t + s.takes(20), false
	})
	s.line(traceID, pay, "pay", 3, t)
	return t + s.takes(1), false
}

func (s *shop) resources(t int64) {
	for _, service := range []string{"front", "cart", "pay", "mail", "bank"} {
		cpu := 100 * math.Exp(0.2*s.random.NormFloat64())
		if s.fault == "busy "+service && t >= faultAt {
			cpu *= 8
		}
		s.a.Use(s.name(service), s.name(service+"-pod"), "cpu", cpu, s.offset+t)
	}
}
