// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// fields has one field of every kind.
type fields struct {
	a      uint8
	b      uint16
	c      uint32
	d      int64
	e      float64
	f      float32
	es     [3]float64
	fs     [2]float32
	counts [20]uint16
	limit  uint8 // at most 9
	g      uint64
	text   string // at most 5 bytes
}

func (x *fields) state(c *Codec) {
	c.Uint8(&x.a)
	c.Uint16(&x.b)
	c.Uint32(&x.c)
	c.Int64(&x.d)
	c.Float64(&x.e)
	c.Float32(&x.f)
	c.Float64s(x.es[:])
	c.Float32s(x.fs[:])
	c.Counts(x.counts[:])
	c.Uint8(&x.limit)
	c.Check(x.limit <= 9)
	c.Uint64(&x.g)
	c.Text(&x.text, 5)
}

// sample returns fields at the ends of their ranges.
func sample() fields {
	return fields{
		a: math.MaxUint8, b: math.MaxUint16, c: math.MaxUint32, d: math.MinInt64, e: -math.MaxFloat64, f: float32(math.Inf(1)),
		es: [3]float64{math.SmallestNonzeroFloat64, math.Copysign(0, -1), 1.5}, fs: [2]float32{math.MaxFloat32, -1},
		counts: [20]uint16{0, 0, 1, 127, 128, math.MaxUint16, 0, 5, 0, 0, 0}, limit: 9, g: math.MaxUint64, text: "a\x00\xff\n\"",
	}
}

func written(x fields) []byte {
	c := Writer(nil)
	x.state(c)
	return c.Bytes()
}

func TestRoundTrip(t *testing.T) {
	want := sample()
	c := Reader(written(want))
	var got fields
	got.state(c)
	if err := c.End(); err != nil || got != want {
		t.Errorf("%v: got %+v, want %+v", err, got, want)
	}
	if math.Signbit(got.es[1]) == false {
		t.Error("the sign of -0 is lost")
	}
}

func TestWriterAppends(t *testing.T) {
	c := Writer([]byte("before"))
	v := uint16(0x0201)
	c.Uint16(&v)
	if got := c.Bytes(); !bytes.Equal(got, []byte("before\x01\x02")) || c.Reading() || c.End() != nil {
		t.Errorf("%q, reading %v, %v", got, c.Reading(), c.End())
	}
}

// TestCounts verifies that a run of zeros takes two bytes, for any length and position.
func TestCounts(t *testing.T) {
	for _, c := range []struct {
		counts []uint16
		size   int
	}{
		{nil, 0},
		{make([]uint16, 1), 2},
		{make([]uint16, 64), 2},
		{[]uint16{1, 2, 3}, 3},
		{[]uint16{128, 127}, 3},
		{[]uint16{0, 1, 0}, 5},
		{[]uint16{7, 0, 0, 0, 7}, 4},
		{[]uint16{math.MaxUint16}, 3},
		{[]uint16{0, 0, 5, 0, 0, 0, 300, 0}, 9},
	} {
		w := Writer(nil)
		w.Counts(c.counts)
		r := Reader(w.Bytes())
		got := make([]uint16, len(c.counts))
		for i := range got {
			got[i] = 99 // zeros must overwrite existing values
		}
		r.Counts(got)
		if err := r.End(); err != nil || !slices.Equal(got, c.counts) || len(w.Bytes()) != c.size {
			t.Errorf("%v: got %v in %d bytes, want %d bytes: %v", c.counts, got, len(w.Bytes()), c.size, err)
		}
	}
}

func TestCountsAtRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		want := make([]uint16, r.IntN(70))
		for i := range want {
			if r.IntN(3) == 0 {
				want[i] = uint16(r.Uint32() >> r.IntN(32))
			}
		}
		w := Writer(nil)
		w.Counts(want)
		got, c := make([]uint16, len(want)), Reader(w.Bytes())
		c.Counts(got)
		if c.End() != nil || !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

// TestLength verifies that bytes of any wrong length are rejected.
func TestLength(t *testing.T) {
	whole := written(sample())
	for n := range whole {
		c := Reader(whole[:n])
		var x fields
		x.state(c)
		if !errors.Is(c.End(), Error) {
			t.Errorf("the first %d of %d bytes are accepted", n, len(whole))
		}
	}
	c := Reader(append(whole, 0))
	var x fields
	x.state(c)
	if !errors.Is(c.End(), Error) {
		t.Error("a byte too many is accepted")
	}
}

func TestRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		write func(c *Codec)
		read  func(c *Codec)
	}{
		"float64 NaN": {func(c *Codec) { v := math.NaN(); c.Float64(&v) }, func(c *Codec) { var v float64; c.Float64(&v) }},
		"float64 Inf": {func(c *Codec) { v := math.Inf(-1); c.Float64(&v) }, func(c *Codec) { var v float64; c.Float64(&v) }},
		"float32 NaN": {func(c *Codec) { v := float32(math.NaN()); c.Float32(&v) }, func(c *Codec) { var v float32; c.Float32(&v) }},
		"a count beyond 16 bits": {
			func(c *Codec) { c.b = append(c.b, 0x80, 0x80, 0x04) },
			func(c *Codec) { c.Counts(make([]uint16, 1)) },
		},
		"more zeros than counts": {
			func(c *Codec) { c.b = append(c.b, 0, 3) },
			func(c *Codec) { c.Counts(make([]uint16, 3)) },
		},
		"a varint without an end": {
			func(c *Codec) { c.b = append(c.b, bytes.Repeat([]byte{0xff}, 12)...) },
			func(c *Codec) { c.Counts(make([]uint16, 1)) },
		},
		"a failed check": {
			func(c *Codec) { v := uint8(10); c.Uint8(&v) },
			func(c *Codec) { var v uint8; c.Uint8(&v); c.Check(v < 10) },
		},
	} {
		w := Writer(nil)
		c.write(w)
		if w.End() != nil {
			t.Errorf("%s: a writer fails", name)
		}
		r := Reader(w.Bytes())
		c.read(r)
		if !errors.Is(r.End(), Error) {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestCheck verifies that a check applies only to readers.
func TestCheck(t *testing.T) {
	w := Writer(nil)
	w.Check(false)
	if w.End() != nil {
		t.Error("a writer was checked")
	}
	r := Reader(nil)
	if r.Check(true); r.End() != nil {
		t.Error("a check that holds fails")
	}
	if r.Check(false); !errors.Is(r.End(), Error) {
		t.Error("a check that does not hold passes")
	}
	if r.Check(true); !errors.Is(r.End(), Error) {
		t.Error("a later check heals an error")
	}
}

// TestAfterError verifies that fields do not change after the first error.
func TestAfterError(t *testing.T) {
	c := Reader([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
	c.Check(false)
	want := sample()
	got := want
	got.state(c)
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func FuzzReader(f *testing.F) {
	whole := written(sample())
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(bytes.Repeat([]byte{0xff}, 100))
	f.Add(make([]byte, 100))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := Reader(b)
		var x, y fields
		if x.state(c); c.End() != nil {
			return
		}
		c = Reader(written(x))
		if y.state(c); c.End() != nil || x != y {
			t.Fatalf("%v: read %+v, again %+v", c.End(), x, y)
		}
	})
}

func TestTextThatIsTooLong(t *testing.T) {
	c := Writer(nil)
	v := "123456"
	c.Text(&v, 6)
	r := Reader(c.Bytes())
	got := "before"
	if r.Text(&got, 5); r.Ok() || r.End() == nil || got != "before" {
		t.Errorf("%q, ok %v, %v", got, r.Ok(), r.End())
	}
}
