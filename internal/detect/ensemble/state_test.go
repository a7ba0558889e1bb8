// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/auspex-otel/auspex/internal/state"
)

func written(t testing.TB, m *Model) []byte {
	t.Helper()
	b, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func restored(t testing.TB, b []byte) *Model {
	t.Helper()
	m := New(nil)
	if err := m.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestResume verifies that a model that is restored at any point continues bit-identically and has the same state.
func TestResume(t *testing.T) {
	cuts := []int{0, 1, settle, warmUp - 1, warmUp, rangeUntil - 1, rangeUntil, 511, 512, 3000}
	r := rand.New(rand.NewPCG(4, 4))
	for range 8 {
		cuts = append(cuts, r.IntN(9000))
	}
	resume(t, mixed(9000, 3), cuts) // long enough for repeated halving
}

// TestResumeInHold verifies the same during a hold, at its end, and when the new level is accepted.
func TestResumeInHold(t *testing.T) {
	for name, c := range map[string]struct{ from, to, accepted int }{
		"returns": {3000, 3009, 0}, "is accepted": {3000, 4000, 1},
	} {
		r := rand.New(rand.NewPCG(5, 5))
		xs := make([]float64, 4000)
		m, begins, ends, accepted := New(nil), 0, 0, 0
		for i := range xs {
			xs[i] = 100 + 5*r.NormFloat64()
			if i >= c.from && i < c.to {
				xs[i] += 1000
			}
			s := m.Observe(at(i), xs[i])
			switch {
			case m.hold != nil && begins == 0 && i >= c.from:
				begins = i
			case m.hold == nil && begins > 0 && ends == 0:
				ends = i
			}
			if s.Accepted {
				accepted++
			}
		}
		if begins != c.from || ends == 0 || accepted != c.accepted {
			t.Fatalf("%s: held from %d to %d, accepted %d times", name, begins, ends, accepted)
		}
		resume(t, xs, []int{begins, begins + 1, begins + 5, ends - 1, ends, ends + 1, ends + 30})
	}
}

// resume cuts xs and continues with a restored model.
func resume(t *testing.T, xs []float64, cuts []int) {
	t.Helper()
	m := New(nil)
	whole := observe(m, xs, 0)
	want := written(t, m)
	for _, cut := range cuts {
		a := New(nil)
		observe(a, xs[:cut], 0)
		b := restored(t, written(t, a))
		for i, s := range observe(b, xs, cut) {
			if !same(s, whole[cut+i]) {
				t.Fatalf("cut at %d: point %d is %+v, was %+v", cut, cut+i, s, whole[cut+i])
			}
		}
		if !bytes.Equal(written(t, b), want) {
			t.Fatalf("cut at %d: the states differ at the end", cut)
		}
	}
}

// TestAppendBinary verifies that AppendBinary keeps the existing bytes.
func TestAppendBinary(t *testing.T) {
	m := New(nil)
	observe(m, mixed(700, 4), 0)
	b, err := m.AppendBinary([]byte("before"))
	if err != nil || !bytes.Equal(b, append([]byte("before"), written(t, m)...)) || b[6] != version {
		t.Errorf("%v, %d bytes", err, len(b))
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	m := New(nil)
	observe(m, mixed(1000, 10), 0)
	good := written(t, m)
	n := len(good)
	for name, b := range map[string][]byte{
		"nothing": nil, "version alone": good[:1], "short": good[:n-1], "half": good[:n/2], "long": append(slices.Clone(good), 0),
		"other version": append([]byte{version + 1}, good[1:]...), "zeros": make([]byte, n), "ones": bytes.Repeat([]byte{0xff}, n),
		"zeros after the version": append([]byte{version}, make([]byte, n-1)...),
		"ones after the version":  append([]byte{version}, bytes.Repeat([]byte{0xff}, n-1)...),
	} {
		if err := New(nil).UnmarshalBinary(b); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := New(nil).UnmarshalBinary(good[:n/2]); !errors.Is(err, state.Error) {
		t.Errorf("the error of half a state is %v", err)
	}
	for cut := range n {
		if New(nil).UnmarshalBinary(good[:cut]) == nil {
			t.Fatalf("the first %d of %d bytes are accepted", cut, n)
		}
	}
}

// exercise passes various points to a restored model.
func exercise(t *testing.T, m *Model) {
	t.Helper()
	r := rand.New(rand.NewPCG(12, 12))
	for i, x := range mixed(700, 12) {
		switch r.IntN(50) {
		case 0:
			x = math.MaxFloat64
		case 1:
			x = -1e200
		case 2:
			x = 0
		}
		// The model returns no surprise up to the first point after the warm-up.
		if s := m.Observe(at(i), x); i > warmUp && !sane(s) {
			t.Fatalf("point %d: %+v", i, s)
		}
	}
}

// spoil overwrites n bytes of a state at a random place, with random bytes or with extreme values of a field.
func spoil(r *rand.Rand, b []byte, n int) {
	numbers := []float64{0, -1, 1e-320, -1e-300, 1e150, -1e200, math.MaxFloat64, math.Inf(1)}
	for range n {
		at, x := r.IntN(len(b)), numbers[r.IntN(len(numbers))]
		switch r.IntN(4) {
		case 0:
			copy(b[at:], binary.LittleEndian.AppendUint64(nil, math.Float64bits(x)))
		case 1:
			copy(b[at:], binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(x))))
		default:
			b[at] = byte(r.Uint32())
		}
	}
}

// TestDamagedState verifies that a state with a few changed bytes is rejected or gives a working model.
func TestDamagedState(t *testing.T) {
	m, xs := New(nil), mixed(1300, 11)
	var states [][]byte
	for i, x := range xs {
		if i%300 == 50 {
			states = append(states, written(t, m))
		}
		m.Observe(at(i), x)
	}
	r := rand.New(rand.NewPCG(13, 13))
	refused, accepted := 0, 0
	for i := range 1500 {
		b := slices.Clone(states[i%len(states)])
		spoil(r, b, 1+r.IntN(3))
		m := New(nil)
		if m.UnmarshalBinary(b) != nil {
			refused++
			continue
		}
		accepted++
		exercise(t, m)
	}
	t.Logf("%d refused, %d accepted", refused, accepted)
	if refused == 0 || accepted == 0 {
		t.Error("one of the two was not tested")
	}
}

func FuzzUnmarshalBinary(f *testing.F) {
	m := New(nil)
	for i, x := range mixed(1300, 11) {
		if i%400 == 50 {
			f.Add(written(f, m))
		}
		m.Observe(at(i), x)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := New(nil)
		if m.UnmarshalBinary(b) != nil {
			return
		}
		// Reading its state again gives the same state.
		first := written(t, m)
		if again := written(t, restored(t, first)); !bytes.Equal(first, again) {
			t.Fatal("what was accepted is written differently the second time")
		}
		exercise(t, m)
	})
}

func TestCost(t *testing.T) {
	size := unsafe.Sizeof(Model{})
	if size > 3584 {
		t.Errorf("a model takes %d bytes, want at most 3584", size)
	}
	m, xs, i := New(nil), mixed(4000, 13), 0
	if n := testing.AllocsPerRun(3500, func() { m.Observe(at(i), xs[i%len(xs)]); i++ }); n != 0 {
		t.Errorf("%v allocations per point", n)
	}
	t.Logf("%d bytes in memory, %d written", size, len(written(t, m)))
}
