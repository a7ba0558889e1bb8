// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestScoreIsOneAtTheThreshold(t *testing.T) {
	const alpha = 1e-6
	at := Threshold(alpha)
	assert.InEpsilon(t, 6*math.Ln10, at, 1e-12)
	assert.Equal(t, 1.0, Score(at, at))
	assert.Equal(t, 2.0, Score(2*at, at))
	for _, none := range []float64{0, -1, math.NaN()} {
		assert.Zero(t, Score(none, at))
	}
	for _, bad := range []float64{0, 1, -1, 2, math.NaN()} {
		assert.Zero(t, Score(1e4, Threshold(bad)), "%v accepts nothing", bad)
	}
}
