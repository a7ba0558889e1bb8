// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package boxes

import "github.com/auspex-otel/auspex/internal/detect/window"

const (
	count   = 12                                // boxes
	limit   = window.Dims * window.One * 3 / 10 // the greatest sum of the sides of a box: 0.3 ranges each
	forget  = 0.9999                            // decay of a box's use, per point
	maxUnit = 1 << 20                           // of the growing weight of a use
)

// box is a region of windows: the least and greatest of each feature.
type box struct{ low, high window.Features }

// Boxes is the memory of one scale: fuzzy ART with hyperboxes. The zero value is empty.
type Boxes struct {
	box  [count]box
	use  [count]float32
	unit float32 // weight of one use now
	n    uint8   // boxes in use
}

// Observe returns the growth of the nearest box, summed over all features, that includes f. The growth counts half if
// the box stays within its size, and more if it would exceed it. ok is false if there is no box. Then it learns f:
// the box grows or, if it would exceed its size, f replaces the least used box.
func (b *Boxes) Observe(f *window.Features) (growth float64, ok bool) {
	at, cost, fits := b.nearest(f)
	if b.unit /= forget; b.unit > maxUnit || b.unit == 0 {
		b.rescale()
	}
	if at >= 0 && fits {
		b.box[at].include(f)
		b.use[at] += b.unit
	} else {
		b.replace(f)
	}
	return float64(cost) / (2 * window.One), at >= 0
}

// nearest returns the box with the least cost, twice that cost, and whether it would stay within its size.
func (b *Boxes) nearest(f *window.Features) (at int, cost int32, fits bool) {
	at, cost = -1, 1<<30
	for j := range b.box[:b.n] {
		x := &b.box[j]
		var grow, total int32
		for d, v := range f {
			low, high, v := int32(x.low[d]), int32(x.high[d]), int32(v)
			grow += max(low-v, v-high, 0)
			total += high - low
		}
		total += grow
		c := grow
		if total > limit {
			c = 2 * (grow + total - limit)
		}
		if c < cost {
			at, cost, fits = j, c, total <= limit
			if c == 0 {
				break // no other box costs less
			}
		}
	}
	return at, cost, fits
}

func (x *box) include(f *window.Features) {
	for d, v := range f {
		x.low[d], x.high[d] = min(x.low[d], v), max(x.high[d], v)
	}
}

// replace replaces the least used box by f.
func (b *Boxes) replace(f *window.Features) {
	j := int(b.n)
	if j < count {
		b.n++
	} else {
		j = 0
		for k, u := range b.use {
			if u < b.use[j] {
				j = k
			}
		}
	}
	b.box[j], b.use[j] = box{*f, *f}, b.unit
}

// rescale resets the weight of a use to 1.
func (b *Boxes) rescale() {
	if b.unit > 0 {
		for j := range b.use {
			b.use[j] /= b.unit
		}
	}
	b.unit = 1
}
