// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package level

import "math"

const (
	errorGain = 0.02    // of the errors by which the predictors are compared
	scaleGain = 0.004   // of the scale: slow, so that a rare event does not determine it
	slack     = 1.05    // an earlier predictor is used if its squared error is at most this times the least
	errorClip = 100     // maximum scales of an error in that comparison
	huber     = 3       // maximum scales of a residual that moves a level
	trusting  = 16      // points after a start without clipping
	old       = 1 << 16 // age from which no gain depends on it
	grain     = 1e-9    // smaller changes relative to the level are rounding errors
	farthest  = 1e100   // maximum scales of a residual, against overflow
	trendGain = 0.3     // of the level that has a trend
	trendStep = 0.05    // of the trend itself
)

// gains lists the gains of the levels: from white noise to a random walk.
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

// Predictors are ordered by memory, longest first: plain level, level of the deseasonalized values, the next gain,
// and so on. The trends come last.

// Bank predicts the next value of one series by levels of the values and of the deseasonalized values. The zero value
// is empty.
type Bank struct {
	plain, rest track
	err         [predictors]float64 // decaying mean of each predictor's (clipped error / scale)²
	scale       float64             // decaying mean of the clipped |residual|
	age         uint32              // points since the levels started, up to old
	scaleAge    uint32
	best        uint8
}

// Started reports whether the bank has a point.
func (b *Bank) Started() bool { return b.age > 0 }

// Unit returns the scale. It is never 0, because smaller changes are rounding errors.
func (b *Bank) Unit() float64 {
	return max(b.scale, float64(grain*math.Abs(b.plain.level[0]))+1e-300)
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

// Seasonal reports whether the prediction uses the season.
func (b *Bank) Seasonal() bool { return b.best%2 == 1 }

// Residual returns v's residual in scales.
func (b *Bank) Residual(v, season float64) float64 {
	return clamp((v-b.Expect(season))/b.Unit(), farthest)
}

// Learn moves the levels and the scale by clipped steps. trust is the trust in the point, 0 to 1. far returns the
// distance, in scales, of recurring similar residuals. Learn calls it only if a predictor's error exceeds huber scales.
func (b *Bank) Learn(v, season, trust float64, far func() float64) {
	unit := b.Unit()
	step, most := float64(huber*unit), 0.0
	var errs [predictors]float64
	for i := range levels + 1 {
		errs[2*i] = math.Abs(v - b.plain.predict(i))
		errs[2*i+1] = math.Abs(v - (b.rest.predict(i) + season))
		most = max(most, errs[2*i], errs[2*i+1])
	}
	clip := math.MaxFloat64
	switch {
	case b.age < trusting:
		step = math.MaxFloat64
	case most > step:
		clip = float64(unit * max(huber, far()))
	}
	b.scale += float64(gain(scaleGain, b.scaleAge) * (min(errs[b.best], clip) - b.scale))
	least, g := math.MaxFloat64, float64(gain(errorGain, b.scaleAge)*trust)
	for i := range b.err {
		z := min(min(errs[i], clip)/unit, errorClip)
		b.err[i] += float64(g * (float64(z*z) - b.err[i]))
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
	least := 1 / float64(age)
	for i, g := range gains {
		t.level[i] += float64(max(g, least) * clamp(v-t.level[i], step))
	}
	e := clamp(v-t.predict(levels), step)
	t.level[levels] += t.trend + float64(max(trendGain, least)*e)
	if age > trusting {
		t.trend += float64(trendGain * trendStep * e)
	}
}

// Restart sets the level to v at the first point, and when a deviation has lasted so long that it is normal. It keeps
// the scale, which adapts faster for a while.
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

// Follow copies the fast levels and the trends of other, which has seen later points. It keeps the slowest levels.
func (b *Bank) Follow(other *Bank) {
	for _, p := range [...][2]*track{{&b.plain, &other.plain}, {&b.rest, &other.rest}} {
		copy(p[0].level[1:], p[1].level[1:])
		p[0].trend = p[1].trend
	}
}

// gain returns the gain of a plain mean for a young bank, and g from then on.
func gain(g float64, age uint32) float64 { return max(g, 1/float64(age)) }

func clamp(x, limit float64) float64 { return max(-limit, min(limit, x)) }
