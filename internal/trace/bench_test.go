// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// requests returns n traces of 16 spans through four services, in batches by service, as exporters send them.
func requests(n int, start int64) []Span {
	type shape struct {
		parent         int
		service, name  string
		kind           Kind
		offset, length int64
	}
	shapes := []shape{{-1, "front", "GET /", KindServer, 0, 100}}
	for i := range 3 {
		service, at := fmt.Sprintf("service-%d", i), int64(5+30*i)
		client := len(shapes)
		shapes = append(shapes, shape{0, "front", "call " + service, KindClient, at, 28}, shape{client, service, "handle", KindServer, at + 2, 24},
			shape{client + 1, service, "work", KindInternal, at + 3, 10}, shape{client + 2, service, "SELECT a", KindClient, at + 4, 4}, shape{client + 1, service, "SELECT b", KindClient, at + 15, 5})
	}
	spans := make([]Span, 0, n*len(shapes))
	for s := range shapes {
		for i := range n {
			x := shapes[s]
			span := Span{Service: x.service, Name: x.name, Kind: x.kind, Start: start + int64(i)*1e5 + x.offset*1e6}
			span.End = span.Start + x.length*1e6
			binary.LittleEndian.PutUint64(span.Trace[8:], uint64(start)+uint64(i)*7919)
			binary.LittleEndian.PutUint64(span.ID[:], uint64(s+1))
			if x.parent >= 0 {
				binary.LittleEndian.PutUint64(span.Parent[:], uint64(x.parent+1))
			}
			spans = append(spans, span)
		}
	}
	return spans
}

// BenchmarkObserve observes batches of 512 traces with 8,192 spans, one per second of event time.
func BenchmarkObserve(b *testing.B) {
	t := New(DefaultConfig())
	start := int64(1e18)
	batch := requests(512, start)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for i := range batch {
			s := batch[i]
			binary.LittleEndian.PutUint64(s.Trace[:8], uint64(n))
			binary.LittleEndian.PutUint64(s.Trace[8:], binary.LittleEndian.Uint64(s.Trace[8:])+uint64(n)<<40)
			s.Start += int64(n) * 1e9
			s.End += int64(n) * 1e9
			t.Observe(&s)
		}
		n++
		t.Advance(start + int64(n)*1e9)
		t.Drain(func(*Window) {}, func(*EdgeWindow) {})
	}
	b.ReportMetric(float64(n*len(batch))/b.Elapsed().Seconds(), "spans/s")
	if st := t.Status(); st.Late > 0 || st.Repeated > 0 {
		b.Fatalf("%+v: this is not what was to be measured", st)
	}
}
