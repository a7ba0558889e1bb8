// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package level

import (
	"math"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/stats"
)

// Gains are per point: the model knows no cadence. Scales are mean absolute
// residuals, .8 σ of normal noise.
const (
	warmUp      = 100       // points before the model speaks
	settle      = 20        // points before residuals are ranked
	rankFrom    = 60        // points before surprises are ranked
	errorGain   = 0.01      // of the errors by which the levels are compared
	scaleGain   = 0.001     // of the scale: slow, or a rare event would set it
	driftGain   = 0.25      // of the running mean of residuals
	driftClip   = 6         // a residual counts up to this many scales in that mean
	slack       = 1.2       // a slower level predicts if its squared error is at most this times the least
	errorClip   = 100       // scales that an error counts up to in that comparison, at most
	huber       = 3         // a residual moves a level by at most its gain times this many scales
	refit       = 32        // points between two fits of the tails
	strange     = -9.2      // ln p below which a point is strange: p < 1e-4
	strangeKeep = 31.0 / 32 // of the count of strange points, at each point
	accept      = 16        // the count at which a new normal is accepted: 22 in a row
	trusting    = 16        // points after a start during which nothing is clipped
	old         = 1 << 16   // age at which no gain depends on it any more
	grain       = 1e-9      // changes below this share of the level are rounding
	farthest    = 1e100     // scales that a residual is clipped to, against overflow
)

// gains are those of the bank of levels: from white noise to a random walk.
var gains = [...]float64{0.02, 0.15, 0.8}

// Model is the robust level and scale model of one series. Use New.
type Model struct {
	level [len(gains)]float64 // in the unit of the series
	err   [len(gains)]float64 // forgetting mean of each level's (clipped error / scale)²
	scale float64             // forgetting mean of the clipped |residual|
	drift float64             // forgetting mean of the clipped residual / scale
	odd   float64             // forgetting count of strange points

	seen     uint32 // points
	age      uint32 // points since the levels started, up to old
	scaleAge uint32 // points the scale is worth, up to old
	best     uint8  // the level that predicts

	weight    stats.Weight
	residuals stats.Residuals // of residual / scale
	drifts    stats.Residuals // of drift
	rank      stats.Rank      // of the larger surprise of the two
}

var _ detect.Model = (*Model)(nil)

// New returns a model that has seen nothing.
func New() *Model {
	return &Model{weight: 1, residuals: stats.NewResiduals(), drifts: stats.NewResiduals(), rank: stats.NewRank()}
}

// Observe judges v, then learns it. See detect.Model.
func (m *Model) Observe(_ int64, v float64) detect.Surprise {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return detect.Warming()
	}
	if m.age == 0 {
		m.restart(v)
	}
	unit := m.unit()
	x := clamp((v-m.level[m.best])/unit, farthest)
	m.drift += driftGain * (clamp(x, driftClip) - m.drift)

	out, s := m.judge(x, unit)
	m.learn(v, x, s, out.LogP)
	if m.seen <= warmUp {
		return detect.Warming()
	}
	return out
}

// unit returns the scale, which is never 0: what is less than rounding is no change.
func (m *Model) unit() float64 {
	return max(m.scale, grain*math.Abs(m.level[m.best])+1e-60)
}

// judge ranks the residual x and the drift against all before, and returns the
// larger surprise as well, in nats.
func (m *Model) judge(x, unit float64) (out detect.Surprise, s float64) {
	if m.seen < rankFrom {
		return detect.Surprise{}, 0
	}
	w := float64(m.weight)
	s, by := -m.residuals.LogP(x, w), x
	if d := -m.drifts.LogP(m.drift, w); d > s {
		s, by = d, m.drift
	}
	level := m.level[m.best]
	lower, upper := m.residuals.Band()
	out = detect.Surprise{
		LogP:     m.rank.LogP(s, w),
		Expected: level,
		Lower:    max(-math.MaxFloat64, level+lower*unit),
		Upper:    min(math.MaxFloat64, level+upper*unit),
	}
	if out.LogP < logBandP {
		out.Kind = detect.KindHigh
		if by < 0 {
			out.Kind = detect.KindLow
		}
	}
	return out, s
}

var logBandP = math.Log(detect.BandP)

// learn takes v in: residual x in scales, surprise s, and the verdict ln p.
func (m *Model) learn(v, x, s, logP float64) {
	// The first strange point counts in full, those after it less and less: an
	// episode is one event, however long it lasts.
	trust := 1 / ((1 + m.odd) * (1 + m.odd))
	m.odd *= strangeKeep
	if logP < strange {
		m.odd++
	}
	m.rankPoint(x, s, trust)
	if m.odd >= accept {
		m.restart(v)
		return
	}
	m.moveLevels(v, x, trust)
}

// rankPoint puts the point into the histograms and fits their tails when it is time.
func (m *Model) rankPoint(x, s, trust float64) {
	if m.seen++; m.seen == 0 { // after 4 billion points
		m.seen = old
	}
	if m.seen <= settle {
		return
	}
	if f := m.weight.Next(); f != 1 {
		m.residuals.Rescale(f)
		m.drifts.Rescale(f)
		m.rank.Rescale(f)
	}
	w := float64(m.weight)
	m.residuals.Add(x, trust*w)
	m.drifts.Add(m.drift, trust*w)
	if m.seen > rankFrom {
		m.rank.Add(s, trust*w)
	}
	if m.seen%refit == 0 || m.seen < 512 && m.seen%8 == 0 || m.seen == rankFrom {
		m.residuals.Fit(w)
		m.drifts.Fit(w)
		m.rank.Fit(w)
	}
}

// moveLevels moves the levels and the scale by clipped steps.
func (m *Model) moveLevels(v, x, trust float64) {
	unit := m.unit()
	step, far := huber*unit, unit*max(huber, m.residuals.Far(x))
	if m.age < trusting {
		step, far = math.MaxFloat64, math.MaxFloat64
	}
	r := clamp(v-m.level[m.best], math.MaxFloat64)
	m.scale += gain(scaleGain, m.scaleAge) * (min(math.Abs(r), far) - m.scale)
	least := math.MaxFloat64
	for i, g := range gains {
		e := clamp(v-m.level[i], math.MaxFloat64)
		m.level[i] += gain(g, m.age) * clamp(e, step)
		z := min(min(math.Abs(e), far)/unit, errorClip)
		m.err[i] += gain(errorGain, m.scaleAge) * trust * (z*z - m.err[i])
		least = min(least, m.err[i])
	}
	m.best = 0
	for m.err[m.best] > slack*least {
		m.best++
	}
	m.age = min(m.age+1, old)
	m.scaleAge = min(m.scaleAge+1, old)
}

// restart takes v for the level: at the first point, and when what was strange
// has gone on for so long that it is the new normal. Scale and ranks stay, but
// the scale adapts faster for a while.
func (m *Model) restart(v float64) {
	for i := range gains {
		m.level[i] = v
		m.err[i] = 1
	}
	if m.age > 0 {
		m.scaleAge = trusting
	}
	m.age, m.odd, m.drift = 1, 0, 0
	m.scaleAge = max(m.scaleAge, 1)
}

// gain is that of a plain mean while young, and g from then on.
func gain(g float64, age uint32) float64 { return max(g, 1/float64(age)) }

func clamp(x, limit float64) float64 { return max(-limit, min(limit, x)) }
