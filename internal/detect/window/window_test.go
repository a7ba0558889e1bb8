// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package window

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/state"
)

// held returns the values of a ring, oldest first.
func held(r *Ring, values []float32) []float32 {
	n := r.Len()
	out := make([]float32, 0, n)
	for i := range n {
		out = append(out, values[(int(r.next)-n+i+len(values))%len(values)])
	}
	return out
}

// TestRingHoldsTheLatest verifies that a ring holds the latest values, before it is full and after it has overwritten
// some.
func TestRingHoldsTheLatest(t *testing.T) {
	for _, length := range []int{1, 2, Short, Long} {
		var r Ring
		values, all := make([]float32, length), []float32{}
		for i := range 3*length + 1 {
			r.Push(values, float32(i))
			all = append(all, float32(i))
			want := all[max(0, len(all)-length):]
			require.Equal(t, want, held(&r, values), "length %d, %d values", length, i+1)
			require.Equal(t, len(want) == length, r.Full(values), "length %d, %d values", length, i+1)
		}
	}
}

// TestMean verifies the mean of the latest k values, of fewer values, and of none.
func TestMean(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var r Ring
	values := make([]float32, Short)
	assert.Zero(t, r.Mean(values, 3))
	for i := range 3 * Short {
		r.Push(values, float32(random.NormFloat64()))
		all := held(&r, values)
		for _, k := range []int{1, 2, Short / 2, Short, Short + 5} {
			want := 0.0
			for _, x := range all[max(0, len(all)-k):] {
				want += float64(x) / float64(min(k, len(all)))
			}
			assert.InDelta(t, want, r.Mean(values, k), 1e-6, "after %d values, of %d", i+1, k)
		}
	}
}

// described computes the features of values, oldest first, from their definitions.
func described(values []float32) (f Features) {
	mean := func(of []float32) (m float64) {
		for _, x := range of {
			m += float64(x) / float64(len(of))
		}
		return m
	}
	variance, m, n := 0.0, mean(values), len(values)
	for _, x := range values {
		variance += (float64(x) - m) * (float64(x) - m) / float64(n)
	}
	for i, x := range [Dims]float64{
		float64(values[n-1]), m, float64(slices.Min(values)), float64(slices.Max(values)), 2 * math.Sqrt(variance),
		mean(values[n-n/2:]) - mean(values[:n-n/2]),
	} {
		f[i] = int16(math.Round(max(-32, min(32, x)) * One))
	}
	return f
}

// TestFeatures verifies that features agree with their definitions to one step of the fixed point, at every position
// of the ring.
func TestFeatures(t *testing.T) {
	for _, length := range []int{Short, Long} {
		random := rand.New(rand.NewPCG(2, uint64(length)))
		var r Ring
		values := make([]float32, length)
		for i := range 4 * length {
			x := random.NormFloat64()
			if i%5 == 0 {
				x *= 8
			}
			r.Push(values, float32(x))
			if !r.Full(values) {
				continue
			}
			got, want := r.Features(values), described(held(&r, values))
			for k := range got {
				assert.InDelta(t, want[k], got[k], 1, "length %d, value %d, feature %d", length, i, k)
			}
		}
	}
}

// TestFeaturesAreClipped verifies that a feature beyond ±32 ranges is clipped and does not overflow.
func TestFeaturesAreClipped(t *testing.T) {
	for _, x := range []float64{1e3, -1e3, farthest, -farthest} {
		var r Ring
		values := make([]float32, Short)
		for range Short {
			r.Push(values, float32(x))
		}
		f := r.Features(values)
		want := int16(math.MaxInt16)
		if x < 0 {
			want = -want
		}
		assert.Equal(t, []int16{want, want, want, want}, f[:4], "%g", x)
		assert.Zero(t, f[5], "%g: both halves are the same", x)
	}
}

// TestUnit verifies that a unit converts values to ranges, and that one without a range maps all to 0.
func TestUnit(t *testing.T) {
	u := Unit{Origin: 100, Span: 20}
	assert.Equal(t, float32(0.5), u.Of(110))
	assert.Equal(t, float32(-1), u.Of(80))
	assert.Equal(t, float32(farthest), Unit{Span: 1e-300}.Of(1e150), "the result stays finite")
	assert.Zero(t, Unit{Origin: 100}.Of(110))
}

// TestRescale verifies that Rescale gives the values that the ring would have if they had been pushed in the new
// unit, and does not change unused places.
func TestRescale(t *testing.T) {
	from, to := Unit{Origin: 100, Span: 20}, Unit{Origin: 80, Span: 160}
	for _, n := range []int{0, 3, Short, Short + 3} {
		random := rand.New(rand.NewPCG(3, uint64(n)))
		var a, b Ring
		x, y := make([]float32, Short), make([]float32, Short)
		for range n {
			v := 100 + 20*random.NormFloat64()
			a.Push(x, from.Of(v))
			b.Push(y, to.Of(v))
		}
		a.Rescale(x, from, to)
		require.Equal(t, b, a)
		assert.InDeltaSlice(t, y, x, 1e-6, "%d values", n)
	}
}

// TestRescaleFromConstant verifies that a conversion from a unit without a range sets all values to the origin.
func TestRescaleFromConstant(t *testing.T) {
	var r Ring
	values := make([]float32, Short)
	from, to := Unit{Origin: 42}, Unit{Origin: 40, Span: 4}
	for range Short {
		r.Push(values, from.Of(42))
	}
	r.Rescale(values, from, to)
	assert.Equal(t, slices.Repeat([]float32{0.5}, Short), values)
}

// TestPowerOfTwoChangesNoFeature verifies that a factor of a power of two changes no bit of the features.
func TestPowerOfTwoChangesNoFeature(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	var a, b Ring
	x, y := make([]float32, Long), make([]float32, Long)
	u, scaled := Unit{Origin: 90, Span: 30}, Unit{Origin: 90 * 1024, Span: 30 * 1024}
	for range 3 * Long {
		v := 100 + 7*random.NormFloat64()
		a.Push(x, u.Of(v))
		b.Push(y, scaled.Of(1024*v))
		require.Equal(t, a.Features(x), b.Features(y))
	}
}

func TestStateRoundTrip(t *testing.T) {
	var r, again Ring
	values, restored := make([]float32, Short), make([]float32, Short)
	u, unit := Unit{Origin: 100, Span: 20}, Unit{}
	for i := range Short + 3 {
		r.Push(values, float32(i)/8)
	}
	c := state.Writer(nil)
	u.State(c)
	r.State(c, values)
	whole := c.Bytes()
	c = state.Reader(whole)
	unit.State(c)
	again.State(c, restored)
	require.NoError(t, c.End())
	assert.Equal(t, u, unit)
	assert.Equal(t, r, again)
	assert.Equal(t, values, restored)
	for _, bad := range [][]byte{nil, whole[:len(whole)-1], append(slices.Clip(whole), 0), bytes.Repeat([]byte{0xff}, len(whole)), bytes.Repeat([]byte{0x7f}, len(whole))} {
		c = state.Reader(bad)
		unit.State(c)
		again.State(c, restored)
		assert.Error(t, c.End(), "%d bytes", len(bad))
	}
}
