// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:build ablation

package ensemble

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/auspex-otel/auspex/internal/detect"
)

// TestLeaveOut verifies that leaving out any part changes the judgments of a series that involves all of them, and
// that restoring it gives bit-identical results.
func TestLeaveOut(t *testing.T) {
	xs := mixed(3000, 5)
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 9000 {
		v := 100 + 5*random.NormFloat64()
		switch phase := i % 3000; {
		case phase >= 2000 && phase < 2300: // small long changes: drift, hour, six
			v += 9
		case phase >= 2500 && phase < 2700: // spread
			v = 100 + 14*random.NormFloat64()
		case phase == 2900: // jump
			v += 1000
		}
		xs = append(xs, v)
	}
	full := observe(New(nil), xs, 0)
	differs := func(got []detect.Judgment) bool {
		for i := range got {
			if !same(got[i], full[i]) && !math.IsNaN(full[i].Expected) {
				return true
			}
		}
		return false
	}
	for _, name := range Parts() {
		LeaveOut(name)
		assert.True(t, differs(observe(New(nil), xs, 0)), "%s changes nothing", name)
		LeaveOut("")
	}
	assert.False(t, differs(observe(New(nil), xs, 0)), "restored")
}
