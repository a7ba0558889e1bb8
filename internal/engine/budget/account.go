// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"math"
	"time"

	"github.com/auspex-otel/auspex/internal/state"
)

// Account is the part of one service in the budget. Half of a signal's share is divided
// among the services evenly, the other half by the number of their series: a service
// with many or with fast series lowers its own α, and that of others by half at most.
type Account struct {
	decisions Decisions
	series    [Signals]int64 // that decide
	alpha     [Signals]float64
	at        time.Time // when α was looked at last, by the clock of ticks
	spent     uint64    // the spending in which that was
}

// Count adds series of a signal that take so many decisions a day, or with negative numbers takes them away.
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

// Decisions returns how many decisions a day each signal takes.
func (b *Budget) Decisions() Decisions { return b.decisions }

// Alpha returns the accepted false-alarm probability per decision of a signal in a
// service, as of the latest Spend. It falls at once, and rises slowly.
func (b *Budget) Alpha(a *Account, s Signal) float64 {
	if a.spent != b.spent {
		b.spend(a)
	}
	return a.alpha[s]
}

func (b *Budget) spend(a *Account) {
	rise := math.Pow(alphaRise, max(0, b.at.Sub(a.at).Hours()))
	for i := range a.alpha {
		want := b.falseAlarms.alpha(b.share(a, Signal(i)), float64(a.decisions[i])*b.spendings[i].theta())
		if a.spent == 0 {
			a.alpha[i] = want
		} else {
			a.alpha[i] = min(want, a.alpha[i]*rise)
		}
	}
	a.at, a.spent = b.at, b.spent
}

// share returns the part of the whole budget that a signal has in a service.
func (b *Budget) share(a *Account, s Signal) float64 {
	if a.series[s] == 0 {
		return 0
	}
	return b.decisions.share(s) * (0.5/float64(b.services[s]) + 0.5*float64(a.series[s])/float64(b.series[s]))
}

// Mean returns α of a signal in the mean over all decisions, given all accounts.
func (b *Budget) Mean(s Signal, accounts func(yield func(*Account) bool)) float64 {
	if b.decisions[s] == 0 {
		return b.falseAlarms.MaxAlpha
	}
	sum := 0.0
	for a := range accounts {
		sum += b.Alpha(a, s) * float64(a.decisions[s])
	}
	return sum / float64(b.decisions[s])
}

// Persist writes or reads α. What is counted comes from the series.
func (a *Account) Persist(c *state.Codec) {
	known := a.spent > 0
	c.Bool(&known)
	if !known {
		return
	}
	a.spent = max(a.spent, 1)
	c.Time(&a.at)
	for i := range a.alpha {
		c.Float64(&a.alpha[i])
		c.Check(a.alpha[i] > 0 && a.alpha[i] < 1)
	}
}

// Resume takes over α of an account that was read.
func (a *Account) Resume(read *Account) { a.alpha, a.at, a.spent = read.alpha, read.at, read.spent }
