// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/auspex-otel/auspex/internal/state"
)

// stateful is what every type here does.
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

// full returns one of each type with a history.
func full() (r Residuals, m Magnitudes, s Signed, p Positive, k Rank, w Weight) {
	rng := rand.New(rand.NewPCG(9, 9))
	r, m, s, p, k = NewResiduals(), NewMagnitudes(), NewSigned(), NewPositive(), NewRank(0.5)
	s.Center = 12
	for i := range 7000 {
		if w.Next() {
			r.Halve()
			m.Halve()
			s.Halve()
			p.Halve()
			k.Halve()
		}
		x, u := rng.NormFloat64(), w.Unit()
		r.Add(x, u, 1)
		m.Add(x*x, u, 1)
		s.Add(1e6*x, u, 1)
		p.Add(1e-6*x*x, u, 1)
		k.Add(x*x/2, u, 1)
		if i%32 == 0 {
			r.Fit(u)
			m.Fit(u)
			s.Fit(u)
			p.Fit(u)
			k.Fit(u, 0.5)
		}
	}
	return r, m, s, p, k, w
}

// To the bit, also of what knows only the prior.
func TestStateRoundTrip(t *testing.T) {
	r, m, s, p, k, w := full()
	var (
		r2 Residuals
		m2 Magnitudes
		s2 Signed
		p2 Positive
		k2 Rank
		w2 Weight
	)
	for i, c := range []struct {
		from, to stateful
		equal    func() bool
	}{
		{&r, &r2, func() bool { return r == r2 }},
		{&m, &m2, func() bool { return m == m2 }},
		{&s, &s2, func() bool { return s == s2 }},
		{&p, &p2, func() bool { return p == p2 }},
		{&k, &k2, func() bool { return k == k2 }},
		{&w, &w2, func() bool { return w == w2 }},
	} {
		if err := read(c.to, write(c.from)); err != nil || !c.equal() {
			t.Errorf("type %d: %v, equal %v", i, err, c.equal())
		}
	}
	young := NewSigned()
	if err := read(&s2, write(&young)); err != nil || s2 != young {
		t.Errorf("one that has seen nothing: %v", err)
	}
}

func TestStateRefuses(t *testing.T) {
	r, m, s, p, k, w := full()
	for i, x := range []stateful{&r, &m, &s, &p, &k, &w} {
		b := write(x)
		for n := range b {
			if read(x, b[:n]) == nil {
				t.Errorf("type %d: %d of %d bytes accepted", i, n, len(b))
			}
		}
		if read(x, append(b, 0)) == nil {
			t.Errorf("type %d: a byte too many accepted", i)
		}
	}
	for i, x := range []stateful{&r, &m, &s, &p, &k} {
		for _, n := range []int{8, 20, 41, 160, 300} {
			if read(x, make([]byte, n)) == nil || read(x, bytes.Repeat([]byte{0xff}, n)) == nil {
				t.Errorf("type %d: %d bytes of zeros or ones accepted", i, n)
			}
		}
	}
	if read(&w, []byte{HalfLife & 0xff, HalfLife >> 8}) == nil {
		t.Error("a weight beyond the half-life accepted")
	}
}
