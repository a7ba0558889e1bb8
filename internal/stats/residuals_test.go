// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestBuckets(t *testing.T) {
	for j := range buckets {
		lo := edgeOf(j)
		if got := bucketOf(lo); got != j {
			t.Errorf("bucket of the lower edge %g: %d, want %d", lo, got, j)
		}
		if j > 0 && bucketOf(math.Nextafter(lo, 0)) != j-1 {
			t.Errorf("just below %g: bucket %d, want %d", lo, bucketOf(math.Nextafter(lo, 0)), j-1)
		}
	}
	if edgeOf(1) != 1.0/64 || bucketOf(math.MaxFloat64) != openEdge || bucketOf(math.Inf(1)) != openEdge || bucketOf(0) != 0 {
		t.Error("the first or the last bucket is wrong")
	}
}

// Magnitudes have one side: p is P(X ≥ x), not twice that.
func TestMagnitudes(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 12))
	m, w := NewMagnitudes(), Weight(0)
	for range 20000 {
		if w.Next() {
			m.Halve()
		}
		m.Add(rng.ExpFloat64(), w.Unit(), 1)
	}
	m.Fit(w.Unit())
	if got := m.Surprise(0, w.Unit()); got > 0.001 || got < 0 {
		t.Errorf("surprise of 0 is %g", got)
	}
	for _, x := range []float64{0.5, 1, 2, 4, 6} {
		if got := m.Surprise(x, w.Unit()); math.Abs(got-x) > 0.1*x+0.05 {
			t.Errorf("surprise of %g is %g, want %g", x, got, x)
		}
	}
}

// The median of the surprise over many histories is near the true value at each quantile.
func TestMagnitudesSurprise(t *testing.T) {
	for _, c := range []struct{ x, p, factor float64 }{
		{0, 1, 1.05}, {0.6745, 0.5, 1.1}, {1.96, 0.05, 1.1}, {2.576, 0.01, 1.3}, {3.291, 0.001, 1.8}, {4.417, 1e-5, 6},
	} {
		var sum float64
		const histories = 20
		for seed := range uint64(histories) {
			m, w := learned(sizes(seed), 10000)
			sum += m.Surprise(c.x, w)
		}
		if got := math.Exp(-sum / histories); got > c.p*c.factor || got < c.p/c.factor {
			t.Errorf("p at %g σ: %.3g, want %.3g within a factor of %g", c.x, got, c.p, c.factor)
		}
	}
}

// learned returns fitted magnitudes after n draws, and the weight of a point.
func learned(draw func() float64, n int) (Magnitudes, float64) {
	m, w := NewMagnitudes(), Weight(0)
	for range n {
		if w.Next() {
			m.Halve()
		}
		m.Add(draw(), w.Unit(), 1)
	}
	m.Fit(w.Unit())
	return m, w.Unit()
}

// sizes returns a function that draws |x| of normal noise.
func sizes(seed uint64) func() float64 {
	rng := rand.New(rand.NewPCG(seed, 1))
	return func() float64 { return math.Abs(rng.NormFloat64()) }
}

// P returns a factor where p was counted, and an addend beyond the threshold.
func TestPartsOfP(t *testing.T) {
	m, w := learned(sizes(10), 5000)
	for x := 0.0; x < 8; x += 0.01 {
		p, nats := m.P(x, w)
		if got := max(0, nats-math.Log(p)); got != m.Surprise(x, w) {
			t.Fatalf("at %g: p %g, addend %g, surprise %g", x, p, nats, m.Surprise(x, w))
		}
		if tail := bucketOf(x) >= int(m.side.tail.from); tail != (nats != 0) {
			t.Fatalf("at %g: in the tail %v, addend %g", x, tail, nats)
		}
	}
}

// A heavy tail is detected in the data: the same far value is less surprising.
func TestShapeFollowsData(t *testing.T) {
	const histories = 20
	var shapes, nats [2]float64
	for seed := range uint64(histories) {
		rng := rand.New(rand.NewPCG(seed, 2))
		pareto := func() float64 { return math.Pow(rng.Float64(), -1.0/3) - 1 }
		for k, draw := range []func() float64{rng.ExpFloat64, pareto} {
			m, w := learned(draw, 10000)
			shapes[k] += float64(m.side.tail.shape) / histories
			nats[k] += m.Surprise(20, w) / histories
		}
	}
	if !(shapes[1] > shapes[0]+0.2) {
		t.Errorf("ξ is %.3f for an exponential, %.3f for a Pareto tail", shapes[0], shapes[1])
	}
	// P(X > 20) is e^-20 and 21^-3. The shrunk tail estimates a quarter of the latter.
	if nats[0] < 14 || math.Abs(nats[1]-3*math.Log(21)) > 2 {
		t.Errorf("surprise at 20: exponential %.1f, Pareto %.1f", nats[0], nats[1])
	}
}

// Beyond the seen values the surprise increases strictly within float precision.
func TestSurpriseRisesStrictly(t *testing.T) {
	var rng *rand.Rand
	for name, draw := range map[string]func() float64{
		"normal":   func() float64 { return math.Abs(rng.NormFloat64()) },
		"constant": func() float64 { return 0 },
		"heavy":    func() float64 { return math.Abs(rng.NormFloat64()) / math.Sqrt(rng.ExpFloat64()) },
		"rare":     func() float64 { return float64(min(1, int(0.01/rng.Float64()))) * 500 },
	} {
		rng = rand.New(rand.NewPCG(3, 3))
		m, w := learned(draw, 5000)
		prev := math.Inf(-1)
		for x := 1e4; x < 1e60; x *= 1.1 {
			got := m.Surprise(x, w)
			if !(got > prev) || math.IsInf(got, 0) || math.IsNaN(got) {
				t.Errorf("%s: surprise at %g is %g, but %g at the previous smaller value", name, x, got, prev)
				break
			}
			prev = got
		}
	}
}

// One outlier has little effect on the surprise of other values, at any distance.
func TestLoneOutlier(t *testing.T) {
	m, w := learned(sizes(4), 5000)
	before := m.Surprise(6, w)
	m.Add(1e9, w, 1)
	m.Fit(w)
	if after := m.Surprise(6, w); after < before-2 {
		t.Errorf("surprise at 6 σ: %.2f, after one outlier %.2f", before, after)
	}
	if m.side.tail.far > 8 {
		t.Errorf("one outlier counts as recurring: far is %g", m.side.tail.far)
	}
}

// A recurring value is not surprising, and a value that no longer recurs is forgotten.
func TestRecursAndIsForgotten(t *testing.T) {
	m, w := learned(sizes(5), 5000)
	alone := m.Surprise(50, w)
	for range 20 {
		m.Add(50, w, 1)
	}
	m.Fit(w)
	if got := m.Surprise(50, w); got > -math.Log(1e-3) || m.side.tail.far < 50 {
		t.Errorf("surprise of a value that came 20 times: %.1f (once: %.1f), far %g", got, alone, m.side.tail.far)
	}
	weight, draw := Weight(5000%HalfLife), sizes(6)
	for range 8 * HalfLife {
		if weight.Next() {
			m.Halve()
		}
		m.Add(draw(), weight.Unit(), 1)
	}
	m.Fit(weight.Unit())
	if got := m.Surprise(50, weight.Unit()); got < -math.Log(1e-8) {
		t.Errorf("after 8 half-lives the surprise is still %.1f", got)
	}
}

// Points without trust are not learned.
func TestTrust(t *testing.T) {
	m, w := learned(sizes(11), 5000)
	before := m
	for range 1000 {
		m.Add(50, w, 0)
	}
	if m != before {
		t.Error("points without trust were counted")
	}
	half, full := before, before
	for range 100 {
		half.Add(50, w, 0.5)
		full.Add(50, w, 1)
	}
	if a, b := int(half.side.total-before.side.total), int(full.side.total-before.side.total); b-2*a > 100 || 2*a-b > 100 {
		t.Errorf("100 points count %d at half trust, %d at full", a, b)
	}
}

// A count saturates, and the total equals the sum of the counts.
func TestCountsSaturate(t *testing.T) {
	m := NewMagnitudes()
	for range 40000 {
		m.Add(1, mostUnit, 1)
	}
	m.Add(2, mostUnit, 1)
	if want := uint32(math.MaxUint16 + mostUnit); m.side.total != want {
		t.Errorf("total %d, want %d", m.side.total, want)
	}
	m.Halve()
	if want := uint32(math.MaxUint16/2 + mostUnit/2); m.side.total != want {
		t.Errorf("half the total is %d, want %d", m.side.total, want)
	}
	m.Fit(leastUnit)
	if nats := m.Surprise(1, leastUnit); nats > 0.1 {
		t.Errorf("surprise of a constant value: %g", nats)
	}
}
