// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		text         string
		mark, either byte
		with         byte // the decimal mark
		want         float64
		unit         string
	}{
		{"1", 0, 0, '.', 1, ""},
		{" -1.5e3 ", '.', 0, '.', -1500, ""},
		{"1,5E+03", ',', 0, ',', 1500, ""},
		{"1e-2", 0, 0, '.', .01, ""},
		{"+7", 0, 0, ',', 7, ""},
		{"−7", 0, 0, '.', -7, ""},
		{".5", '.', 0, '.', .5, ""},
		{"5.", '.', 0, '.', 5, ""},
		{"1,234", 0, ',', '.', 1234, ""},
		{"1,234", 0, ',', ',', 1.234, ""},
		{"1.234", 0, '.', ',', 1234, ""},
		{"0,123", ',', 0, ',', .123, ""},
		{"1234,567", ',', 0, ',', 1234.567, ""},
		{"1,234.5", '.', 0, '.', 1234.5, ""},
		{"1.234.567,8", ',', 0, ',', 1234567.8, ""},
		{"1,234,567", '.', 0, '.', 1234567, ""},
		{"12,34,567", '.', 0, '.', 1234567, ""},
		{"1 234 567,5", ',', 0, ',', 1234567.5, ""},
		{"1\u202f234", 0, 0, '.', 1234, ""},
		{"1\u00a0234", 0, 0, '.', 1234, ""},
		{"1'234.5", '.', 0, '.', 1234.5, ""},
		{"1’234", 0, 0, '.', 1234, ""},
		{"1000 ms", 0, 0, '.', 1000, "ms"},
		{"99.5%", '.', 0, '.', 99.5, "%"},
		{"1.2e3 req/s", '.', 0, '.', 1200, "req/s"},
		{"3e", 0, 0, '.', 3, "e"},
		{"$1,000.50", '.', 0, '.', 1000.5, "$"},
		{"-€ 5", 0, 0, '.', -5, "€"},
		{"(1,234.5)", '.', 0, '.', -1234.5, ""},
	} {
		n, ok := cutNumber(tt.text)
		require.True(t, ok, tt.text)
		mark, either := n.decimal()
		assert.Equal(t, [2]byte{tt.mark, tt.either}, [2]byte{mark, either}, tt.text)
		got, err := n.value(tt.with)
		require.NoError(t, err, tt.text)
		assert.InDelta(t, tt.want, got, 0, tt.text)
		assert.Equal(t, tt.unit, n.unit, tt.text)
	}
}

func TestNotNumbers(t *testing.T) {
	for _, text := range []string{"", " ", "NaN", "-Inf", "null", "-", "()", ".", ",", "ms", "$", "x5", "10:30", "2026-03-02", "1.2.3-4", "5 items of a very long name", "0x10"} {
		_, ok := cutNumber(text)
		assert.False(t, ok, text)
	}
	for _, text := range []string{"1e999", "1,5", "1,23,4", "1.2.3"} {
		n, ok := cutNumber(text)
		require.True(t, ok, text)
		_, err := n.value('.')
		assert.ErrorIs(t, err, errNumber, text)
	}
}

func TestUnits(t *testing.T) {
	for _, tt := range []struct {
		first, unit string
		v, want     float64
	}{
		{"ms", "ms", 7, 7},
		{"ms", "s", 1.5, 1500},
		{"s", "µs", 5, 5e-6},
		{"min", "h", 2, 120},
		{"GiB", "MiB", 512, .5},
		{"MB", "GB", 2, 2000},
		{"kB/s", "MB/s", 2, 2000},
		{"", "K", 1.5, 1500},
		{"Mil", "", 5e5, .5},
		{"req/s", "req/s", 3, 3},
		{"ms", "", 0, 0}, // a missing unit is accepted
	} {
		u := unit{}
		_, err := u.scale(1, tt.first)
		require.NoError(t, err)
		got, err := u.scale(tt.v, tt.unit)
		require.NoError(t, err)
		assert.InEpsilon(t, tt.want+1, got+1, 1e-12, "%s in %s", tt.unit, tt.first)
	}
	for _, tt := range [][2]string{{"ms", "MB"}, {"MB", "MB/s"}, {"ms", ""}, {"", "%"}, {"€", "$"}, {"B", "b"}} {
		u := unit{tt[0], true}
		_, err := u.scale(1, tt[1])
		assert.ErrorContains(t, err, "but the unit of an earlier value is", tt)
	}
}
