// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// noises are the tested distributions.
var noises = map[string]func(r *rand.Rand) float64{
	"normal":      func(r *rand.Rand) float64 { return r.NormFloat64() },
	"exponential": func(r *rand.Rand) float64 { return r.ExpFloat64() - 1 },
	"t3": func(r *rand.Rand) float64 {
		a, b, c := r.NormFloat64(), r.NormFloat64(), r.NormFloat64()
		return r.NormFloat64() / math.Sqrt((a*a+b*b+c*c)/3)
	},
}

// P is the surprise of x among all points, including the share of its side. The share of points
// with a surprise above ln 100 is 1 % per side, as far as the side extends.
func TestTailsAreCalibrated(t *testing.T) {
	for name, draw := range noises {
		var rare [2][2]float64 // by level and side
		levels, n := [2]float64{math.Log(100), math.Log(1000)}, 0.0
		for seed := range uint64(20) {
			r := rand.New(rand.NewPCG(seed, 1))
			s := NewTails(0)
			for i := range 30000 {
				x := draw(r)
				if i > 2000 {
					n++
					for k, level := range levels {
						if s.P(x) > level {
							rare[k][min(1, int(math.Float64bits(x)>>63))]++
						}
					}
				}
				s.Learn(x, 1)
			}
		}
		for k, want := range []float64{0.01, 0.001} {
			for side, count := range rare[k] {
				if name == "exponential" && side == 1 { // its lower bound is -1
					continue
				}
				if share, off := count/n, [2]float64{1.35, 1.6}[k]; share < want/off || share > want*off {
					t.Errorf("%s, side %d: a share of %.5f has p < %g", name, side, share, want)
				}
			}
		}
	}
}

// Quantile is the inverse of P where P is not shortened.
func TestTailsQuantile(t *testing.T) {
	for name, draw := range noises {
		r := rand.New(rand.NewPCG(2, 2))
		s := NewTails(0)
		for range 8000 {
			s.Learn(draw(r), 1)
		}
		for _, p := range []float64{0.3, 0.1, 0.03, 0.01, 0.003, 0.001} {
			for _, side := range []int{1, -1} {
				q := s.Quantile(side, -math.Log(p))
				if share := float64(s.side[(1-side)/2].share); p >= share {
					if q != 0 {
						t.Errorf("%s, side %d: %g is exceeded by %g, though only %g lie there", name, side, q, p, share)
					}
					continue
				}
				if got := math.Exp(-s.P(float64(side) * q)); math.Abs(math.Log(got/p)) > 0.02 {
					t.Errorf("%s, side %d: p at the quantile of %g is %g", name, side, p, got)
				}
			}
		}
	}
}

// For a quantity with a unit, a power of two changes no bit.
func TestTailsScale(t *testing.T) {
	for name, draw := range noises {
		for _, factor := range []float64{1024, 1.0 / 4096} {
			r := rand.New(rand.NewPCG(3, 3))
			a, b := NewTails(0), NewTails(0)
			for i := range 20000 {
				x := draw(r)
				if i%500 > 400 {
					x *= 30
				}
				if p, q := a.P(x), b.P(factor*x); p != q {
					t.Fatalf("%s: point %d: %g, scaled %g", name, i, p, q)
				}
				a.Learn(x, 0.7)
				b.Learn(factor*x, 0.7)
			}
			if factor*a.Quantile(1, 4.6) != b.Quantile(1, 4.6) {
				t.Errorf("%s: the quantiles differ", name)
			}
		}
	}
}

// Fitted equals P as far as the points support it, and is larger beyond.
func TestTailsFitted(t *testing.T) {
	for name, draw := range noises {
		for _, n := range []int{leastPoints, 1000, 8000} {
			r := rand.New(rand.NewPCG(9, 9))
			s := NewTails(0)
			for range n {
				s.Learn(draw(r), 1)
			}
			known := math.Log(float64(min(n, memoryPoints)) + 1)
			beyond, prev := 0, 0.0
			for x := 0.0; x < 200; x += 0.05 {
				p, fitted := s.P(x), s.Fitted(x)
				if fitted < prev-1e-5 && x > 0.05 {
					t.Errorf("%s, %d points: %g is a surprise of %g, less than of a smaller value", name, n, x, fitted)
				}
				prev = fitted
				if fitted <= known {
					if p != fitted {
						t.Errorf("%s, %d points: %g is %g nats, fitted %g", name, n, x, p, fitted)
					}
					continue
				}
				beyond++
				if want := known + modestSlope*(fitted-known); math.Abs(p-want) > 1e-12 {
					t.Errorf("%s, %d points: %g is %g nats, want %g of the fitted %g", name, n, x, p, want, fitted)
				}
			}
			if beyond == 0 {
				t.Errorf("%s, %d points: no tested value is beyond the known points", name, n)
			}
		}
	}
	if young := NewTails(0); young.Fitted(5) != neutral {
		t.Errorf("an empty sketch returns %g nats for 5", young.Fitted(5))
	}
}

// For an exponential tail, Fitted is the true surprise far beyond the seen points. A truncated or
// bent tail would differ.
func TestTailsFittedExtrapolates(t *testing.T) {
	sum := 0.0
	const seeds = 20
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 10))
		s := NewTails(0)
		for range 20000 {
			s.Learn(r.ExpFloat64(), 1)
		}
		sum += s.Fitted(20) / seeds
	}
	if sum < 14 || sum > 24 {
		t.Errorf("a value with the surprise 20 is %.1f nats in the mean, want 14 to 24", sum)
	}
}

// No sketch returns more than its points support: beyond ln n each nat counts modestSlope.
func TestTailsAreModest(t *testing.T) {
	for _, n := range []int{leastPoints, 100, 1000, memoryPoints} {
		r := rand.New(rand.NewPCG(4, 4))
		s := NewTails(0)
		for range n {
			s.Learn(r.NormFloat64(), 1)
		}
		most := math.Log(float64(n)+1) + modestSlope*(mostNats+edgeNats)
		prev := 0.0
		for x := 4.0; x < 1e12; x *= 2 {
			got := s.P(x)
			if got < prev || got > most {
				t.Errorf("after %d points %g is a surprise of %.1f, %g before, at most %.1f", n, x, got, prev, most)
			}
			prev = got
		}
		if prev < math.Log(float64(n)) {
			t.Errorf("after %d points the largest surprise is %.1f", n, prev)
		}
	}
}

// A young sketch returns the neutral surprise. A sketch in standard deviations matures earlier.
func TestTailsYoung(t *testing.T) {
	for _, c := range []struct {
		sketch Tails
		from   int
	}{{NewTails(0), leastPoints}, {NewTails(1.25), leastScaled}, {NewStiffTails(0.5), leastScaled}} {
		r := rand.New(rand.NewPCG(5, 5))
		for i := range 100 {
			if said := c.sketch.P(50) != neutral; said != (i >= c.from) {
				t.Fatalf("after %d points the surprise is not neutral: %v", i, said)
			}
			c.sketch.Learn(float64(c.sketch.sigma)*r.NormFloat64()+r.NormFloat64()*1e-3, 1)
		}
	}
}

// Points without trust are not learned, and one outlier has little effect.
func TestTailsTrust(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	s := NewTails(0)
	for range 6000 {
		s.Learn(r.NormFloat64(), 1)
	}
	before := s
	for range 200 {
		s.Learn(80, 0)
	}
	if a, b := before.P(5), s.P(5); math.Abs(a-b) > 0.01 {
		t.Errorf("200 points without trust moved the surprise of 5 from %.2f to %.2f", a, b)
	}
	s = before
	s.Learn(1e9, 1)
	if a, b := before.P(5), s.P(5); b < a-1.5 {
		t.Errorf("one outlier moved the surprise of 5 from %.2f to %.2f", a, b)
	}
}

// The sketch adapts after the spread has increased or decreased.
func TestTailsAdapt(t *testing.T) {
	for _, factor := range []float64{0.05, 20} {
		r := rand.New(rand.NewPCG(7, 7))
		s := NewTails(0)
		for range 8000 {
			s.Learn(r.NormFloat64(), 1)
		}
		for range 40000 {
			s.Learn(factor*r.NormFloat64(), 1)
		}
		if q := s.Quantile(1, -math.Log(0.005)) / factor; math.Abs(q-2.576) > 0.5 {
			t.Errorf("factor %g: the interval ends at %.2f σ, want about 2.58", factor, q)
		}
	}
}

// Values of any size produce finite numbers.
func TestTailsExtremes(t *testing.T) {
	extremes := []float64{0, 5e-324, 1e-300, 1, -1, 1e150, -1e300, math.MaxFloat64}
	r := rand.New(rand.NewPCG(8, 8))
	for _, sigma := range []float64{0, 1.25} {
		s, again := NewTails(sigma), NewTails(sigma)
		for i := range 30000 {
			x := extremes[r.IntN(len(extremes))]
			if p := s.P(x); !(p >= 0) || p > 1000 {
				t.Fatalf("point %d: %g is a surprise of %g", i, x, p)
			}
			if q := s.Quantile(1, 9.2); !(q >= 0) || math.IsInf(q, 0) {
				t.Fatalf("point %d: a quantile of %g", i, q)
			}
			s.Learn(x, r.Float64())
		}
		if err := read(&again, write(&s)); err != nil {
			t.Errorf("the state is rejected: %v", err)
		}
	}
}

func TestTailsSize(t *testing.T) {
	if size := unsafe.Sizeof(Tails{}); size > 72 {
		t.Errorf("a sketch takes %d bytes", size)
	}
}

// TestUsual verifies that a usual quantity has less than UsualNats, on both sides and at every age, and that most are
// usual.
func TestUsual(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for name, draw := range map[string]func() float64{
		"normal":   random.NormFloat64,
		"one side": func() float64 { return random.ExpFloat64() - 0.01 },
		"zeros":    func() float64 { return max(0, random.NormFloat64()-2) },
		"heavy":    func() float64 { return math.Exp(2*random.NormFloat64()) - 1 },
	} {
		for _, sketch := range []Tails{NewTails(0), NewTails(1), NewStiffTails(1)} {
			usual := 0
			for range 5000 {
				x := draw()
				if sketch.Usual(x) {
					usual++
					if p, fitted := sketch.P(x), sketch.Fitted(x); max(p, fitted) >= UsualNats {
						t.Fatalf("%s: %g is usual, but has %g and %g nats", name, x, p, fitted)
					}
				}
				sketch.Learn(x, 1)
			}
			if name == "normal" && usual < 4000 {
				t.Errorf("%d of 5000 points are usual", usual)
			}
		}
	}
}
