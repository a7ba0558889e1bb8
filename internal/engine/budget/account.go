// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"time"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/state"
)

// Account is the share of one service in the budget. Half of a signal's share is divided among the services evenly,
// the other half in proportion to their series. A service with many or fast series lowers its own α, and that of
// others at most by half.
type Account struct {
	decisions Decisions
	series    [Signals]int64 // with decisions
	alpha     [Signals]float64
	threshold [Signals]float64 // of alpha
	at        time.Time        // tick at which α was last computed
	spent     uint64           // number of the spending at that time
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

// Alpha returns the accepted false-alarm probability per decision of a signal in a
// service, as of the latest Spend. It falls at once, and rises slowly.
func (b *Budget) Alpha(a *Account, s Signal) float64 {
	if a.spent != b.spent {
		b.spend(a)
	}
	return a.alpha[s]
}

// Present returns Alpha for a query, which does not change the account.
func (b *Budget) Present(a Account, s Signal) float64 { return b.Alpha(&a, s) }

// Threshold returns detect.Threshold of Alpha.
func (b *Budget) Threshold(a *Account, s Signal) float64 {
	if a.spent != b.spent {
		b.spend(a)
	}
	return a.threshold[s]
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
		a.threshold[i] = detect.Threshold(a.alpha[i])
	}
	a.at, a.spent = b.at, b.spent
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
}

// Resume copies α from a restored account.
func (a *Account) Resume(read *Account) {
	a.alpha, a.at, a.spent = read.alpha, read.at, read.spent
	for i, alpha := range a.alpha {
		a.threshold[i] = detect.Threshold(alpha)
	}
}
