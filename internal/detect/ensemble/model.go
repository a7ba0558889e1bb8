// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"math"
	"time"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/boxes"
	"github.com/auspex-otel/auspex/internal/detect/flat"
	"github.com/auspex-otel/auspex/internal/detect/level"
	"github.com/auspex-otel/auspex/internal/detect/season"
	"github.com/auspex-otel/auspex/internal/detect/window"
	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/stats"
)

const (
	warmUp     = 100   // points before the model returns a surprise
	settle     = 20    // points before views are learned
	boxesFrom  = 60    // points before windows are compared, and before values have a center
	rangeUntil = 300   // slots from which the range is learned
	rolling    = 20    // slots of the rolling mean
	farthest   = 1e150 // bound of a value, against overflow
	rounding   = 1e-9  // smaller relative changes of a constant are ignored
	strange    = 9.2   // nats from which a point is anomalous: p < 1e-4
	forgetOdd  = 31.0 / 32
	softened   = 100  // weight of the slow view's tails, in points, when the season is known
	stillSlope = 0.35 // factor of the nats of a standstill beyond ln n for n points, because runs are not independent
	oddSlot    = 6.5  // nats from which the slow view makes a slot odd: p < .0015
	oddHour    = 5    // nats from which the hour's or the six hours' view does
	farHour    = 2    // if the hour deviates by this many mean absolute residuals
	rareHour   = 3    // nats from which those two learn with oddTrust
	oddTrust   = 0.1
	leaving    = 0.8 // trust in the point that begins a hold, so that the recurrence of a fault is found like the fault
	lasting    = 12  // count of odd slots, decayed by forgetOdd, that starts a hold
	mostSlow   = 10  // maximum ratio of the slow view's mean error to that of the best predictor for this
	restartOdd = 16  // count of anomalous points, decayed by forgetOdd, at which the bank restarts: 22 in a row
)

// A slot is the time step of the slow views: about slotTime, and a whole number of points.
const (
	slotTime   = 5 * time.Minute
	mostPoints = 60 // of a slot
	cadenceBy  = 32 // points after which the cadence is fixed
)

// Gains and clips of the running means.
const (
	driftGain  = 0.25 // of errors, per point
	spreadGain = 0.1  // of the size of errors, per point
	errorClip  = 6    // maximum scales of an error in both
	hourGain   = 0.15 // of slow errors, per slot: about an hour
	sixGain    = 0.03 // of slow errors, per slot: about six hours
	slowClip   = 8    // maximum scales of a slow error in both
)

// apart is the distance, in slots, between the values from which the views of one hour and of six hours learn,
// because adjacent slots have nearly equal values.
var apart = [...]uint32{6, 24}

// outlier is the surprise of an error, in nats, beyond which the predictors adapt less.
var outlier = -exact.Log(1.0 / 300)

// DefaultAccept is the default of Options.Accept.
const DefaultAccept = time.Hour

// Options are the settings of a model.
type Options struct {
	// Zone is the time zone of the seasons, or nil for UTC.
	Zone *season.Zone
	// Accept is the acceptance time of a new level, which also needs at least acceptPoints points. 0 means
	// DefaultAccept.
	Accept time.Duration
}

// Model is the model of one series. Use New.
type Model struct {
	opt       *Options
	hold      *hold  // nil while the series is at its level
	seen      uint32 // points
	last      int64  // time of the latest point
	cadence   float64
	lastings  uint8 // holds that started because the slow view was odd for a long time
	mature    bool  // the season is known
	perSlot   uint8 // points of a slot, 0 until the cadence is known
	inSlot    uint8
	held      [2]float32 // last surprise of the windows, nats
	heldAvg   float32    // last surprise of the rolling mean
	odd       float32    // decaying count of anomalous points
	oddSlots  float32    // decaying count of slots in which the slow view is odd
	drift     float32    // running mean of clipped errors
	spread    float32    // running mean of their size, minus 1
	hour      float32    // running mean of clipped slow errors, an hour
	six       float32    // the same, six hours
	slotSum   float64    // of values, in the present slot
	slowSum   float64    // of clipped slow errors
	slots     uint32
	stillFrom int64 // time from which the standstill is a surprise, or 0

	own        own // frequency of surprises of the series
	excursions excursions
	bank       level.Bank
	profile    season.Profile
	byHour     season.Spread
	counts     counts
	flat       flat.Line

	tails  [views]stats.Tails
	center float64 // of the values
	unit   float64 // of the values, a power of two; 0 until they differ
	low    float64 // of the first slots
	high   float64
	in     window.Unit
	rings  [2]window.Ring
	short  [window.Short]float32
	long   [window.Long]float32
	boxes  [2]boxes.Boxes
}

// Views, by their index in Model.tails.
const (
	viewError   = iota // of the best predictor
	viewSlow           // value minus slow level and season
	viewAverage        // rolling mean
	viewValue
	viewShort // novelty of the short window
	viewLong  // and of the long one
	viewDrift
	viewSpread
	viewHour
	viewSix
	views
)

// sigmas holds the standard deviations of the views under white noise, in mean absolute errors. That of an
// exponential mean with gain g is √(g/(2-g)).
var sigmas = func() (s [views]float64) {
	const one = 1.2533 // √(π/2): for one error
	mean := func(gain float64) float64 { return float64(one * math.Sqrt(gain/(2-gain))) }
	s[viewError], s[viewSlow] = one, one
	s[viewDrift], s[viewSpread] = mean(driftGain), float64(0.76*mean(spreadGain))
	s[viewHour], s[viewSix] = mean(hourGain), mean(sixGain)
	return s
}()

var defaults = &Options{Zone: &season.Zone{}, Accept: DefaultAccept}

// New returns a model without data.
func New(opt *Options) *Model {
	if opt == nil {
		opt = defaults
	}
	m := &Model{opt: opt}
	m.reset()
	return m
}

func (m *Model) reset() {
	for k := range m.tails {
		m.tails[k] = stats.NewTails(sigmas[k])
		if k >= viewHour {
			m.tails[k] = stats.NewStiffTails(sigmas[k])
		}
	}
}

// facts holds the numbers that are derived from one point.
type facts struct {
	local  season.Local
	look   season.Outlook
	season float64 // its offset
	ratio  float64 // ratio of the hour's errors to the usual ones
	x      [views]float64
	known  uint16 // bit k: view k has a new value
	still  float64
	slot   bool    // the point ends a slot
	trust  float64 // of the point, 0 to 1
}

func (f *facts) set(view int, x float64) {
	f.x[view] = x
	f.known |= 1 << view
}

func (f *facts) has(view int) bool { return f.known&(1<<view) != 0 }

// Observe judges v, then learns it. See detect.Model.
func (m *Model) Observe(t int64, v float64) detect.Judgment {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return detect.Warming()
	}
	v = m.steady(max(-farthest, min(farthest, v)))
	m.pace(t)
	m.excursions.pass(t)
	var f facts
	f.local = m.opt.Zone.At(t)
	f.look = m.profile.At(t, f.local)
	f.season = f.look.Offset
	f.ratio = m.byHour.Ratio(f.local)
	if m.seen == 0 {
		m.bank.Restart(v, f.season)
		m.low, m.high = v, v
		m.in = window.Unit{Origin: v}
	}
	var out detect.Judgment
	if m.hold != nil {
		out = m.observeHeld(&f, t, v)
	} else {
		out = m.observeFree(&f, t, v)
	}
	if m.seen++; m.seen == 0 { // after 4 billion points
		m.seen = 1 << 16
	}
	if m.seen <= warmUp {
		return detect.Warming()
	}
	return out
}

// steady returns v. While the series has been constant, it returns that constant if v differs only by rounding,
// because the range would otherwise consist of rounding errors.
func (m *Model) steady(v float64) float64 {
	if m.low == m.high && m.seen > 0 && math.Abs(v-m.low) <= rounding*math.Abs(m.low) {
		return m.low
	}
	return v
}

// pace learns the cadence and determines the length of a slot.
func (m *Model) pace(t int64) {
	gap := float64(t - m.last)
	m.last = t
	switch {
	case m.perSlot > 0 || m.seen == 0:
		return
	case m.seen == 1 || m.cadence <= 0:
		m.cadence = gap
	case gap > m.cadence: // a running median, in steps of a tenth
		m.cadence = float64(m.cadence * 1.1)
	case gap < m.cadence:
		m.cadence /= 1.1
	}
	if m.seen >= cadenceBy {
		m.perSlot = uint8(max(1, min(mostPoints, math.Round(float64(slotTime)/max(1, m.cadence)))))
	}
}

// observeFree judges and learns a point of a series that is at its level.
func (m *Model) observeFree(f *facts, t int64, v float64) detect.Judgment {
	m.look(f, v)
	e, by := m.evidence(f)
	out := m.say(f, e)
	if m.seen >= warmUp {
		nats := out.Surprise
		out.Surprise = m.own.corrected(nats)
		m.own.learn(nats)
	}
	if out.Surprise > checkFrom && m.counts.small() {
		out.Surprise = min(out.Surprise, m.exact(v))
	}
	surprise := out.Surprise
	out.Surprise = min(out.Surprise, m.excursions.most(f.x[viewSlow], 0))
	out.Kind = kind(out.Surprise, by)
	leaves := m.seen >= warmUp && surprise > leave && !m.inside(viewSlow, f.x[viewSlow])
	mature := f.look.Mature
	if mature && !m.mature {
		m.mature = true
		m.tails[viewSlow].Soften(softened)
	}
	if f.slot && mature && m.steadyLevel() {
		m.oddSlots = float32(m.oddSlots * forgetOdd)
		if m.tails[viewSlow].P(f.x[viewSlow]) > oddSlot || m.perSlot >= 2 && max(m.tails[viewHour].P(f.x[viewHour]), m.tails[viewSix].P(f.x[viewSix])) > oddHour && math.Abs(f.x[viewHour]) > farHour {
			m.oddSlots++
		}
	}
	m.learn(f, surprise, leaves)
	switch {
	case leaves:
		m.leave(t, v, f, false)
	case f.slot && mature && m.oddSlots > lasting && float64(m.oddSlots) > m.lastingFrom() && !m.counts.small():
		m.leave(t, v, f, true)
	default:
		m.move(f, t, v)
	}
	return out
}

// steadyLevel reports whether the slow level is a reference for hours: the cadence is at most two slots, and the
// residuals of the level are not much larger than prediction errors.
func (m *Model) steadyLevel() bool {
	_, scale := m.profile.Level()
	return m.cadence <= 2*float64(slotTime) && scale <= mostSlow*m.bank.Unit()
}

// lastingFrom returns the count of odd slots that starts a hold. It increases with each such hold.
func (m *Model) lastingFrom() float64 {
	const most = 1 / (1 - forgetOdd)
	return most - float64((most-lasting)*exact.Exp2(-float64(m.lastings)))
}

// look computes the facts of a point.
func (m *Model) look(f *facts, v float64) {
	z := m.bank.Residual(v, f.season) / f.ratio
	clipped := max(-errorClip, min(errorClip, z))
	m.drift += float32(driftGain * float32(clipped-float64(m.drift)))
	m.spread += float32(spreadGain * float32(math.Abs(clipped)-1-float64(m.spread)))
	f.set(viewError, z)
	f.set(viewDrift, float64(m.drift))
	f.set(viewSpread, float64(m.spread))
	slow := m.slow(f, v)
	f.set(viewSlow, slow)
	f.still = m.still(v)
	if m.seen >= boxesFrom {
		f.set(viewValue, m.units(v))
	}
	if (m.slots < rangeUntil || m.low == m.high) && (v < m.low || v > m.high) {
		m.widen(v)
	}
	m.rings[0].Push(m.short[:], m.in.Of(v))
	if m.seen >= boxesFrom && m.rings[0].Full(m.short[:]) {
		m.compare(f, 0, m.short[:])
	}
	m.slotSum += v
	m.slowSum += max(-slowClip, min(slowClip, slow))
	if m.inSlot++; m.perSlot > 0 && m.inSlot >= m.perSlot {
		m.endSlot(f)
	}
}

// still returns the surprise of the present standstill, in nats, until it has lasted for the acceptance time.
func (m *Model) still(v float64) float64 {
	nats := m.flat.Observe(v)
	switch {
	case nats <= 0:
		m.stillFrom = 0
	case m.stillFrom == 0:
		m.stillFrom = m.last
	case m.last-m.stillFrom >= int64(m.opt.Accept) && float64(m.last-m.stillFrom) >= acceptPoints*m.cadence:
		m.flat.Accept()
	}
	if nats <= 0 {
		return 0
	}
	if known := exact.Log(float64(m.seen) + 1); nats > known {
		nats = known + float64(stillSlope*(nats-known))
	}
	return nats
}

// slow returns v minus the slow level and the season, in mean absolute residuals.
func (m *Model) slow(f *facts, v float64) float64 {
	level, scale := m.profile.Level()
	return max(-farSlow, min(farSlow, (v-level-f.season)/(scale*f.ratio)))
}

const farSlow = 1e9 // scales

// units returns the distance of v from the center in a unit that is a power of two, so that it is exact. The first
// value other than the center determines it.
func (m *Model) units(v float64) float64 {
	if m.seen == boxesFrom {
		m.center, _ = m.profile.Level()
	}
	if v == m.center {
		return 0
	}
	if m.unit == 0 {
		_, scale := m.profile.Level()
		_, e := math.Frexp(max(scale, float64(math.Abs(v-m.center)*1e-3)))
		m.unit = math.Ldexp(1, max(-1000, e))
	}
	return (v - m.center) / m.unit
}

// endSlot computes the facts that change once per slot.
func (m *Model) endSlot(f *facts) {
	n := float64(m.inSlot)
	slow := m.slowSum / n
	m.hour += float32(hourGain * float32(slow-float64(m.hour)))
	m.six += float32(sixGain * float32(slow-float64(m.six)))
	f.set(viewHour, float64(m.hour))
	f.set(viewSix, float64(m.six))
	m.rings[1].Push(m.long[:], m.in.Of(m.slotSum/n))
	m.slotSum, m.slowSum, m.inSlot = 0, 0, 0
	m.slots++
	f.slot = true
	if m.seen >= boxesFrom {
		f.set(viewAverage, m.units(m.in.Origin+float64(m.in.Span*m.rings[1].Mean(m.long[:], rolling))))
	}
	stride := max(1, 4/uint32(m.perSlot))
	if m.slots%stride == 0 && m.rings[1].Full(m.long[:]) {
		m.compare(f, 1, m.long[:])
	}
}

// compare compares a window with earlier ones.
func (m *Model) compare(f *facts, k int, values []float32) {
	w := m.rings[k].Features(values)
	if g, ok := m.boxes[k].Observe(&w); ok {
		f.set(viewShort+k, g)
	}
}

// widen extends the range to v.
func (m *Model) widen(v float64) {
	m.low, m.high = min(v, m.low), max(v, m.high)
	to := window.Unit{Origin: m.low, Span: min(m.high-m.low, math.MaxFloat64)}
	m.rings[0].Rescale(m.short[:], m.in, to)
	m.rings[1].Rescale(m.long[:], m.in, to)
	m.in = to
}

// learn adds the values of the views after a surprise of the given nats.
func (m *Model) learn(f *facts, nats float64, leaves bool) {
	odd := float64(m.odd)
	trust := 1 / ((1 + odd) * (1 + odd))
	if leaves {
		trust = float64(trust * leaving)
	}
	f.trust = trust
	m.odd = float32(m.odd * forgetOdd)
	if nats > strange {
		m.odd++
	}
	if m.seen > settle {
		for k := range m.tails {
			if f.has(k) && m.teaches(k, f.slot, f.look.Mature) {
				w := trust
				if k >= viewHour && m.tails[k].P(f.x[k]) > rareHour {
					w = float64(w * oddTrust)
				}
				m.tails[k].Learn(f.x[k], w)
			}
		}
	}
}

// move adapts level, season, and predictors to v.
func (m *Model) move(f *facts, t int64, v float64) {
	trust := f.trust
	m.counts.learn(v)
	m.byHour.Learn(t, f.local, min(errorClip, float64(math.Abs(f.x[viewError])*f.ratio)), trust)
	m.profile.Learn(t, f.look, v, trust)
	if m.odd >= restartOdd {
		m.restart(v, f.season)
		return
	}
	m.bank.Learn(v, f.season, trust, func() float64 {
		if e := m.tails[viewError].Quantile(sign(f.x[viewError]), outlier); e > 0 {
			return float64(e * f.ratio)
		}
		return math.Inf(1)
	})
}

// teaches reports whether the present value of a view is learned. A mature model learns it once per slot, so that its
// memory does not depend on the cadence.
func (m *Model) teaches(view int, slot, mature bool) bool {
	switch view {
	case viewSlow:
		return slot || !mature && m.tails[view].Filling()
	case viewHour, viewSix:
		return mature && m.slots%apart[view-viewHour] == 0
	}
	return slot || m.tails[view].Filling()
}

// restart makes values that were anomalous for long the new normal. Windows far outside the range would all look
// alike, so the range is extended and the boxes are cleared.
func (m *Model) restart(v, season float64) {
	m.bank.Restart(v, season)
	m.settled(v)
}

// settled clears the state that results from the transition to a new level.
func (m *Model) settled(v float64) {
	m.odd, m.oddSlots, m.drift, m.hour, m.six = 0, 0, 0, 0, 0
	if span := m.high - m.low; v < m.low-span || v > m.high+span {
		m.widen(v)
		m.boxes = [len(m.boxes)]boxes.Boxes{}
	}
}

func sign(x float64) int {
	if x < 0 {
		return -1
	}
	return 1
}
