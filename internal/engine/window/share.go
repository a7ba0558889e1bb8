// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package window

import (
	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/stats"
)

// Share is a decaying ratio of errors to all events in windows.
type Share struct{ Errors, All float64 }

// windowMemory is the half-life, in windows, of a share.
const windowMemory = 3000

var keepWindow = exact.Exp2(-1.0 / windowMemory)

// Exact returns the surprise, in nats, of at least the given number of errors among all events, each of which fails
// with the learned probability.
func (s *Share) Exact(errors, all int) float64 {
	return stats.BinomialSurprise(errors, all, min(0.5, (s.Errors+0.5)/(s.All+1)))
}

// Learn adds the events of one window.
func (s *Share) Learn(errors, all int) {
	s.Errors = float64(s.Errors*keepWindow) + float64(errors)
	s.All = float64(s.All*keepWindow) + float64(all)
}

// Persist writes or reads the share.
func (s *Share) Persist(c *state.Codec) {
	c.Float64(&s.Errors)
	c.Float64(&s.All)
	c.Check(s.Errors >= 0 && s.Errors <= s.All)
}
