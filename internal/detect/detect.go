// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"math"

	"github.com/auspex-otel/auspex/internal/exact"
)

// OutsideP is the probability that a point lies outside its prediction interval under normal conditions.
const OutsideP = 0.01

// Kind is the direction in which a point differs from its prediction.
type Kind uint8

const (
	// KindNone is the kind of a point that is as expected, or of a model that is still warming up.
	KindNone Kind = iota
	// KindHigh is the kind of a point above what was expected.
	KindHigh
	// KindLow is the kind of a point below what was expected.
	KindLow
)

// String returns the name of the kind in messages and events.
func (k Kind) String() string {
	switch k {
	case KindHigh:
		return "high"
	case KindLow:
		return "low"
	default:
		return "none"
	}
}

// Judgment holds the surprise and the prediction interval that a model returns for one point.
type Judgment struct {
	// Surprise is -ln p in nats, at least 0: p is the calibrated probability of a
	// point at least this unusual under normal conditions. 0 while the model warms up.
	Surprise float64
	// Expected, Lower, and Upper are in the unit of the series. The prediction
	// interval contains 1 - OutsideP of the points under normal conditions. All
	// three are NaN while the model warms up.
	Expected, Lower, Upper float64
	// Kind is the direction in which the point differs from its prediction.
	Kind Kind
	// Held reports that the prediction is that of the model as it was before the
	// series left its level, Accepted that this point made the new level normal.
	Held, Accepted bool
}

// Warming returns the judgment of a model that is warming up.
func Warming() Judgment {
	return Judgment{Expected: math.NaN(), Lower: math.NaN(), Upper: math.NaN()}
}

// Model is the bounded state that predicts the next point of one series.
//
// Observe judges v against everything before it, then learns it; it never looks
// ahead. t is event time in nanoseconds since the Unix epoch and goes forward,
// but for the rare time at which a source's clock was found to have been far
// ahead; v is finite (the caller refuses the rest). Both calls are deterministic:
// the same points in the same order give the same bits. Observe is O(1) and
// does not allocate once warm.
//
// AppendBinary writes the whole state, starting with a version byte;
// UnmarshalBinary restores it, so that a restored model continues to the bit. It
// returns an error, and leaves the model unusable, if the bytes are not such a state.
type Model interface {
	Observe(t int64, v float64) Judgment
	AppendBinary(b []byte) ([]byte, error)
	UnmarshalBinary(b []byte) error
}

// Threshold returns the surprise at the threshold, -ln α in nats. alpha lies in (0, 1). For any other alpha no
// surprise reaches the threshold, because no policy accepts it.
func Threshold(alpha float64) float64 {
	if !(alpha > 0 && alpha < 1) {
		return math.Inf(1)
	}
	return -exact.Log(alpha)
}

// Score divides a surprise in nats by that at the threshold. 0 means as expected, 1 is the threshold, above 1 is
// anomalous.
func Score(surprise, threshold float64) float64 {
	if !(surprise > 0) {
		return 0
	}
	return surprise / threshold
}
