// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import "github.com/auspex-otel/auspex/internal/state"

// Mark is the score and the reason that a signal writes to the records of an anomalous
// series. The score is 0 if the series is not anomalous.
type Mark struct {
	Score  float64
	Reason string
}

// Persist writes or reads the mark.
func (m *Mark) Persist(c *state.Codec) {
	c.Bits(&m.Score)
	c.String(&m.Reason)
}
