// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"math"
	"math/rand/v2"
)

// Random cut forest (Guha et al., ICML 2016) over shingles of the last values. Each tree holds its own sample, a
// reservoir with time decay. The score of a shingle follows the authors' open-source library: the probability that a
// random cut separates it at a depth d, times 1/(d+1), summed over all depths, with duplicates damped, averaged over
// the trees.
const (
	shingle  = 8
	rcfTrees = 30
	rcfSize  = 256
	rcfDecay = 1.0 / (10 * rcfSize) // decay of the weight of a sample per point
)

type vector [shingle]float32

// lastValues is the shingle that ends with the newest point.
type lastValues struct {
	x    vector
	seen int
}

func (l *lastValues) add(v float64) bool {
	copy(l.x[:], l.x[1:])
	l.x[shingle-1] = float32(v)
	l.seen++
	return l.seen >= shingle
}

type randomCutForest struct {
	unmoved

	last  lastValues
	trees [rcfTrees]cutTree
	rng   rand.PCG
	n     int // shingles
}

func newRandomCutForest(_ int64, seed uint64) Detector {
	f := &randomCutForest{rng: *rand.NewPCG(seed, 0xa0761d6478bd642f)}
	for i := range f.trees {
		f.trees[i].reset()
	}
	return f
}

func (f *randomCutForest) Clone() Detector { c := *f; return &c }

func (f *randomCutForest) Observe(_ int64, v float64) (score float64) {
	if !f.last.add(v) {
		return 0
	}
	if f.n >= rcfSize/2 {
		for i := range f.trees {
			score += f.trees[i].score(&f.last.x)
		}
		score /= rcfTrees
	}
	for i := range f.trees {
		// The greatest weights of ln-exponential variables form a sample weighted by age.
		w := rcfDecay*float64(f.n) - math.Log(-math.Log(uniformOf(&f.rng)))
		f.trees[i].offer(&f.last.x, w, &f.rng)
	}
	f.n++
	return score
}

// uniformOf draws from (0, 1).
func uniformOf(p *rand.PCG) float64 { return (float64(p.Uint64()>>11) + 0.5) / (1 << 53) }

const none = int16(-1)

// cutTree is one tree. Leaves are numbered 0 to rcfSize-1, inner nodes follow. A leaf represents all equal shingles
// of the sample.
type cutTree struct {
	weight [rcfSize]float64 // of the sample, a heap with the least first
	leafOf [rcfSize]int16   // of the sample, in the same order
	held   int

	root      int16
	mass      [2 * rcfSize]int16
	parent    [2 * rcfSize]int16
	low, high [2 * rcfSize]vector // bounding boxes; for a leaf low is the point
	cutDim    [2 * rcfSize]uint8
	cut       [2 * rcfSize]float32
	child     [2 * rcfSize][2]int16
	free      [2][rcfSize]int16 // stacks of unused leaves and inner nodes
	unused    [2]int
}

const (
	leaves = 0
	inner  = 1
)

func (t *cutTree) reset() {
	t.root = none
	for i := range int16(rcfSize) {
		t.free[leaves][i], t.free[inner][i] = rcfSize-1-i, 2*rcfSize-1-i
	}
	t.unused = [2]int{rcfSize, rcfSize}
}

func (t *cutTree) take(kind int) int16 {
	t.unused[kind]--
	return t.free[kind][t.unused[kind]]
}

func (t *cutTree) release(kind int, n int16) {
	t.free[kind][t.unused[kind]] = n
	t.unused[kind]++
}

// offer adds x to the sample if its weight is among the greatest.
func (t *cutTree) offer(x *vector, weight float64, rng *rand.PCG) {
	if t.held == rcfSize {
		if weight <= t.weight[0] {
			return
		}
		t.remove(t.leafOf[0])
		t.sink(0, weight, t.insert(x, rng))
		return
	}
	leaf := t.insert(x, rng)
	i := t.held
	t.held++
	for i > 0 && t.weight[(i-1)/2] > weight {
		t.weight[i], t.leafOf[i] = t.weight[(i-1)/2], t.leafOf[(i-1)/2]
		i = (i - 1) / 2
	}
	t.weight[i], t.leafOf[i] = weight, leaf
}

// sink moves an element down in the heap from i.
func (t *cutTree) sink(i int, weight float64, leaf int16) {
	for {
		c := 2*i + 1
		if c+1 < t.held && t.weight[c+1] < t.weight[c] {
			c++
		}
		if c >= t.held || t.weight[c] >= weight {
			break
		}
		t.weight[i], t.leafOf[i] = t.weight[c], t.leafOf[c]
		i = c
	}
	t.weight[i], t.leafOf[i] = weight, leaf
}

// insert adds x by the paper's InsertPoint and returns its leaf. At each node it draws a cut of the box that includes
// x. If the cut separates x from the node, x gets a leaf there. Otherwise it follows the node's own cut.
func (t *cutTree) insert(x *vector, rng *rand.PCG) int16 {
	if t.root == none {
		t.root = t.newLeaf(x, none)
		return t.root
	}
	at := t.root
	for {
		if at < rcfSize && t.low[at] == *x {
			t.addMass(at, 1)
			return at
		}
		if dim, cut, ok := t.separates(at, x, rng); ok {
			return t.split(at, x, dim, cut)
		}
		t.low[at], t.high[at] = lower(&t.low[at], x), upper(&t.high[at], x)
		at = t.child[at][side(x, t.cutDim[at], t.cut[at])]
	}
}

func (t *cutTree) newLeaf(x *vector, parent int16) int16 {
	n := t.take(leaves)
	t.low[n], t.high[n], t.mass[n], t.parent[n] = *x, *x, 0, parent
	t.addMass(n, 1)
	return n
}

func (t *cutTree) addMass(at, by int16) {
	for ; at != none; at = t.parent[at] {
		t.mass[at] += by
	}
}

// separates draws a cut of the node's box that includes x, and reports whether x is on one side of it and the box on
// the other.
func (t *cutTree) separates(at int16, x *vector, rng *rand.PCG) (dim uint8, cut float32, ok bool) {
	lo, hi := &t.low[at], &t.high[at]
	sum := float32(0)
	for d := range x {
		sum += max(hi[d], x[d]) - min(lo[d], x[d])
	}
	r := float32(uniformOf(rng)) * sum
	for d := range x {
		if width := max(hi[d], x[d]) - min(lo[d], x[d]); width > 0 {
			dim = uint8(d)
			if r < width {
				break
			}
			r -= width
		}
	}
	from, to := min(lo[dim], x[dim]), max(hi[dim], x[dim])
	cut = min(from+max(0, r), math.Nextafter32(to, from)) // prevent rounding errors
	// A point on the cut is on its left side.
	return dim, cut, x[dim] <= cut && cut < lo[dim] || hi[dim] <= cut && cut < x[dim]
}

// split inserts a new inner node with the cut in the position of at.
func (t *cutTree) split(at int16, x *vector, dim uint8, cut float32) int16 {
	n, up := t.take(inner), t.parent[at]
	t.low[n], t.high[n] = lower(&t.low[at], x), upper(&t.high[at], x)
	t.mass[n], t.cutDim[n], t.cut[n] = t.mass[at], dim, cut
	t.replace(up, at, n)
	t.parent[at] = n
	s := side(x, dim, cut)
	t.child[n][1-s] = at
	leaf := t.newLeaf(x, n)
	t.child[n][s] = leaf
	return leaf
}

// replace makes node n take the position of at under its parent.
func (t *cutTree) replace(up, at, n int16) {
	t.parent[n] = up
	switch {
	case up == none:
		t.root = n
	case t.child[up][0] == at:
		t.child[up][0] = n
	default:
		t.child[up][1] = n
	}
}

// remove removes one shingle from a leaf, and the leaf from the tree when it is empty.
func (t *cutTree) remove(leaf int16) {
	t.addMass(leaf, -1)
	if t.mass[leaf] > 0 {
		return
	}
	t.release(leaves, leaf)
	n := t.parent[leaf]
	if n == none {
		t.root = none
		return
	}
	sibling := t.child[n][0]
	if sibling == leaf {
		sibling = t.child[n][1]
	}
	up := t.parent[n]
	t.replace(up, n, sibling)
	t.release(inner, n)
	for ; up != none; up = t.parent[up] {
		a, b := t.child[up][0], t.child[up][1]
		low, high := lower(&t.low[a], &t.low[b]), upper(&t.high[a], &t.high[b])
		if low == t.low[up] && high == t.high[up] {
			return
		}
		t.low[up], t.high[up] = low, high
	}
}

// score returns Σ over depths d of P(x is cut off at d)/(d+1), plus at the leaf 1/(d + log₂(1+m)) · (1 - m/2M) if the
// leaf contains x m times of M in the tree, all times log₂(1+M).
func (t *cutTree) score(x *vector) (sum float64) {
	reach, total := 1.0, float64(t.mass[t.root])
	at, depth := t.root, 0.0
	for ; at >= rcfSize; depth++ {
		lo, hi := &t.low[at], &t.high[at]
		out, width := float32(0), float32(0)
		for d := range x {
			out += max(0, lo[d]-x[d], x[d]-hi[d])
			width += hi[d] - lo[d]
		}
		if out > 0 {
			p := float64(out / (out + width))
			sum += reach * p / (depth + 1)
			if reach *= 1 - p; reach < 1e-6 {
				break
			}
		}
		at = t.child[at][side(x, t.cutDim[at], t.cut[at])]
	}
	if at < rcfSize && t.low[at] == *x {
		m := float64(t.mass[at])
		sum += reach * (1 - m/(2*total)) / (depth + math.Log2(1+m))
	} else if at < rcfSize {
		sum += reach / (depth + 1)
	}
	return sum * math.Log2(1+total)
}

func side(x *vector, dim uint8, cut float32) int {
	if x[dim] <= cut {
		return 0
	}
	return 1
}

func lower(a, b *vector) (v vector) {
	for d := range v {
		v[d] = min(a[d], b[d])
	}
	return v
}

func upper(a, b *vector) (v vector) {
	for d := range v {
		v[d] = max(a[d], b[d])
	}
	return v
}
