// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"math"
	"time"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/level"
	"github.com/auspex-otel/auspex/internal/detect/season"
	"github.com/auspex-otel/auspex/internal/stats"
)

const (
	leave        = 7.5 // nats from which a point outside the slow interval starts a hold
	back         = 3   // consecutive points inside the interval that end it
	acceptPoints = 20  // minimum number of points of a new level to become normal
	gradually    = 0.4 // share of the distance an hour before from which a change is slow
	slowly       = 24  // factor of the acceptance time for a slow change
	mostTries    = 24  // maximum number of further acceptance times for a level that still moves
	moving       = 4   // standard errors by which a level may move within the acceptance time,
	relaxing     = 0.1 // plus this share of its distance
)

// hold is the state of a series that has left its level. The model continues to judge by its previous state and does
// not learn. A second bank learns the new level.
type hold struct {
	bank       level.Bank
	tails      [3]stats.Tails // of the slow views, as if the new values were normal
	since      int64
	from       int64 // start of the present acceptance time
	tries      uint8
	inside     uint8 // consecutive points inside the interval
	slow       bool  // the change was slow
	lasting    bool  // and was detected only by its duration
	away       season.Away
	peak       float64 // value of the slow view that is farthest from 0
	offset     float64 // of the predictor from level and season at the start of the hold
	n          float64
	sum, sumSq float64 // of the distances from level and season
	sumAt      float64 // sum of each distance times its number
}

// inside reports whether the value of a slow view is in the interval that contains 1 - OutsideP of its values.
func (m *Model) inside(view int, x float64) bool {
	q := m.tails[view].Quantile(sign(x), outside)
	return q == 0 && x == 0 || math.Abs(x) <= q
}

// leave starts a hold at the point that was just judged and learned.
func (m *Model) leave(t int64, v float64, f *facts, slowly bool) {
	z := max(-slowClip, min(slowClip, f.x[viewSlow]))
	h := &hold{bank: m.bank, since: t, lasting: slowly, from: t, tails: [3]stats.Tails{m.tails[viewSlow], m.tails[viewHour], m.tails[viewSix]}, slow: slowly || float64(m.hour)/z >= gradually}
	h.offset = m.distance(f, m.bank.Expect(f.season))
	h.bank.Restart(v, f.season)
	if slowly && m.lastings < 8 {
		m.lastings++
	}
	h.peak = f.x[viewSlow]
	m.hold = h
	h.add(m.distance(f, v))
}

func (m *Model) distance(f *facts, v float64) float64 {
	level, _ := m.profile.Level()
	return v - level - f.season
}

func (h *hold) add(d float64) {
	h.n++
	h.sum += d
	h.sumSq += float64(d * d)
	h.sumAt += float64(d * h.n)
}

// observeHeld judges a point by the slow level and the season before the hold, and learns only the new level.
func (m *Model) observeHeld(f *facts, t int64, v float64) detect.Judgment {
	h := m.hold
	z := m.slow(f, v)
	base, scale := m.profile.Level()
	expected, unit := base+f.season, float64(scale*f.ratio)
	tails := &m.tails[viewSlow]
	out := m.bounded(detect.Judgment{
		Surprise: tails.P(z),
		Expected: expected,
		Lower:    expected - float64(unit*tails.Quantile(-1, outside)),
		Upper:    expected + float64(unit*tails.Quantile(1, outside)),
		Held:     true,
	})
	nats := out.Surprise
	if hours := m.follow(v, z); h.lasting {
		nats = max(nats, hours)
	}
	out.Surprise = m.own.corrected(max(nats, m.heldEvidence(f, v, z)))
	if m.counts.small() {
		out.Surprise = min(out.Surprise, m.exact(v))
	}
	if h.lasting {
		m.profile.Follow(t, f.look, v)
	} else {
		out.Surprise = min(out.Surprise, m.excursions.most(z, t-h.since))
	}
	out.Kind = kind(out.Surprise, z)
	if math.Abs(z) > math.Abs(h.peak) {
		h.peak = z
	}
	h.away.Learn(t, f.local, m.distance(f, v))
	h.bank.Learn(v, f.season, 1, func() float64 { return math.Inf(1) })
	h.add(m.distance(f, v))
	if h.inside++; !m.inside(viewSlow, z) || h.lasting && !m.inside(viewHour, float64(m.hour)) {
		h.inside = 0
	}
	switch {
	case h.inside >= back:
		m.bank.Follow(&h.bank)
		if !h.lasting {
			m.profile.LearnAway(t, f.local, &h.away)
			m.excursions.learn(h.peak, t-h.since)
		}
		if t-h.since < int64(m.opt.Accept) { // within the usual variation of the series
			m.tails[viewSlow], m.tails[viewHour], m.tails[viewSix] = h.tails[0], h.tails[1], h.tails[2]
		}
		m.hold = nil
		m.odd, m.oddSlots, m.drift, m.spread, m.hour, m.six = 0, 0, 0, 0, 0, 0
	case h.n >= acceptPoints && t-h.from >= int64(m.acceptance()):
		if h.settled() || h.tries >= mostTries {
			if !h.lasting {
				m.excursions.accept(h.peak, t-h.since)
			}
			m.accept(v)
			out.Accepted = true
		} else {
			h.tries++
			h.from, h.n, h.sum, h.sumSq, h.sumAt = t, 0, 0, 0, 0
		}
	}
	return out
}

// heldEvidence returns the surprise of all views, in nats, by the previous predictors. It is 0 inside the slow
// interval. In a hold that started because the series deviated for hours, the error is that of the predictors that
// follow it, because a fault may occur in addition. Windows and average keep their last surprise.
func (m *Model) heldEvidence(f *facts, v, z float64) float64 {
	h := m.hold
	var x float64
	if h.lasting {
		x = h.bank.Residual(v, f.season) / f.ratio
	} else { // The predictor keeps its distance from level and season.
		x = (m.distance(f, v) - h.offset) / (m.bank.Unit() * f.ratio)
	}
	m.drift += float32(driftGain * float32(max(-errorClip, min(errorClip, x))-float64(m.drift)))
	if !h.lasting && m.inside(viewSlow, z) {
		return 0
	}
	f.set(viewError, x)
	f.set(viewSlow, z)
	f.set(viewDrift, float64(m.drift))
	f.set(viewValue, m.units(v))
	e, _ := m.evidence(f)
	return calibrated(e)
}

func (m *Model) acceptance() time.Duration {
	if m.hold.slow {
		return slowly * m.opt.Accept
	}
	return m.opt.Accept
}

// settled reports whether the new level no longer moves: a line through its distances from the old level rises by no
// more than chance.
func (h *hold) settled() bool {
	mean := h.sum / h.n
	variance := max(0, h.sumSq/h.n-float64(mean*mean))
	// Σ(i-ī)(d-d̄) / Σ(i-ī)² is the slope. Times n, it is the rise of the line.
	rise := (h.sumAt - mean*h.n*(h.n+1)/2) * 12 / (float64(h.n*h.n) - 1)
	variance = max(0, variance-rise*rise/12)
	return math.Abs(rise) <= float64(moving*math.Sqrt(12*variance/h.n))+float64(relaxing*math.Abs(mean))
}

// accept makes the new level normal.
func (m *Model) accept(v float64) {
	h := m.hold
	m.profile.Shift(h.sum / h.n)
	m.bank = h.bank
	m.hold = nil
	m.settled(v)
}

// follow updates the windows, which are not compared during a hold, and returns the surprise of the mean of the last
// hours, in nats.
func (m *Model) follow(v, z float64) float64 {
	m.still(v)
	m.rings[0].Push(m.short[:], m.in.Of(v))
	m.slotSum += v
	m.slowSum += max(-slowClip, min(slowClip, z))
	if m.inSlot++; m.inSlot >= max(1, m.perSlot) {
		n := float64(m.inSlot)
		m.rings[1].Push(m.long[:], m.in.Of(m.slotSum/n))
		m.hour += float32(hourGain * float32(m.slowSum/n-float64(m.hour)))
		m.six += float32(sixGain * float32(m.slowSum/n-float64(m.six)))
		m.slotSum, m.slowSum, m.inSlot = 0, 0, 0
		m.slots++
		m.hold.tails[0].Learn(z, 1)
		if m.slots%apart[0] == 0 {
			m.hold.tails[1].Learn(float64(m.hour), 1)
		}
		if m.slots%apart[1] == 0 {
			m.hold.tails[2].Learn(float64(m.six), 1)
		}
	}
	return max(m.tails[viewHour].P(float64(m.hour)), m.tails[viewSix].P(float64(m.six)))
}
