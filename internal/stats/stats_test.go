// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"bytes"
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
	if edgeOf(1) != 1.0/16 || bucketOf(math.MaxFloat64) != openEdge || bucketOf(math.Inf(1)) != openEdge || bucketOf(0) != 0 {
		t.Error("the ends of the buckets are wrong")
	}
}

// learn feeds n draws with forgetting and fits.
func learn(draw func() float64, n int) (Residuals, float64) {
	r, w := NewResiduals(), Weight(1)
	for range n {
		if f := w.Next(); f != 1 {
			r.Rescale(f)
		}
		r.Add(draw(), float64(w))
	}
	r.Fit(float64(w))
	return r, float64(w)
}

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

// A heavy tail is found in the data: the same far residual is less of a surprise.
func TestShapeFollowsData(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	pareto := func() float64 { return math.Pow(rng.Float64(), -1.0/3) - 1 }
	light, w1 := learn(rng.ExpFloat64, 10000)
	heavy, w2 := learn(pareto, 10000)
	if a, b := light.side[0].tail.shape, heavy.side[0].tail.shape; !(b > a+0.2) {
		t.Errorf("ξ is %.3f for an exponential, %.3f for a Pareto tail", a, b)
	}
	// P(X > 20): e^-20 against 21^-3.
	if a, b := light.LogP(20, w1), heavy.LogP(20, w2); a > -12 || math.Abs(b-math.Log(2*math.Pow(21, -3))) > 1.5 {
		t.Errorf("ln p at 20: exponential %.1f, Pareto %.1f", a, b)
	}
}

// Beyond what has been seen ln p falls strictly, as far as floats go: no two
// residuals tie.
func TestLogPFallsStrictly(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for name, draw := range map[string]func() float64{
		"normal": rng.NormFloat64, "constant": func() float64 { return 0 },
		"t3":   func() float64 { return rng.NormFloat64() / math.Sqrt(rng.ExpFloat64()) },
		"rare": func() float64 { return float64(min(1, int(0.01/rng.Float64()))) * 500 },
	} {
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
	r.Add(1e9, w)
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
		r.Add(50, w)
	}
	r.Fit(w)
	if got := r.LogP(50, w); got < math.Log(1e-3) || r.Far(1) < 50 {
		t.Errorf("ln p of what came 20 times: %.1f (once: %.1f), far %g", got, alone, r.Far(1))
	}
	weight, draw := Weight(w), normal(6)
	for range 8 * HalfLife {
		if f := weight.Next(); f != 1 {
			r.Rescale(f)
		}
		r.Add(draw(), float64(weight))
	}
	r.Fit(float64(weight))
	if got := r.LogP(50, float64(weight)); got > math.Log(1e-9) {
		t.Errorf("after 8 half-lives ln p is still %.1f", got)
	}
}

func TestBandQuantile(t *testing.T) {
	r, _ := learn(normal(7), 20000)
	lower, upper := r.Band()
	for _, q := range []float64{-lower, upper} {
		if math.Abs(q-2.576) > 0.25 {
			t.Errorf("the band ends at %.2f σ, want about 2.58", q)
		}
	}
	// Inverse: the p of the band's end is twice the share on one side.
	r, w := learn(normal(7), 20000)
	if got := r.LogP(upper, w); math.Abs(got-math.Log(2*BandShare)) > 0.1 {
		t.Errorf("ln p at the band's end %.3f, want %.3f", got, math.Log(2*BandShare))
	}
}

func TestWeight(t *testing.T) {
	w, rescaled := Weight(1), 1.0
	for i := 1; i <= 100000; i++ {
		rescaled *= w.Next()
		if !w.Valid() {
			t.Fatalf("weight %g", w)
		}
		last := math.Log2(float64(w)) - math.Log2(rescaled)
		if math.Abs(last-float64(i)/HalfLife) > 1e-9 {
			t.Fatalf("after %d points the weight doubled %g times", i, last)
		}
	}
}

// A rank turns any falling surprise into a calibrated one.
func TestRank(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	for name, draw := range map[string]func() float64{
		"sum of two": func() float64 { return rng.ExpFloat64() + rng.ExpFloat64() },
		"largest of 5": func() float64 {
			return max(rng.ExpFloat64(), rng.ExpFloat64(), rng.ExpFloat64(), rng.ExpFloat64(), rng.ExpFloat64())
		},
		"half as much":  func() float64 { return rng.ExpFloat64() / 2 },
		"twice as much": func() float64 { return rng.ExpFloat64() * 2 },
	} {
		r, w := NewRank(), Weight(1)
		below := [3]int{}
		const n = 200000
		for i := range n {
			s := draw()
			lp := r.LogP(s, float64(w))
			for k, p := range []float64{0.1, 0.01, 0.001} {
				if lp < math.Log(p) && i > n/10 {
					below[k]++
				}
			}
			if f := w.Next(); f != 1 {
				r.Rescale(f)
			}
			r.Add(s, float64(w))
			if i%32 == 0 {
				r.Fit(float64(w))
			}
		}
		for k, p := range []float64{0.1, 0.01, 0.001} {
			if ratio := float64(below[k]) / (0.9 * n * p); ratio < 0.5 || ratio > 1.6 {
				t.Errorf("%s: share of p < %g is %.2f of that", name, p, ratio)
			}
		}
	}
}

func TestRankPrior(t *testing.T) {
	r := NewRank()
	prev := 1.0
	for s := 0.0; s < 1e6; s = s*1.1 + 0.05 {
		got := r.LogP(s, 1)
		if got > 0 || got > prev {
			t.Fatalf("ln p at %g is %g, nearer %g", s, got, prev)
		}
		prev = got
	}
	// P(S ≥ 5) = 1 - (1 - e^-5)²
	if got, want := r.LogP(5, 1), math.Log(1-math.Pow(1-math.Exp(-5), 2)); math.Abs(got-want) > 0.5 {
		t.Errorf("ln p at 5: %.2f, want %.2f", got, want)
	}
}

func TestCodec(t *testing.T) {
	r, w := learn(normal(9), 70000)
	b := r.AppendBinary(nil)
	var q Residuals
	if err := q.UnmarshalBinary(b); err != nil || q != r || len(b) != ResidualsSize {
		t.Errorf("residuals: %v, %d bytes, equal %v", err, len(b), q == r)
	}
	k := NewRank()
	for range 1000 {
		k.Add(1, w)
	}
	k.Fit(w)
	c := k.AppendBinary(nil)
	var l Rank
	if err := l.UnmarshalBinary(c); err != nil || l != k || len(c) != RankSize {
		t.Errorf("rank: %v, %d bytes, equal %v", err, len(c), l == k)
	}
	for n := range 16 {
		if q.UnmarshalBinary(bytes.Repeat([]byte{byte(17 * n)}, ResidualsSize)) == nil {
			t.Errorf("residuals of bytes %d accepted", 17*n)
		}
		if l.UnmarshalBinary(bytes.Repeat([]byte{byte(17 * n)}, RankSize)) == nil {
			t.Errorf("rank of bytes %d accepted", 17*n)
		}
	}
	if q.UnmarshalBinary(b[1:]) == nil || l.UnmarshalBinary(append(c, 0)) == nil {
		t.Error("a wrong length is accepted")
	}
}
