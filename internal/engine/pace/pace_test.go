// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package pace

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestLearn(t *testing.T) {
	cadence := Learn(0, 100)
	assert.EqualValues(t, 100, cadence)
	assert.EqualValues(t, 110, Learn(cadence, 1e6), "a gap counts as twice the cadence")
	assert.EqualValues(t, 95, Learn(cadence, 1), "a burst counts as half of it")
	assert.EqualValues(t, 101, Learn(cadence, 101))
	assert.EqualValues(t, 1, Learn(1, 1))
	for range 100 {
		cadence = Learn(cadence, 1000)
	}
	assert.InDelta(t, 1000, cadence, 10)
}

func TestTimeToLive(t *testing.T) {
	const day = 24 * time.Hour
	assert.Equal(t, 2*day, TimeToLive(0, day))
	assert.Equal(t, day, TimeToLive(int64(time.Minute), day))
	assert.Equal(t, 4*day, TimeToLive(int64(day), day))
	assert.Positive(t, TimeToLive(math.MaxInt64, day))
}
