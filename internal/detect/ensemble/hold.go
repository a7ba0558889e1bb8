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
	leave        = 7.5 // nats from which a point outside the slow interval begins a hold
	back         = 3   // points in a row inside the interval that end it
	acceptPoints = 20  // points that a new level needs at least to become normal
	gradually    = 0.4 // share of the distance that was there an hour before: the change came slowly,
	slowly       = 24  // and is accepted after so many times the acceptance time
	mostTries    = 24  // times that a level that still moves is given another acceptance time
	moving       = 4   // standard errors that a level may move by within the acceptance time,
	relaxing     = 0.1 // and this share of its distance
)

// hold is the state of a series that has left its level. The model as it was
// keeps judging, and does not learn; the bank learns the new level beside it.
type hold struct {
	bank       level.Bank
	tails      [3]stats.Tails // of the slow views, as they would be if all this was normal
	since      int64
	from       int64 // when the present acceptance time began
	tries      uint8
	inside     uint8 // points in a row inside the interval
	slow       bool  // the change came slowly,
	lasting    bool  // and was seen only because it lasted
	away       season.Away
	peak       float64 // the number of the slow view that is farthest from 0
	offset     float64 // of the predictor from level and season when the hold began
	n          float64
	sum, sumSq float64 // of the distances from level and season
	sumAt      float64 // of each distance times its number
}

// inside reports whether the number of a slow view lies in the interval that holds
// 1 - OutsideP of them.
func (m *Model) inside(view int, x float64) bool {
	q := m.tails[view].Quantile(sign(x), outside)
	return q == 0 && x == 0 || math.Abs(x) <= q
}

// leave begins a hold at the point that was just judged and learned.
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
	h.sumSq += d * d
	h.sumAt += d * h.n
}

// observeHeld judges a point by the slow level and the season as they were
// before the series left them, and teaches the new level alone.
func (m *Model) observeHeld(f *facts, t int64, v float64) detect.Judgment {
	h := m.hold
	z := m.slow(f, v)
	base, scale := m.profile.Level()
	expected, unit := base+f.season, scale*f.ratio
	tails := &m.tails[viewSlow]
	out := m.bounded(detect.Judgment{
		Surprise: tails.P(z),
		Expected: expected,
		Lower:    expected - unit*tails.Quantile(-1, outside),
		Upper:    expected + unit*tails.Quantile(1, outside),
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
		m.profile.Follow(t, f.local, v)
	} else {
		out.Surprise = min(out.Surprise, m.excursions.most(z, t-h.since))
	}
	out.Kind = kind(out.Surprise, z)
	if math.Abs(z) > math.Abs(h.peak) {
		h.peak = z
	}
	h.away.Learn(t, f.local, m.distance(f, v))
	h.bank.Learn(v, f.season, 1, math.Inf(1))
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
		if t-h.since < int64(m.opt.Accept) { // no more than the series does now and then
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

// heldEvidence returns the surprise of all views, in nats, by the predictors as they
// were; 0 inside the slow interval. In a hold that began because the series was off for
// hours, the error is that of the predictors that follow it: a fault may come on top.
// Windows and average count as when they were last asked.
func (m *Model) heldEvidence(f *facts, v, z float64) float64 {
	h := m.hold
	var x float64
	if h.lasting {
		x = h.bank.Residual(v, f.season) / f.ratio
	} else { // The predictor stays where it was relative to level and season.
		x = (m.distance(f, v) - h.offset) / (m.bank.Unit() * f.ratio)
	}
	m.drift += driftGain * float32(max(-errorClip, min(errorClip, x))-float64(m.drift))
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

// settled reports whether the new level no longer moves: a line through its
// distances from the old one rises by no more than chance.
func (h *hold) settled() bool {
	mean := h.sum / h.n
	variance := max(0, h.sumSq/h.n-mean*mean)
	// Σ(i-ī)(d-d̄) / Σ(i-ī)² is the slope; times n, how far the line rises.
	rise := (h.sumAt - mean*h.n*(h.n+1)/2) * 12 / (h.n*h.n - 1)
	variance = max(0, variance-rise*rise/12)
	return math.Abs(rise) <= moving*math.Sqrt(12*variance/h.n)+relaxing*math.Abs(mean)
}

// accept takes the new level for normal.
func (m *Model) accept(v float64) {
	h := m.hold
	m.profile.Shift(h.sum / h.n)
	m.bank = h.bank
	m.hold = nil
	m.settled(v)
}

// follow lets the windows go on, which are not compared meanwhile, and returns how
// surprising the mean of the last hours is, in nats.
func (m *Model) follow(v, z float64) float64 {
	m.still(v)
	m.rings[0].Push(m.short[:], m.in.Of(v))
	m.slotSum += v
	m.slowSum += max(-slowClip, min(slowClip, z))
	if m.inSlot++; m.inSlot >= max(1, m.perSlot) {
		n := float64(m.inSlot)
		m.rings[1].Push(m.long[:], m.in.Of(m.slotSum/n))
		m.hour += hourGain * float32(m.slowSum/n-float64(m.hour))
		m.six += sixGain * float32(m.slowSum/n-float64(m.six))
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
