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
			t.Errorf("bucket of its own lower edge %g: %d, want %d", lo, got, j)
		}
		if j > 0 && bucketOf(math.Nextafter(lo, 0)) != j-1 {
			t.Errorf("just below %g: bucket %d, want %d", lo, bucketOf(math.Nextafter(lo, 0)), j-1)
		}
	}
	if edgeOf(1) != 1.0/64 || bucketOf(math.MaxFloat64) != openEdge || bucketOf(math.Inf(1)) != openEdge || bucketOf(0) != 0 {
		t.Error("the ends of the buckets are wrong")
	}
}

// learn feeds n draws with forgetting and fits.
func learn(draw func() float64, n int) (Residuals, float64) {
	r, w := NewResiduals(), Weight(0)
	for range n {
		if w.Next() {
			r.Halve()
		}
		r.Add(draw(), w.Unit(), 1)
	}
	r.FitBand(w.Unit())
	return r, w.Unit()
}

// counted returns what all points weigh together.
func counted(r *Residuals) float64 { return float64(r.side[0].total) + float64(r.side[1].total) }

func normal(seed uint64) func() float64 {
	rng := rand.New(rand.NewPCG(seed, 1))
	return rng.NormFloat64
}

// The median over many histories of ln p at a quantile is near the truth.
func TestResidualsLogP(t *testing.T) {
	for _, c := range []struct{ x, p, factor float64 }{
		{0, 1, 1.05}, {0.6745, 0.5, 1.1}, {1.96, 0.05, 1.1}, {2.576, 0.01, 1.3}, {3.291, 0.001, 1.8}, {4.417, 1e-5, 6},
	} {
		for _, sign := range []float64{1, -1} {
			var sum float64
			const histories = 20
			for seed := range uint64(histories) {
				r, w := learn(normal(seed), 10000)
				sum += r.LogP(sign*c.x, w)
			}
			if got := math.Exp(sum / histories); got > c.p*c.factor || got < c.p/c.factor {
				t.Errorf("p at %g σ: %.3g, want %.3g within a factor of %g", sign*c.x, got, c.p, c.factor)
			}
		}
	}
}

// Where p was counted, P gives it as a factor; beyond the threshold as an addend.
func TestPartsOfP(t *testing.T) {
	r, w := learn(normal(10), 5000)
	for x := -8.0; x < 8; x += 0.01 {
		p, l := r.P(x, w)
		if got := min(0, math.Log(p)+l); got != r.LogP(x, w) {
			t.Fatalf("at %g: p %g, addend %g, ln p %g", x, p, l, r.LogP(x, w))
		}
		if tail := bucketOf(math.Abs(x)) >= int(r.side[0].tail.from); tail != (l != 0) && x > 0 {
			t.Fatalf("at %g: in the tail %v, addend %g", x, tail, l)
		}
	}
}

// A heavy tail is found in the data: the same far residual is less of a surprise.
func TestShapeFollowsData(t *testing.T) {
	const histories = 20
	var shapes, logPs [2]float64
	for seed := range uint64(histories) {
		rng := rand.New(rand.NewPCG(seed, 2))
		pareto := func() float64 { return math.Pow(rng.Float64(), -1.0/3) - 1 }
		for k, draw := range []func() float64{rng.ExpFloat64, pareto} {
			r, w := learn(draw, 10000)
			shapes[k] += float64(r.side[0].tail.shape) / histories
			logPs[k] += r.LogP(20, w) / histories
		}
	}
	if !(shapes[1] > shapes[0]+0.2) {
		t.Errorf("ξ is %.3f for an exponential, %.3f for a Pareto tail", shapes[0], shapes[1])
	}
	// P(X > 20): e^-20 against 21^-3, of which the tail, shrunk to a lighter one, sees a quarter.
	if logPs[0] > -14 || math.Abs(logPs[1]-math.Log(2*math.Pow(21, -3))) > 2 {
		t.Errorf("ln p at 20: exponential %.1f, Pareto %.1f", logPs[0], logPs[1])
	}
}

// Beyond what has been seen ln p falls strictly, as far as floats go: no two
// residuals tie.
func TestLogPFallsStrictly(t *testing.T) {
	var rng *rand.Rand
	for name, draw := range map[string]func() float64{
		"normal":   func() float64 { return rng.NormFloat64() },
		"constant": func() float64 { return 0 },
		"t3":       func() float64 { return rng.NormFloat64() / math.Sqrt(rng.ExpFloat64()) },
		"rare":     func() float64 { return float64(min(1, int(0.01/rng.Float64()))) * 500 },
	} {
		rng = rand.New(rand.NewPCG(3, 3))
		r, w := learn(draw, 5000)
		prev := math.Inf(1)
		for x := 1e4; x < 1e60; x *= 1.1 {
			got := r.LogP(x, w)
			if !(got < prev) || math.IsInf(got, 0) || math.IsNaN(got) {
				t.Errorf("%s: ln p at %g is %g, nearer it is %g", name, x, got, prev)
				break
			}
			prev = got
		}
	}
}

// One outlier changes what is said of others little, however far out it lies.
func TestLoneOutlier(t *testing.T) {
	r, w := learn(normal(4), 5000)
	before := r.LogP(6, w)
	r.Add(1e9, w, 1)
	r.Fit(w)
	if after := r.LogP(6, w); after > before+1 {
		t.Errorf("ln p at 6 σ: %.2f, after one outlier %.2f", before, after)
	}
	if r.Far(1) > 8 {
		t.Errorf("one outlier counts as recurring: far is %g", r.Far(1))
	}
}

// What recurs is no surprise, and what no longer recurs is forgotten.
func TestRecursAndIsForgotten(t *testing.T) {
	r, w := learn(normal(5), 5000)
	alone := r.LogP(50, w)
	for range 20 {
		r.Add(50, w, 1)
	}
	r.Fit(w)
	if got := r.LogP(50, w); got < math.Log(1e-3) || r.Far(1) < 50 {
		t.Errorf("ln p of what came 20 times: %.1f (once: %.1f), far %g", got, alone, r.Far(1))
	}
	weight, draw := Weight(5000%HalfLife), normal(6)
	for range 8 * HalfLife {
		if weight.Next() {
			r.Halve()
		}
		r.Add(draw(), weight.Unit(), 1)
	}
	r.Fit(weight.Unit())
	if got := r.LogP(50, weight.Unit()); got > math.Log(1e-9) {
		t.Errorf("after 8 half-lives ln p is still %.1f", got)
	}
}

// What is not trusted is not learned.
func TestTrust(t *testing.T) {
	r, w := learn(normal(11), 5000)
	before := r
	for range 1000 {
		r.Add(50, w, 0)
	}
	if r != before {
		t.Error("points without trust were counted")
	}
	half, full := before, before
	for range 100 {
		half.Add(50, w, 0.5)
		full.Add(50, w, 1)
	}
	if a, b := counted(&half)-counted(&before), counted(&full)-counted(&before); math.Abs(b-2*a) > 100 {
		t.Errorf("100 points count %g at half trust, %g at full", a, b)
	}
}

func TestBandQuantile(t *testing.T) {
	r, w := learn(normal(7), 20000)
	lower, upper := r.Band()
	for _, q := range []float64{-lower, upper} {
		if math.Abs(q-2.576) > 0.25 {
			t.Errorf("the band ends at %.2f σ, want about 2.58", q)
		}
	}
	// Inverse: the p of the band's end is twice the share on one side.
	if got := r.LogP(upper, w); math.Abs(got-math.Log(2*BandShare)) > 0.1 {
		t.Errorf("ln p at the band's end %.3f, want %.3f", got, math.Log(2*BandShare))
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
	if got := m.LogP(0, w.Unit()); got < -0.001 || got > 0 {
		t.Errorf("ln p of 0 is %g", got)
	}
	for _, x := range []float64{0.5, 1, 2, 4, 6} {
		if got := m.LogP(x, w.Unit()); math.Abs(got+x) > 0.1*x+0.05 {
			t.Errorf("ln p of %g is %g, want %g", x, got, -x)
		}
	}
}

// A count stops at its greatest, and the total is what the counts are.
func TestCountsSaturate(t *testing.T) {
	r := NewResiduals()
	for range 40000 {
		r.Add(1, mostUnit, 1)
		r.Add(-1, mostUnit, 1)
	}
	r.Add(2, mostUnit, 1)
	if want := 2*math.MaxUint16 + mostUnit; counted(&r) != float64(want) {
		t.Errorf("total %g, want %d", counted(&r), want)
	}
	r.Halve()
	if want := 2*(math.MaxUint16/2) + mostUnit/2; counted(&r) != float64(want) {
		t.Errorf("half the total is %g, want %d", counted(&r), want)
	}
	r.Fit(leastUnit)
	if lp := r.LogP(1, leastUnit); lp < -0.1 {
		t.Errorf("ln p of what is always there: %g", lp)
	}
}
