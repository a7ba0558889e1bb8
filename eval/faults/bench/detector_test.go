// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"math"
	"slices"
	"testing"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/ensemble"
)

func allDetectors() []detectorKind {
	all := []detectorKind{ofModel(func() detect.Model { return ensemble.New(nil) })}
	for _, k := range others {
		if k.role == baseline {
			all = append(all, k)
		}
	}
	return all
}

const minutes5 = day / 288

// TestEveryDetectorDetects verifies that every detector finds ten points of 15 σ in white noise, and that its scores
// without a fault are lower.
func TestEveryDetectorDetects(t *testing.T) {
	for _, k := range allDetectors() {
		r := rngOf(1, k.name, 0)
		d := k.fresh(minutes5, 1)
		quiet, fault := 0.0, 0.0
		for i := range 5010 {
			v := 100 + r.NormFloat64()
			if i >= 5000 {
				v += 15
			}
			score := d.Observe(epoch.UnixNano()+int64(i)*minutes5, v)
			switch {
			case i < 5 && score != 0:
				t.Errorf("%s: %g at its first points", k.name, score)
			case i >= 5000:
				fault = max(fault, score)
			case i >= 4000:
				quiet = max(quiet, score)
			}
		}
		if !(fault > 1.2*quiet) {
			t.Errorf("%s: %g in the fault, up to %g before", k.name, fault, quiet)
		}
	}
}

// TestClones verifies that a clone continues with identical scores, and that its points do not affect the original.
func TestClones(t *testing.T) {
	for _, k := range allDetectors() {
		r := rngOf(2, k.name, 0)
		d := k.fresh(minutes5, 1)
		next := func(i int) (int64, float64) { return epoch.UnixNano() + int64(i)*minutes5, r.NormFloat64() }
		for i := range 2000 {
			d.Observe(next(i))
		}
		a, b := d.Clone(), d.Clone()
		for i := 2000; i < 2600; i++ {
			b.Observe(epoch.UnixNano()+int64(i)*minutes5, 1000) // different points
		}
		for i := 2000; i < 2600; i++ {
			at, v := next(i)
			if x, y := d.Observe(at, v), a.Observe(at, v); x != y {
				t.Fatalf("%s: point %d gives %g, to its clone %g", k.name, i, x, y)
			}
		}
	}
}

// TestConstantData verifies that constant data followed by one change gives finite scores, with the greatest at the
// change.
func TestConstantData(t *testing.T) {
	for _, k := range allDetectors() {
		d := k.fresh(minutes5, 1)
		highest := 0.0
		for i := range 3000 {
			v := 5.0
			if i == 2500 {
				v = 6
			}
			score := d.Observe(epoch.UnixNano()+int64(i)*minutes5, v)
			if !(score >= 0) || math.IsInf(score, 0) {
				t.Fatalf("%s: %g at point %d", k.name, score, i)
			}
			if i < 2500 {
				highest = max(highest, score)
			} else if i == 2500 && !(score > highest) && k.name != "iForest" { // the trees have no cut where all values are equal
				t.Errorf("%s: %g at the change, %g before", k.name, score, highest)
			}
		}
	}
}

func TestWindow(t *testing.T) {
	r := rngOf(3, "", 0)
	w := newWindow(31)
	var all []float64
	for range 500 {
		v := math.Round(10 * r.NormFloat64())
		w.add(v)
		all = append(all, v)
		last := slices.Clone(all[max(0, len(all)-31):])
		slices.Sort(last)
		if !slices.Equal(last, w.sorted) {
			t.Fatalf("sorted %v, want %v", w.sorted, last)
		}
		center := w.quantile(0.5)
		for i := range last {
			last[i] = math.Abs(last[i] - center)
		}
		slices.Sort(last)
		if got, want := w.deviation(center), last[len(last)/2]; got != want {
			t.Fatalf("deviation %g, want %g", got, want)
		}
	}
}

func TestRolling(t *testing.T) {
	r := rngOf(4, "", 0)
	d := newRolling()
	var all []float64
	for range 2000 {
		v := 1e6 + r.NormFloat64()
		d.add(v)
		all = append(all, v)
	}
	m, sd := spreadOf(all[len(all)-windowSize:])
	near(t, "mean", d.mean(), m, 1e-6)
	near(t, "deviation", d.sd(), sd, 1e-6)
}

// TestSeasonIsExpected verifies that an exactly repeating season is expected by the two detectors that model it.
func TestSeasonIsExpected(t *testing.T) {
	for _, k := range others {
		if k.name != "naive" && k.name != "Holt-W." {
			continue
		}
		r := rngOf(5, "", 0)
		d := k.fresh(minutes5, 1)
		usual, missed := 0.0, 0.0
		for i := range 288 * 12 {
			v := 50*math.Sin(2*math.Pi*float64(i)/288) + r.NormFloat64()
			if i%288 == 100 {
				v += 100 // daily, except the last time
			}
			if i == 288*11+100 {
				v -= 100
			}
			score := d.Observe(epoch.UnixNano()+int64(i)*minutes5, v)
			if i == 288*11+100 {
				missed = score
			} else if i > 288*9 && i < 288*11 {
				usual = max(usual, score)
			}
		}
		if !(missed > 2*usual) {
			t.Errorf("%s: %g where the daily point is missing, %g before", k.name, missed, usual)
		}
	}
}

// TestCutTree verifies after every insertion and removal that the tree holds its sample in bounding boxes that fit.
func TestCutTree(t *testing.T) {
	r := rngOf(6, "", 0)
	f := newRandomCutForest(0, 1).(*randomCutForest)
	tree := &f.trees[0]
	for i := range 5000 {
		var x vector
		for d := range x {
			x[d] = float32(math.Round(2 * r.NormFloat64())) // with duplicates
		}
		if i%7 == 0 {
			x = vector{}
		}
		tree.offer(&x, float64(i)*rcfDecay-math.Log(-math.Log(uniformOf(&f.rng))), &f.rng)
		if i%50 == 0 {
			checkTree(t, tree, min(i+1, rcfSize))
		}
	}
}

func checkTree(t *testing.T, tree *cutTree, want int) {
	t.Helper()
	var walk func(n int16) int16
	walk = func(n int16) int16 {
		if n < rcfSize {
			return tree.mass[n]
		}
		sum := int16(0)
		for s, c := range tree.child[n] {
			sum += walk(c)
			if tree.parent[c] != n {
				t.Fatalf("node %d does not refer to its parent %d", c, n)
			}
			d, cut := tree.cutDim[n], tree.cut[n]
			if s == 0 && tree.high[c][d] > cut || s == 1 && tree.low[c][d] <= cut {
				t.Fatalf("node %d is on both sides of the cut %g: %g to %g", c, cut, tree.low[c][d], tree.high[c][d])
			}
		}
		a, b := tree.child[n][0], tree.child[n][1]
		if tree.low[n] != lower(&tree.low[a], &tree.low[b]) || tree.high[n] != upper(&tree.high[a], &tree.high[b]) {
			t.Fatalf("the box of node %d does not fit", n)
		}
		if tree.mass[n] != sum {
			t.Fatalf("node %d has the mass %d, its children %d", n, tree.mass[n], sum)
		}
		return sum
	}
	if got := int(walk(tree.root)); got != want || tree.held != want {
		t.Fatalf("the tree holds %d, its heap %d, want %d", got, tree.held, want)
	}
	for i := range tree.held {
		if i > 0 && tree.weight[i] < tree.weight[(i-1)/2] {
			t.Fatalf("the heap is out of order at %d", i)
		}
	}
}
