// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package level // import "github.com/auspex-otel/auspex/internal/detect/level"

import (
	"math"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/stats"
)

// All gains are per point: the model knows no cadence.
const (
	warmUp      = 100   // points before the model speaks
	settle      = 20    // points before residuals are ranked
	rankFrom    = 60    // points before surprises are ranked
	errorGain   = 0.01  // of the error by which levels are compared
	scaleGain   = 0.004 // of the scale
	driftGain   = 0.25  // of the running mean of residuals
	driftClip   = 6     // a residual counts up to this many scales in that mean
	huber       = 3     // a residual moves a level by at most this many scales
	refit       = 32    // points between two fits of the tails
	strange     = -9.2  // ln p below which a point is strange: p < 1e-4
	strangeKeep = 31.0 / 32
	accept      = 16   // a forgetting count of strange points: 22 in a row
	trusting    = 16   // points after a start during which nothing is clipped
	grain       = 1e-9 // changes below this share of the level are rounding
)

// gains are those of the bank of levels: from white noise to a random walk.
var gains = [...]float64{0.02, 0.1, 0.3, 0.8}

// Model is the robust level and scale model of one series. Use New.
type Model struct {
	level [len(gains)]float64 // in the unit of the series
	err   [len(gains)]float64 // forgetting mean of the clipped |error| of each level
	scale float64             // forgetting mean of the clipped |residual|
	drift float64             // forgetting mean of the clipped residual / scale
	odd   float64             // forgetting count of strange points

	seen     uint32 // points, saturating
	age      uint32 // points since the levels started, saturating
	scaleAge uint32 // points the scale is worth, saturating
	best     uint8  // the level that predicts

	weight    stats.Weight
	residuals stats.Residuals // of residual / scale
	drifts    stats.Residuals // of drift
	rank      stats.Rank      // of the larger surprise of the two
}

var _ detect.Model = (*Model)(nil)

// New returns a model that has seen nothing.
func New() *Model {
	return &Model{weight: 1, rank: stats.NewRank()}
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
	x := clamp((v-m.level[m.best])/unit, 1e100)
	m.drift += driftGain * (clamp(x, driftClip) - m.drift)

	out, s := m.judge(x, unit)
	m.learn(v, x, s, out.LogP)
	if m.seen < warmUp {
		return detect.Warming()
	}
	return out
}

// unit returns the scale, which is never 0: what is less than rounding is no change.
func (m *Model) unit() float64 {
	return math.Max(m.scale, grain*math.Abs(m.level[m.best])+1e-60)
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
		LogP: m.rank.LogP(s, w), Expected: level, Lower: level + lower*unit, Upper: level + upper*unit,
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
	if m.seen < math.MaxUint32 {
		m.seen++
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
	step, far := huber*unit, unit*math.Max(huber, m.residuals.Far(x))
	if m.age < trusting {
		step, far = math.MaxFloat64, math.MaxFloat64
	}
	m.scale += gain(scaleGain, m.scaleAge) * trust * (math.Min(math.Abs(x)*unit, far) - m.scale)
	for i, g := range gains {
		e := clamp(v-m.level[i], math.MaxFloat64)
		m.level[i] += gain(g, m.age) * clamp(e, step)
		m.err[i] += gain(errorGain, m.scaleAge) * trust * (math.Min(math.Abs(e), far) - m.err[i])
		if m.err[i] < m.err[m.best] {
			m.best = uint8(i)
		}
	}
	if m.age < math.MaxUint32 {
		m.age++
	}
	if m.scaleAge < math.MaxUint32 {
		m.scaleAge++
	}
}

// restart takes v for the level: at the first point, and when what was strange
// has gone on for so long that it is the new normal. Scale and ranks stay, but
// the scale adapts faster for a while.
func (m *Model) restart(v float64) {
	for i := range gains {
		m.level[i] = v
		m.err[i] = m.scale
	}
	if m.age > 0 {
		m.scaleAge = trusting
	}
	m.age, m.odd, m.drift = 1, 0, 0
	m.scaleAge = max(m.scaleAge, 1)
}

// gain is that of a plain mean while young, and g from then on.
func gain(g float64, age uint32) float64 { return math.Max(g, 1/float64(age)) }

func clamp(x, limit float64) float64 { return math.Max(-limit, math.Min(limit, x)) }
