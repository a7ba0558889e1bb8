// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"math"
	"math/rand/v2"
)

// Isolation forest (Liu, Ting, Zhou 2008) over shingles, refitted every iforestRefit points to the last
// iforestWindow: trees over samples of 256, with random cuts down to depth 8. The score is 2^(-E[path]/c(256)), where
// c is the mean path of an unsuccessful search.
const (
	iforestTrees  = 50
	iforestSize   = 256
	iforestDepth  = 8
	iforestWindow = 1024
	iforestRefit  = 256
)

type isolationForest struct {
	unmoved

	last  lastValues
	ring  [iforestWindow]vector
	n     int         // shingles
	trees [][]isoNode // immutable once fitted, so clones share them
	rng   rand.PCG
}

// isoNode is an inner node, or a leaf with the path depth + c(size).
type isoNode struct {
	cut         float32
	path        float32
	dim         int8 // -1: a leaf
	left, right int16
}

func newIsolationForest(_ int64, seed uint64) Detector {
	return &isolationForest{rng: *rand.NewPCG(seed, 0xe7037ed1a0b428db)}
}

func (f *isolationForest) Clone() Detector { c := *f; return &c }

func (f *isolationForest) Observe(_ int64, v float64) (score float64) {
	if !f.last.add(v) {
		return 0
	}
	if f.trees != nil {
		path := float32(0)
		for _, t := range f.trees {
			path += pathOf(t, &f.last.x)
		}
		score = math.Exp2(-float64(path) / iforestTrees / meanPath(iforestSize))
	}
	f.ring[f.n%iforestWindow] = f.last.x
	if f.n++; f.n%iforestRefit == 0 {
		f.fit()
	}
	return score
}

func pathOf(t []isoNode, x *vector) float32 {
	n := &t[0]
	for n.dim >= 0 {
		if x[n.dim] < n.cut {
			n = &t[n.left]
		} else {
			n = &t[n.right]
		}
	}
	return n.path
}

// meanPath returns c(n) = 2·H(n-1) - 2(n-1)/n.
func meanPath(n int) float64 {
	if n < 2 {
		return 0
	}
	m := float64(n - 1)
	return 2*(math.Log(m)+0.5772156649) - 2*m/float64(n)
}

func (f *isolationForest) fit() {
	held := min(f.n, iforestWindow)
	f.trees = make([][]isoNode, iforestTrees)
	var order [iforestWindow]int
	for i := range order {
		order[i] = i
	}
	for i := range f.trees {
		size := min(held, iforestSize)
		for j := range size { // sample without replacement
			k := j + int(uniformOf(&f.rng)*float64(held-j))
			order[j], order[k] = order[k], order[j]
		}
		sample := order
		f.trees[i] = f.grow(make([]isoNode, 0, 2*iforestSize), sample[:size], 0)
	}
}

// grow appends the tree over the sample and returns all nodes.
func (f *isolationForest) grow(t []isoNode, sample []int, depth int) []isoNode {
	at := len(t)
	t = append(t, isoNode{dim: -1, path: float32(float64(depth) + meanPath(len(sample)))})
	if depth == iforestDepth || len(sample) < 2 {
		return t
	}
	dim, cut, ok := f.drawCut(sample)
	if !ok {
		return t
	}
	k := 0
	for i, p := range sample {
		if f.ring[p][dim] < cut {
			sample[i], sample[k] = sample[k], sample[i]
			k++
		}
	}
	t[at].dim, t[at].cut, t[at].left = int8(dim), cut, int16(len(t))
	t = f.grow(t, sample[:k], depth+1)
	t[at].right = int16(len(t))
	return f.grow(t, sample[k:], depth+1)
}

// drawCut draws one of the dimensions in which the sample differs, and a value within its range.
func (f *isolationForest) drawCut(sample []int) (dim int, cut float32, ok bool) {
	low, high := f.ring[sample[0]], f.ring[sample[0]]
	for _, p := range sample[1:] {
		for d, v := range f.ring[p] {
			low[d], high[d] = min(low[d], v), max(high[d], v)
		}
	}
	var wide [shingle]int
	n := 0
	for d := range low {
		if high[d] > low[d] {
			wide[n] = d
			n++
		}
	}
	if n == 0 {
		return 0, 0, false
	}
	dim = wide[int(uniformOf(&f.rng)*float64(n))]
	cut = low[dim] + float32(uniformOf(&f.rng))*(high[dim]-low[dim])
	return dim, max(cut, math.Nextafter32(low[dim], high[dim])), true // so that both sides have points
}
