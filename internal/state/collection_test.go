// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"errors"
	"math"
	"reflect"
	"testing"
	"time"
)

// collections has one field of every kind in collection.go.
type collections struct {
	yes, no bool
	n       int
	nan     float64
	text    string
	zero    time.Time
	at      time.Time
	list    []uint64
	none    []uint64
	m       map[string]uint64
}

func (x *collections) state(c *Codec) {
	c.Bool(&x.yes)
	c.Bool(&x.no)
	c.Int(&x.n)
	c.Bits(&x.nan)
	c.String(&x.text)
	c.Time(&x.zero)
	c.Time(&x.at)
	List(c, &x.list, 8, c.Uint64)
	List(c, &x.none, 8, c.Uint64)
	Map(c, &x.m, 12, c.String, c.Uint64)
}

func TestCollectionsRoundTrip(t *testing.T) {
	want := collections{
		yes: true, n: math.MinInt, nan: math.Inf(1), text: "ü", at: time.Unix(5, 6).UTC(),
		list: []uint64{3, 1}, m: map[string]uint64{"b": 1, "a": 2, "": 3},
	}
	w := Writer(nil)
	want.state(w)
	var got collections
	r := Reader(w.Bytes())
	got.state(r)
	if err := r.End(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v: got %+v, want %+v", err, got, want)
	}
	for n := range w.Bytes() {
		r := Reader(w.Bytes()[:n])
		(&collections{}).state(r)
		if !errors.Is(r.End(), Error) {
			t.Errorf("the first %d bytes are accepted", n)
		}
	}
}

// TestLengthsAreBoundedByWhatFollows verifies that a length in a damaged file does not determine the allocated
// memory.
func TestLengthsAreBoundedByWhatFollows(t *testing.T) {
	for _, n := range []uint32{2, 1 << 20, math.MaxUint32} {
		w := Writer(nil)
		w.Uint32(&n)
		one := uint64(1)
		w.Uint64(&one)
		var list []uint64
		r := Reader(w.Bytes())
		List(r, &list, 8, r.Uint64)
		if !errors.Is(r.End(), Error) || list != nil {
			t.Errorf("%d items in 8 bytes are accepted: %v", n, list)
		}
	}
}

// TestMapKeysAscend verifies that unordered and repeated keys are rejected.
func TestMapKeysAscend(t *testing.T) {
	for _, keys := range [][2]uint8{{2, 1}, {1, 1}} {
		w := Writer([]byte{2, 0, 0, 0, keys[0], keys[1]})
		var m map[uint8]struct{}
		r := Reader(w.Bytes())
		Map(r, &m, 1, r.Uint8, func(*struct{}) {})
		if !errors.Is(r.End(), Error) {
			t.Errorf("keys %v are accepted", keys)
		}
	}
}

func TestWordsAreStoredOnce(t *testing.T) {
	list := []string{"a", "", "a", "other", "", "other"}
	w := Writer(nil)
	var words Words
	for i := range list {
		words.Text(w, &list[i])
	}
	if got, want := len(w.Bytes()), 6+3*4+6; got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
	r := Reader(w.Bytes())
	var read Words
	for _, want := range list {
		var got string
		if read.Text(r, &got); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if r.End() != nil {
		t.Error("words cannot be read")
	}
	r = Reader([]byte{1})
	var none string
	if new(Words).Text(r, &none); r.End() == nil {
		t.Error("a place beyond the list is accepted")
	}
}

func TestIndex(t *testing.T) {
	for _, want := range []int{0, 127, 128, math.MaxInt32} {
		w := Writer(nil)
		w.Index(&want)
		r, got := Reader(w.Bytes()), -1
		if r.Index(&got); got != want || r.End() != nil {
			t.Errorf("got %d, want %d", got, want)
		}
	}
	tooLarge := math.MaxInt32 + 1
	w := Writer(nil)
	w.Index(&tooLarge)
	r, got := Reader(w.Bytes()), 7
	if r.Index(&got); got != 7 || r.End() == nil {
		t.Error("an index beyond the bound is accepted")
	}
}

// TestSection verifies that a section is complete if its state is, and that its length is exact.
func TestSection(t *testing.T) {
	for _, complete := range []bool{false, true} {
		v := uint16(7)
		fields := func(c *Codec) {
			if c.Uint16(&v); c.Complete() {
				c.Uint16(&v)
			}
		}
		w := Writer([]byte{9})
		w.SetComplete(complete)
		w.Section(fields)
		b := w.Bytes()[1:]
		if want := map[bool]int{false: 6, true: 8}[complete]; len(b) != want {
			t.Errorf("complete %v: %d bytes, want %d", complete, len(b), want)
		}
		for _, same := range []bool{true, false} {
			r := Reader(b)
			r.SetComplete(complete == same)
			if r.Section(fields); (r.End() == nil) != same {
				t.Errorf("complete %v, read as the same %v: %v", complete, same, r.End())
			}
		}
	}
}
