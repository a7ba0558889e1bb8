// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"math"
	"time"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/state"
)

// Account is the share of one service in the budget. Half of a signal's share is divided among the services evenly,
// the other half in proportion to their series. A service with many or fast series lowers its own α, and that of
// others at most by half.
type Account struct {
	service   string
	decisions Decisions
	series    [Signals]int64 // with decisions
	alpha     [Signals]float64
	at        time.Time // tick at which α was last computed
	spent     uint64    // number of the spending at that time
	published [Signals]versions[published]
}

// published is an α that points are judged by, and its threshold.
type published struct{ alpha, threshold float64 }

func asPublished(alpha float64) published { return published{alpha, detect.Threshold(alpha)} }

const (
	// step is the factor between two values of α that can be published. The cadence of real clocks changes α by less.
	step    = 1.01
	logStep = 0.009950330853168083
	// fall is the factor of a fall of α that applies at once, also to points of times that were judged already: many
	// series were added.
	fall = 0.5
)

// Open returns the account of a service without series.
func (b *Budget) Open(service string) Account {
	a := Account{service: service}
	for i := range a.published {
		a.published[i] = b.schedule.alpha(service, Signal(i))
	}
	return a
}

// Count adds series of a signal with the given decisions per day. Negative numbers remove them.
func (b *Budget) Count(a *Account, s Signal, decisions, series int64) {
	had := a.series[s] > 0
	a.decisions[s] += decisions
	a.series[s] += series
	b.decisions[s] += decisions
	b.series[s] += series
	switch has := a.series[s] > 0; {
	case has && !had:
		b.services[s]++
	case had && !has:
		b.services[s]--
	}
}

// Decisions returns the number of decisions per day of each signal.
func (b *Budget) Decisions() Decisions { return b.decisions }

// Alpha returns the accepted false-alarm probability per decision of a signal in a service, by which points at event
// time t are judged. It falls at once, and rises slowly.
func (b *Budget) Alpha(a *Account, s Signal, t int64) float64 { return b.rate(a, s, t).alpha }

// Threshold returns detect.Threshold of Alpha.
func (b *Budget) Threshold(a *Account, s Signal, t int64) float64 { return b.rate(a, s, t).threshold }

func (b *Budget) rate(a *Account, s Signal, t int64) published {
	if a.spent != b.spent {
		b.publish(a)
	}
	return a.published[s].at(t)
}

// Present returns the latest α for a query, which does not change the account.
func (b *Budget) Present(a Account, s Signal) float64 {
	if a.spent != b.spent {
		b.spend(&a)
	}
	return a.alpha[s]
}

func (b *Budget) spend(a *Account) {
	rise := exact.Pow(alphaRise, max(0, b.at.Sub(a.at).Hours()))
	for i := range a.alpha {
		want := b.falseAlarms.alpha(b.share(a, Signal(i)), float64(float64(a.decisions[i])*b.spendings[i].theta()))
		if a.spent == 0 {
			a.alpha[i] = want
		} else {
			a.alpha[i] = min(want, float64(a.alpha[i]*rise))
		}
	}
	a.at, a.spent = b.at, b.spent
}

// publish computes every α, and publishes those that have changed.
func (b *Budget) publish(a *Account) {
	b.spend(a)
	for i, alpha := range a.alpha {
		v := &a.published[i]
		set := v.set
		switch {
		case v.fixed:
			continue
		case len(v.list) == 0:
			v.judged, alpha = b.judged, b.round(alpha, 1)
			set = v.replace
		default:
			latest := v.latest().alpha
			if alpha = b.round(alpha, latest); alpha == latest {
				continue
			}
			if alpha < float64(latest*fall) {
				set = v.replace
			}
		}
		b.record(Record{From: set(asPublished(alpha)), Service: a.service, Signal: signalNames[i], Alpha: alpha})
	}
}

// round rounds α down to the maximum divided by a power of step. It returns guess without a logarithm if that is the
// result. The result depends on α only, so that an engine continues from its snapshot with the same values.
func (b *Budget) round(alpha, guess float64) float64 {
	const margin = 1e-9
	if alpha > float64(guess*(1+margin)) && alpha < float64(guess*(step-margin)) {
		return guess
	}
	most := b.falseAlarms.MaxAlpha
	k := math.Ceil(exact.Log(most/alpha) / logStep)
	return float64(most * exact.Pow(step, -k))
}

// share returns the share of the whole budget of a signal in a service.
func (b *Budget) share(a *Account, s Signal) float64 {
	if a.series[s] == 0 {
		return 0
	}
	return float64(b.decisions.share(s) * (0.5/float64(b.services[s]) + 0.5*float64(a.series[s])/float64(b.series[s])))
}

// Mean returns the mean α of a signal over all decisions, given all accounts.
func (b *Budget) Mean(s Signal, accounts func(yield func(*Account) bool)) float64 {
	if b.decisions[s] == 0 {
		return b.falseAlarms.MaxAlpha
	}
	sum := 0.0
	for a := range accounts {
		sum += float64(b.Present(*a, s) * float64(a.decisions[s]))
	}
	return sum / float64(b.decisions[s])
}

// Persist writes or reads α. The counts are derived from the series.
func (a *Account) Persist(c *state.Codec) {
	known := a.spent > 0
	c.Bool(&known)
	if !known {
		return
	}
	if a.spent = max(a.spent, 1); c.Complete() {
		c.Uint64(&a.spent)
		c.Check(a.spent > 0)
	}
	c.Time(&a.at)
	for i := range a.alpha {
		c.Float64(&a.alpha[i])
		c.Check(a.alpha[i] > 0 && a.alpha[i] < 1)
	}
	if !c.Complete() {
		return
	}
	for i := range a.published {
		a.published[i].persist(c, func(p *published) {
			c.Float64(&p.alpha)
			c.Check(p.alpha > 0 && p.alpha < 1)
			*p = asPublished(p.alpha)
		})
	}
}

// ResumeAccount copies α from a restored account. Without a complete state, it applies after event time t in nanoseconds,
// the latest one of the service.
func (b *Budget) ResumeAccount(a, read *Account, t int64) {
	a.alpha, a.at, a.spent = read.alpha, read.at, read.spent
	for i, alpha := range a.alpha {
		switch v := &a.published[i]; {
		case v.fixed || a.spent == 0:
		case len(read.published[i].list) > 0:
			*v = read.published[i]
		default:
			*v = first(t, asPublished(b.round(alpha, 1)))
		}
	}
}
