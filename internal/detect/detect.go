// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "math"

// BandP is the chance that a point lies outside the band if nothing is wrong.
const BandP = 0.01

// Kind says in which way a point is strange.
type Kind uint8

const (
	// KindNone is the kind of a point that is as expected, or of a model that is still warming up.
	KindNone Kind = iota
	// KindHigh is the kind of a point above what was expected.
	KindHigh
	// KindLow is the kind of a point below what was expected.
	KindLow
)

// String returns the kind as it is shown to people and put into events.
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

// Surprise is what a model has to say about one point.
type Surprise struct {
	// LogP is ln p, at most 0: p is the calibrated chance of a point at least
	// this strange if nothing were wrong. 0 while the model is warming up.
	LogP float64
	// Expected, Lower and Upper are in the unit of the series. The band holds
	// 1 - BandP of the points if nothing is wrong. All three are NaN while the
	// model is warming up.
	Expected, Lower, Upper float64
	// Kind says in which direction the point is strange.
	Kind Kind
	// Held tells that the prediction is that of the model as it was before the
	// series left its level; Accepted that this point made the new level normal.
	Held, Accepted bool
}

// Warming is what a model says before it has seen enough.
func Warming() Surprise {
	return Surprise{Expected: math.NaN(), Lower: math.NaN(), Upper: math.NaN()}
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
	Observe(t int64, v float64) Surprise
	AppendBinary(b []byte) ([]byte, error)
	UnmarshalBinary(b []byte) error
}

// Score sets a surprise against what the policy accepts: ln p / ln α. 0 is as
// expected, 1 is at the threshold, above 1 is anomalous. alpha lies in (0, 1);
// any other value scores 0, because no policy accepts it.
func Score(logP, alpha float64) float64 {
	if !(alpha > 0 && alpha < 1) || !(logP < 0) {
		return 0
	}
	return logP / math.Log(alpha)
}
