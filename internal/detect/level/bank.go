// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package level

import "math"

const (
	errorGain = 0.02    // of the errors by which the predictors are compared
	scaleGain = 0.004   // of the scale: slow, or a rare event would set it
	slack     = 1.05    // an earlier predictor speaks if its squared error is at most this times the least
	errorClip = 100     // scales that an error counts up to in that comparison, at most
	huber     = 3       // a residual moves a level by at most its gain times this many scales
	trusting  = 16      // points after a start during which nothing is clipped
	old       = 1 << 16 // age at which no gain depends on it any more
	grain     = 1e-9    // changes below this share of the level are rounding
	farthest  = 1e100   // scales that a residual is clipped to, against overflow
	trendGain = 0.3     // of the level that has a trend
	trendStep = 0.05    // of the trend itself
)

// gains are those of the bank of levels: from white noise to a random walk.
var gains = [...]float64{0.02, 0.15, 0.8}

const (
	levels     = len(gains)
	predictors = 2 * (levels + 1)
)

// track is a bank of levels of one signal and a level with a trend (Holt).
type track struct {
	level [levels + 1]float64
	trend float64
}

// The predictors come in the order of their memory, the longest first: plain
// level, level of what the season leaves, the next gain, and so on; the trends last.

// Bank predicts the next value of one series, by levels of the values
// themselves and by levels of what a season leaves of them. The zero value has seen nothing.
type Bank struct {
	plain, rest track
	err         [predictors]float64 // forgetting mean of each predictor's (clipped error / scale)²
	scale       float64             // forgetting mean of the clipped |residual|
	age         uint32              // points since the levels started, up to old
	scaleAge    uint32
	best        uint8
}

// Started reports whether the bank has seen a point.
func (b *Bank) Started() bool { return b.age > 0 }

// Unit returns the scale, which is never 0: what is less than rounding is no change.
func (b *Bank) Unit() float64 {
	return max(b.scale, grain*math.Abs(b.plain.level[0])+1e-300)
}

func (b *Bank) predict(i int, season float64) float64 {
	if i%2 == 0 {
		return b.plain.predict(i / 2)
	}
	return b.rest.predict(i/2) + season
}

func (t *track) predict(i int) float64 {
	if i == levels {
		return t.level[i] + t.trend
	}
	return t.level[i]
}

// Expect returns the prediction of the next value, given the season's offset there.
func (b *Bank) Expect(season float64) float64 { return b.predict(int(b.best), season) }

// Slow returns the slowest level of the values themselves.
func (b *Bank) Slow() float64 { return b.plain.level[0] }

// Seasonal reports whether the prediction rests on the season.
func (b *Bank) Seasonal() bool { return b.best%2 == 1 }

// Residual returns v's residual in scales.
func (b *Bank) Residual(v, season float64) float64 {
	return clamp((v-b.Expect(season))/b.Unit(), farthest)
}

// Learn moves the levels and the scale by clipped steps. trust, 0 to 1, is that
// in the point, far how many scales out residuals like it recur.
func (b *Bank) Learn(v, season, trust, far float64) {
	unit := b.Unit()
	step, far := huber*unit, unit*max(huber, far)
	if b.age < trusting {
		step, far = math.MaxFloat64, math.MaxFloat64
	}
	r := clamp(v-b.Expect(season), math.MaxFloat64)
	b.scale += gain(scaleGain, b.scaleAge) * (min(math.Abs(r), far) - b.scale)
	least := math.MaxFloat64
	for i := range b.err {
		z := min(min(math.Abs(v-b.predict(i, season)), far)/unit, errorClip)
		b.err[i] += gain(errorGain, b.scaleAge) * trust * (z*z - b.err[i])
		least = min(least, b.err[i])
	}
	b.plain.learn(v, step, b.age)
	b.rest.learn(v-season, step, b.age)
	b.best = 0
	for b.err[b.best] > slack*least {
		b.best++
	}
	b.age = min(b.age+1, old)
	b.scaleAge = min(b.scaleAge+1, old)
}

func (t *track) learn(v, step float64, age uint32) {
	for i, g := range gains {
		t.level[i] += gain(g, age) * clamp(v-t.level[i], step)
	}
	e := clamp(v-t.predict(levels), step)
	t.level[levels] += t.trend + gain(trendGain, age)*e
	if age > trusting {
		t.trend += trendGain * trendStep * e
	}
}

// Restart sets the level to v: at the first point, and when a deviation has lasted so long
// that it is the new normal. The scale stays, but adapts faster for a while.
func (b *Bank) Restart(v, season float64) {
	b.plain.restart(v)
	b.rest.restart(v - season)
	for i := range b.err {
		b.err[i] = 1
	}
	if b.age > 0 {
		b.scaleAge = trusting
	}
	b.age = 1
	b.scaleAge = max(b.scaleAge, 1)
}

func (t *track) restart(v float64) {
	for i := range t.level {
		t.level[i] = v
	}
	t.trend = 0
}

// Follow takes over the quick levels and the trends of other, which has seen the
// points that b has not; the slowest levels stay.
func (b *Bank) Follow(other *Bank) {
	for _, p := range [...][2]*track{{&b.plain, &other.plain}, {&b.rest, &other.rest}} {
		copy(p[0].level[1:], p[1].level[1:])
		p[0].trend = p[1].trend
	}
}

// gain is that of a plain mean while young, and g from then on.
func gain(g float64, age uint32) float64 { return max(g, 1/float64(age)) }

func clamp(x, limit float64) float64 { return max(-limit, min(limit, x)) }
