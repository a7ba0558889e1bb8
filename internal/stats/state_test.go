// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/auspex-otel/auspex/internal/state"
)

// stateful is implemented by every type here.
type stateful interface{ State(c *state.Codec) }

func write(s stateful) []byte {
	c := state.Writer(nil)
	s.State(c)
	return c.Bytes()
}

func read(s stateful, b []byte) error {
	c := state.Reader(b)
	s.State(c)
	return c.End()
}

// full returns one value of each type with a history.
func full() (m Magnitudes, p Positive, u, v Tails, w Weight) {
	rng := rand.New(rand.NewPCG(9, 9))
	m, p, u, v = NewMagnitudes(), NewPositive(), NewTails(1.25), NewStiffTails(0.5)
	for i := range 7000 {
		if w.Next() {
			m.Halve()
			p.Halve()
		}
		x, unit := rng.NormFloat64(), w.Unit()
		m.Add(x*x, unit, 1)
		p.Add(1e-6*x*x, unit, 1)
		u.Learn(x, 1)
		v.Learn(x, 0.5)
		if i%32 == 0 {
			m.Fit(unit)
			p.Fit(unit)
		}
	}
	return m, p, u, v, w
}

// All bits are restored, also of values with only the prior.
func TestStateRoundTrip(t *testing.T) {
	m, p, u, v, w := full()
	var (
		m2     Magnitudes
		p2     Positive
		u2, v2 = NewTails(1.25), NewStiffTails(0.5)
		w2     Weight
	)
	for i, c := range []struct {
		from, to stateful
		equal    func() bool
	}{
		{&m, &m2, func() bool { return m == m2 }},
		{&p, &p2, func() bool { return p == p2 }},
		{&u, &u2, func() bool { return u == u2 }},
		{&v, &v2, func() bool { return v == v2 }},
		{&w, &w2, func() bool { return w == w2 }},
	} {
		if err := read(c.to, write(c.from)); err != nil || !c.equal() {
			t.Errorf("type %d: %v, equal %v", i, err, c.equal())
		}
	}
	young := NewPositive()
	if err := read(&p2, write(&young)); err != nil || p2 != young {
		t.Errorf("a value without points: %v", err)
	}
}

func TestStateRefuses(t *testing.T) {
	m, p, u, v, w := full()
	for i, x := range []stateful{&m, &p, &u, &v, &w} {
		b := write(x)
		for n := range b {
			if read(x, b[:n]) == nil {
				t.Errorf("type %d: %d of %d bytes accepted", i, n, len(b))
			}
		}
		if read(x, append(b, 0)) == nil {
			t.Errorf("type %d: a byte too many accepted", i)
		}
		if read(x, bytes.Repeat([]byte{0xff}, len(b))) == nil {
			t.Errorf("type %d: ones accepted", i)
		}
	}
	for i, x := range []stateful{&m, &p} {
		for _, n := range []int{8, 20, 41, 160, 300} {
			if read(x, make([]byte, n)) == nil || read(x, bytes.Repeat([]byte{0xff}, n)) == nil {
				t.Errorf("type %d: %d bytes of zeros or ones accepted", i, n)
			}
		}
	}
	for name, spoil := range map[string]func(t *Tails){
		"points beyond the memory": func(t *Tails) { t.n = memoryPoints + 1 },
		"a share above 1":          func(t *Tails) { t.side[0].share = 1.5 },
		"a negative mark":          func(t *Tails) { t.side[1].body = -1 },
		"marks out of order":       func(t *Tails) { t.side[0].body = 2 * t.side[0].edge },
		"an infinite excess":       func(t *Tails) { t.side[0].excess = float32(math.Inf(1)) },
		"no number":                func(t *Tails) { t.side[1].pair = float32(math.NaN()) },
	} {
		bad, again := u, NewTails(1.25)
		spoil(&bad)
		if read(&again, write(&bad)) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if read(&w, []byte{HalfLife & 0xff, HalfLife >> 8}) == nil {
		t.Error("a weight beyond the half-life accepted")
	}
}
