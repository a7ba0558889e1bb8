// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scripted is a model with two parts. Without "useful" the figure falls by .1 in every sample. Without "idle" it
// changes randomly.
type scripted struct{ without string }

func (s *scripted) leaveOut(part string) { s.without = part }

func (s *scripted) measure(io.Writer) ([]figure, error) {
	f := figure{value: 0.5, delay: 3, samples: []float64{0.4, 0.5, 0.6}}
	switch s.without {
	case "useful":
		f = figure{value: 0.4, delay: math.NaN(), samples: []float64{0.3, 0.4, 0.5}}
	case "idle":
		f = figure{value: 0.49, delay: 3, samples: []float64{0.5, 0.4, 0.6}}
	}
	return []figure{f}, nil
}

func TestReport(t *testing.T) {
	var s scripted
	var out bytes.Buffer
	from := []source{{[]string{"bench"}, "%.3f", s.measure}}
	require.NoError(t, report(&out, io.Discard, from, []string{"useful", "idle"}, s.leaveOut))
	assert.Equal(t, `without     bench                    
nothing     0.500 ± 0.100    (3)     
useful      -0.100 ± 0.000 * (-)     
idle        -0.010 ± 0.100   (3)     
`, out.String())
	assert.Empty(t, s.without, "restored")
}

func TestReportFails(t *testing.T) {
	failed := errors.New("no disk")
	from := []source{{[]string{"bench"}, "%.3f", func(io.Writer) ([]figure, error) { return nil, failed }}}
	require.ErrorIs(t, report(io.Discard, io.Discard, from, nil, func(string) {}), failed)
}

func TestWrongUse(t *testing.T) {
	m := model{[]string{"error", "slow"}, func(string) {}}
	for _, c := range []struct {
		args []string
		m    model
		want string
	}{
		{[]string{"more"}, m, "unexpected arguments"},
		{[]string{"-only", "error,other"}, m, `unknown view "other"; -only accepts error,slow`},
		{nil, model{}, "-tags ablation"},
	} {
		var errs bytes.Buffer
		assert.Equal(t, 2, run(c.args, c.m, io.Discard, &errs), "%v", c.args)
		assert.Contains(t, errs.String(), c.want)
	}
}

// TestAbsentSources verifies that sources without files are named, and that the bench is still measured.
func TestAbsentSources(t *testing.T) {
	var out bytes.Buffer
	list := sources(t.TempDir(), true, &out)
	require.Len(t, list, 1)
	assert.Equal(t, []string{"bench"}, list[0].columns)
	assert.Regexp(t, "Left out: .*/cloud.\nLeft out: .*/nab.\n", out.String())
}
