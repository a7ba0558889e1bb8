// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package promseries

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMembersOfFamilies(t *testing.T) {
	f := NewFamilies()
	f.Note("h_bucket", true, false)
	f.Note("s", false, true)
	f.Note("x_bucket", false, false)
	for name, want := range map[string]Member{"h_sum": {Histogram, "h"}, "h_count": {Histogram, "h"}, "s_sum": {Summary, "s"}, "s_count": {Summary, "s"}} {
		m, is := f.Part(name, false, false)
		assert.True(t, is, name)
		assert.Equal(t, want, m)
	}
	for _, name := range []string{"x_sum", "x_bucket", "h", "h_total"} {
		_, is := f.Part(name, false, false)
		assert.False(t, is, name)
	}
	m, is := f.Part("s", false, true)
	assert.True(t, is)
	assert.Equal(t, Member{Summary, "s"}, m)
	assert.True(t, Histogram.Owns("le"))
	assert.False(t, Summary.Owns("le"))
}

func TestWhatIsWhole(t *testing.T) {
	inf, stale := math.Inf(1), math.Float64frombits(staleBits)
	for name, tt := range map[string]struct {
		kind  Kind
		shape Shape
		want  bool
	}{
		"whole":                {Histogram, Shape{Count: 3, At: []float64{1, inf}, Values: []float64{1, 3}}, true},
		"no last bucket":       {Histogram, Shape{Count: 3, At: []float64{1, 2}, Values: []float64{1, 3}}, false},
		"no bucket":            {Histogram, Shape{Count: 3}, false},
		"count ahead":          {Histogram, Shape{Count: 4, At: []float64{1, inf}, Values: []float64{1, 3}}, false},
		"falling":              {Histogram, Shape{Count: 3, At: []float64{1, 2, inf}, Values: []float64{2, 1, 3}}, false},
		"no whole number":      {Histogram, Shape{Count: 3, At: []float64{1, inf}, Values: []float64{1.5, 3}}, false},
		"a bound twice":        {Histogram, Shape{Count: 3, At: []float64{1, 1, inf}, Values: []float64{1, 1, 3}}, false},
		"all ended":            {Histogram, Shape{Count: stale, At: []float64{1, inf}, Values: []float64{stale, stale}}, true},
		"one ended":            {Histogram, Shape{Count: stale, At: []float64{1, inf}, Values: []float64{1, stale}}, false},
		"not a number":         {Histogram, Shape{Count: math.NaN(), At: []float64{inf}, Values: []float64{1}}, false},
		"summary":              {Summary, Shape{Count: 3, HasSum: true}, true},
		"summary without sum":  {Summary, Shape{Count: 3}, false},
		"a summary that ended": {Summary, Shape{Count: stale, HasSum: true, At: []float64{0.5}, Values: []float64{stale}}, true},
	} {
		assert.Equal(t, tt.want, tt.shape.whole(tt.kind), name)
	}
}
