// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"math"
	"slices"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/boxes"
	"github.com/auspex-otel/auspex/internal/detect/flat"
	"github.com/auspex-otel/auspex/internal/detect/level"
	"github.com/auspex-otel/auspex/internal/detect/season"
	"github.com/auspex-otel/auspex/internal/detect/window"
	"github.com/auspex-otel/auspex/internal/stats"
)

const (
	warmUp      = 100       // points before the model speaks
	settle      = 20        // points before residuals are ranked
	rankFrom    = 60        // points before surprises are ranked
	rangeUntil  = 300       // points that the range is learned from
	shortMean   = 20        // points of the rolling mean
	driftGain   = 0.25      // of the running mean of residuals
	driftClip   = 6         // a residual counts up to this many scales in that mean
	spreadGain  = 0.1       // of the running mean of |residuals|
	refit       = 32        // points between two fits of a tail,
	refitYoung  = 8         // and while the model is young
	young       = 512       // points until which it is young
	strange     = -9.2      // ln p below which a point is strange: p < 1e-4
	strangeKeep = 31.0 / 32 // of the count of strange points, at each point
	accept      = 16        // the count at which a new normal is accepted: 22 in a row
	logCap      = 13.8      // nats that one feature counts up to: p = 1e-6
	farthest    = 1e150     // what a value is clipped to, against overflow
	rounding    = 1e-9      // a change below this share of a constant is none
	priorMean   = 0.5       // nats
	usual       = float64(len(window.Scales) + signed)
	usualShare  = 0.1 // of the points that lie at the median: the experts are silent there
	expertFrom  = 8   // nats from which an expert is heard: p = 3e-4
	expert      = 0.6 // what its nats beyond that are worth
)

// Positions of the signed features.
const (
	half = iota
	lvl
	rolling
	value
	signed
)

// Model is the model of one series. Use New.
type Model struct {
	zone   *season.Zone
	seen   uint32 // points
	weight stats.Weight
	odd    float64 // forgetting count of strange points

	low, high float64 // of the first points
	window    window.Window
	boxes     [len(window.Scales)]boxes.Boxes
	means     season.Means
	profile   season.Profile
	bank      level.Bank
	drift     float64 // forgetting mean of the clipped residual / scale
	spread    float64 // forgetting mean of its size, less 1
	flat      flat.Line

	held       [len(window.Scales)]held
	growth     [len(window.Scales)]stats.Positive
	signed     [signed]stats.Signed
	innovation stats.Residuals
	drifts     stats.Residuals
	spreads    stats.Residuals
	rank       stats.Rank
}

// New returns a model that has seen nothing and takes times of day in zone, nil for UTC.
func New(zone *season.Zone) *Model {
	if zone == nil {
		zone = &season.Zone{}
	}
	m := &Model{zone: zone, innovation: stats.NewResiduals(), drifts: stats.NewResiduals(), spreads: stats.NewResiduals(), rank: stats.NewRank(priorMean)}
	for i := range m.growth {
		m.growth[i] = stats.NewPositive()
		m.held[i].p = 1
	}
	for i := range m.signed {
		m.signed[i] = stats.NewSigned()
	}
	return m
}

// stride is how many points lie between two looks at a window: a long one changes slowly.
var stride = [len(window.Scales)]uint32{1, 2, 4}

// held is what the latest look at a window said, see stats.Residuals.P: p, and l negated.
type held struct{ p, l float32 }

// facts are the numbers that one point gives.
type facts struct {
	growth    [len(window.Scales)]float64 // NaN where there is none
	signed    [signed]float64
	x         float64 // innovation
	still     float64 // nats
	season    float64
	local     season.Local
	unit      float64
	unitLevel float64
}

// Observe judges v, then learns it. See detect.Model.
func (m *Model) Observe(t int64, v float64) detect.Surprise {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return detect.Warming()
	}
	v = m.steady(clamp(v, farthest))
	var f facts
	m.take(&f, t, v)
	out, e := m.judge(&f)
	m.learn(&f, t, v, e, out.LogP)
	if m.seen <= warmUp {
		return detect.Warming()
	}
	return out
}

// steady returns v, or, while the series has been constant, that constant where v
// differs by rounding alone: the range would else be one of rounding errors.
func (m *Model) steady(v float64) float64 {
	if m.low == m.high && m.seen > 0 && math.Abs(v-m.low) <= rounding*math.Abs(m.low) {
		return m.low
	}
	return v
}

// take makes the facts of a point; what needs no verdict is learned at once.
func (m *Model) take(f *facts, t int64, v float64) {
	f.local = m.zone.At(t)
	f.season = m.profile.Expect(f.local)
	if !m.bank.Started() {
		m.bank.Restart(v, f.season)
		m.low, m.high = v, v
		m.window.Set(v, 0)
	}
	f.unit = m.bank.Unit()
	f.unitLevel = m.bank.Expect(f.season)
	f.x = m.bank.Residual(v, f.season)
	m.drift += driftGain * (clamp(f.x, driftClip) - m.drift)
	m.spread += spreadGain * (math.Abs(clamp(f.x, driftClip)) - 1 - m.spread)
	f.still = m.flat.Observe(v)

	if (m.seen < rangeUntil || m.low == m.high) && (v < m.low || v > m.high) {
		m.widen(v)
	}
	m.window.Push(v)
	for k := range m.growth {
		f.growth[k] = math.NaN()
		if m.seen >= rankFrom && m.seen%stride[k] == 0 && m.window.Full(k) {
			w := m.window.Features(k)
			if g, ok := m.boxes[k].Observe(&w); ok {
				f.growth[k] = g
			}
		}
	}
	r := m.means.Observe(f.local, v)
	f.signed = [signed]float64{r.Half, r.Level, m.window.Mean(shortMean), v}
	if !r.Known {
		f.signed[half] = math.NaN()
	}
}

// widen lets the range reach v.
func (m *Model) widen(v float64) {
	m.low, m.high = min(v, m.low), max(v, m.high)
	m.window.Resize(m.low, min(m.high-m.low, math.MaxFloat64))
}

// judge ranks every fact among those before.
func (m *Model) judge(f *facts) (out detect.Surprise, e float64) {
	if m.seen < rankFrom {
		return detect.Surprise{}, 0
	}
	w := m.weight.Unit()
	product := 1.0 // of p's that were counted: of seven, each at least 1e-5
	for k, g := range f.growth {
		h := &m.held[k]
		if g == g {
			p, l := m.growth[k].P(g, w)
			*h = held{float32(p), float32(min(logCap, -l))}
		}
		product *= float64(h.p)
		e += float64(h.l)
	}
	for k, x := range f.signed {
		if x == x && (k < rolling || m.seen >= warmUp) {
			p, l := m.signed[k].P(x, w)
			product *= p
			e += min(logCap, -l)
		}
	}
	e -= math.Log(product)
	s, by := m.experts(f, w)
	if v := f.signed[value]; m.signed[value].Common(v, usualShare) && math.Abs(v-m.bank.Slow()) < math.Abs(v-f.unitLevel) {
		s = 0 // after a heap of ones a fast level expects another, but the slow one knows that 0 is no news
	}
	e = e/usual + expert*max(0, max(s, f.still)-expertFrom)
	lower, upper := m.innovation.Band()
	out = detect.Surprise{
		LogP:     m.rank.LogP(e, w),
		Expected: f.unitLevel,
		Lower:    max(-math.MaxFloat64, f.unitLevel+lower*f.unit),
		Upper:    min(math.MaxFloat64, f.unitLevel+upper*f.unit),
	}
	if out.LogP < logBandP {
		out.Kind = detect.KindHigh
		if by < 0 {
			out.Kind = detect.KindLow
		}
	}
	return out, e
}

// experts returns the greatest surprise of innovation, drift and spread, in nats,
// or 0 if none is worth a hearing, and what gives the direction.
func (m *Model) experts(f *facts, w float64) (s, by float64) {
	p, l := m.innovation.P(f.x, w)
	by = f.x
	if q, k := m.drifts.P(m.drift, w); q < p && l == 0 || k < l {
		p, l, by = min(p, q), min(l, k), m.drift
	}
	q, k := m.spreads.P(m.spread, w)
	if p, l = min(p, q), min(l, k); p < expertP {
		s = -math.Log(p)
	}
	return max(s, -l), by
}

var expertP = math.Exp(-expertFrom)

var logBandP = math.Log(detect.BandP)

// learn takes the facts in, after the verdict ln p.
func (m *Model) learn(f *facts, t int64, v, e, logP float64) {
	trust := 1 / ((1 + m.odd) * (1 + m.odd))
	m.odd *= strangeKeep
	if logP < strange {
		m.odd++
	}
	m.count(f, e, trust)
	m.profile.Learn(t, f.local, v, trust)
	if m.odd >= accept {
		m.restart(v, f.season)
		return
	}
	m.bank.Learn(v, f.season, trust, m.innovation.Far(f.x))
}

// restart takes what was strange for so long as the new normal. Windows far
// outside the range would all look alike: then the range widens and the boxes start anew.
func (m *Model) restart(v, season float64) {
	m.bank.Restart(v, season)
	m.odd, m.drift = 0, 0
	if span := m.high - m.low; v < m.low-span || v > m.high+span {
		m.widen(v)
		m.boxes = [len(m.boxes)]boxes.Boxes{}
	}
}

func (m *Model) count(f *facts, e, trust float64) {
	if m.seen++; m.seen == 0 { // after 4 billion points
		m.seen = 1 << 16
	}
	if m.weight.Next() {
		m.halve()
	}
	w := m.weight.Unit()
	if m.seen <= settle {
		return
	}
	for k, g := range f.growth {
		if g == g {
			m.growth[k].Add(g, w, trust)
		}
	}
	for k, x := range f.signed {
		if x == x && (k < rolling || m.seen > warmUp) {
			m.signed[k].Add(x, w, trust)
		}
	}
	if m.seen == warmUp {
		m.center(w)
	}
	m.innovation.Add(f.x, w, trust)
	m.drifts.Add(m.drift, w, trust)
	m.spreads.Add(m.spread, w, trust)
	if m.seen > rankFrom {
		m.rank.Add(e, w, trust)
	}
	m.fit(w)
}

// center seeds the features that are relative to a centre with the first points.
func (m *Model) center(w float64) {
	var first [warmUp]float64
	m.window.Last(first[:])
	sorted := first
	slices.Sort(sorted[:])
	c := (sorted[warmUp/2-1] + sorted[warmUp/2]) / 2
	m.signed[value].Center, m.signed[rolling].Center = c, c
	sum, leaving := 0.0, first[:]
	for i, v := range first {
		sum += v
		if i >= shortMean {
			sum -= leaving[0]
			leaving = leaving[1:]
		}
		m.signed[value].Add(v, w, 1)
		m.signed[rolling].Add(sum/float64(min(i+1, shortMean)), w, 1)
	}
}

const parts = len(window.Scales) + signed + 4

// fit fits one tail per point, each at every refit points; all of them, more often, while the model is young.
func (m *Model) fit(w float64) {
	if m.seen >= young {
		m.fitOne(int(m.seen%refit), w)
		return
	}
	if m.seen%refitYoung == 0 || m.seen == rankFrom || m.seen == warmUp {
		for k := range parts {
			m.fitOne(k, w)
		}
	}
}

// fitOne fits tail k, if there is one of that number.
func (m *Model) fitOne(k int, w float64) {
	switch {
	case k < len(m.growth):
		m.growth[k].Fit(w)
	case k < len(m.growth)+signed:
		m.signed[k-len(m.growth)].Fit(w)
	case k == parts-4:
		m.innovation.FitBand(w)
	case k == parts-3:
		m.drifts.Fit(w)
	case k == parts-2:
		m.spreads.Fit(w)
	case k == parts-1:
		m.rank.Fit(w, priorMean)
	}
}

func (m *Model) halve() {
	for k := range m.growth {
		m.growth[k].Halve()
	}
	for k := range m.signed {
		m.signed[k].Halve()
	}
	m.innovation.Halve()
	m.drifts.Halve()
	m.spreads.Halve()
	m.rank.Halve()
}

func clamp(x, limit float64) float64 { return max(-limit, min(limit, x)) }
