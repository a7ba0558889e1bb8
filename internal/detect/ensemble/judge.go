// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"math"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/exact"
)

const (
	viewCap    = 20 // maximum nats of one view
	expertFrom = 8  // nats from which an expert counts: p = 3e-4
	errorFrom  = 18 // nats, by its fitted tail, from which the error of the best predictor counts as an expert
)

// weights holds the weights of the views in the mean.
var weights = [views]float64{viewError: 2, viewSlow: 1, viewAverage: 1, viewValue: 1, viewShort: 1, viewLong: 1}

var allWeights = func() (sum float64) {
	for _, w := range weights {
		sum += w
	}
	return sum
}()

// experts lists the views of which only the most surprised counts, and two more.
var experts = []int{expertStill, expertJump, viewDrift, viewSpread, viewHour, viewSix}

const (
	expertStill = views + iota // the value has not moved
	expertJump                 // a very large error, because the other views show little of a single point
)

// unknown is the surprise of a view without a value yet, in nats.
const unknown = 0.7

// evidence returns, in nats, the weighted mean surprise of the views plus the excess of the most surprised expert
// over expertFrom. The sign of the second result is the direction.
func (m *Model) evidence(f *facts) (e, by float64) {
	by = f.x[viewError]
	for k, w := range weights {
		if w == 0 {
			continue
		}
		nats := unknown
		switch {
		case f.has(k):
			nats = min(viewCap, m.tails[k].P(f.x[k]))
			m.keep(k, nats)
		case k == viewAverage:
			nats = float64(m.heldAvg)
		case k >= viewShort:
			nats = float64(m.held[k-viewShort])
		}
		e += float64(w * nats)
	}
	e /= allWeights
	best, most := m.mostSurprised(f)
	if most < views && most != viewSpread {
		by = f.x[most]
	}
	return e + (best - expertFrom), by
}

// mostSurprised returns the greatest surprise of an expert, in nats, and its index, or expertFrom if none exceeds it. A
// usual view does not, since stats.UsualNats is less.
func (m *Model) mostSurprised(f *facts) (best float64, most int) {
	best, most = expertFrom, views
	for _, k := range experts {
		nats := 0.0
		switch {
		case k == expertStill:
			nats = f.still
		case k == expertJump:
			if x := f.x[viewError]; !m.tails[viewError].Usual(x) {
				nats = m.tails[viewError].Fitted(x) - errorFrom + expertFrom
			}
		case f.has(k) && !m.tails[k].Usual(f.x[k]):
			nats = m.tails[k].P(f.x[k])
		}
		if nats > best {
			best, most = nats, k
		}
	}
	return best, most
}

// keep stores the surprise of a view that is not evaluated at each point.
func (m *Model) keep(view int, nats float64) {
	switch view {
	case viewAverage:
		m.heldAvg = float32(nats)
	case viewShort, viewLong:
		m.held[view-viewShort] = float32(nats)
	}
}

// say converts the evidence e to a judgment.
func (m *Model) say(f *facts, e float64) detect.Judgment {
	expected, unit := m.bank.Expect(f.season), float64(m.bank.Unit()*f.ratio)
	t := &m.tails[viewError]
	out := detect.Judgment{
		Surprise: calibrated(e),
		Expected: expected,
		Lower:    expected - float64(unit*t.Quantile(-1, outside)),
		Upper:    expected + float64(unit*t.Quantile(1, outside)),
	}
	return m.bounded(out)
}

// bounded keeps the interval finite, and nonnegative for a series without negative values.
func (m *Model) bounded(out detect.Judgment) detect.Judgment {
	if width := out.Upper - out.Lower; width < float64(2*rounding*math.Abs(out.Expected))+1e-200 {
		out.Lower, out.Upper = out.Expected, out.Expected
	}
	out.Lower, out.Upper = max(-math.MaxFloat64, out.Lower), min(math.MaxFloat64, out.Upper)
	if m.low >= 0 {
		out.Lower, out.Expected, out.Upper = max(0, out.Lower), max(0, out.Expected), max(0, out.Upper)
	}
	return out
}

// kind returns the direction of a surprise, or KindNone for a small one.
func kind(surprise, by float64) detect.Kind {
	switch {
	case surprise <= kindFrom:
		return detect.KindNone
	case by < 0:
		return detect.KindLow
	}
	return detect.KindHigh
}

var (
	kindFrom = -exact.Log(detect.OutsideP)     // nats from which a surprise has a kind
	outside  = -exact.Log(detect.OutsideP / 2) // nats at the ends of the interval
)

// calibrated returns the surprise of the evidence e, in nats, by linear interpolation in the table below, which was
// computed offline (see doc.go).
func calibrated(e float64) float64 {
	const step = 0.5
	x := e / step
	k := int(x)
	if k >= len(table)-1 {
		last := len(table) - 1
		return table[last] + float64((x-float64(last))*(table[last]-table[last-1]))
	}
	return table[k] + float64((x-float64(k))*(table[k+1]-table[k]))
}

// table holds -ln P(evidence ≥ k/2) on noise.
var table = [...]float64{0, 0.01, 0.46, 1.28, 2.18, 3.14, 4.1, 5, 5.83, 6.52, 7.18, 7.83, 8.48}
