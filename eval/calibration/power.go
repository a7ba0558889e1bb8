// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/auspex-otel/auspex/internal/detect"
)

// Parameters of the far tail, at the small p that results from a false-alarm budget over many series: series with a
// history of `history` points, then `quiet` more without a fault, then a shift of shiftLen points.
const (
	history  = 10000
	quiet    = 20000
	shiftLen = 10
)

var (
	rareFrom = -math.Log(1e-5) // false alarms are counted above it: at most 3e-5 of the points
	findFrom = -math.Log(1e-6) // a shift is found above it
)

// far holds the far-tail results of one family.
type far struct {
	points, rare int
	series       int
	four, eight  int // shifts of 4 σ found within shiftLen points, of 8 σ found at once
}

func (f *far) share() float64 { return float64(f.rare) / float64(f.points) }
func (f *far) holds() bool {
	need := 0.95 * float64(f.series)
	return f.share() <= 3e-5 && float64(f.four) >= need && float64(f.eight) >= need
}

// noises of the far tail: both are close to normal.
var farFamilies = []family{
	families[0],
	{"Poisson 50", math.Sqrt(50), func(r *rand.Rand) func() float64 { return func() float64 { return poisson(r, 50) } }},
}

// measure runs one series. It counts quiet points, and tries each shift on a copy of the model after the history.
func (f *far) measure(fam family, fresh func() detect.Model, seed uint64) error {
	next := fam.start(rand.New(rand.NewPCG(seed, 0xbb67ae8584caa73b)))
	m, t := fresh(), int64(0)
	for range history {
		t += 15e9
		m.Observe(t, next())
	}
	state, err := m.AppendBinary(nil)
	if err != nil {
		return err
	}
	shifted := func(sigmas float64, points int) (int, error) {
		c := fresh()
		if err := c.UnmarshalBinary(state); err != nil {
			return 0, err
		}
		for i := range points {
			if c.Observe(t+int64(i+1)*15e9, next()+sigmas*fam.sigma).Surprise > findFrom {
				return 1, nil
			}
		}
		return 0, nil
	}
	found, err := shifted(4, shiftLen)
	if err != nil {
		return err
	}
	f.four += found
	if found, err = shifted(8, 1); err != nil {
		return err
	}
	f.eight += found
	f.series++
	for range quiet {
		t += 15e9
		f.points++
		if m.Observe(t, next()).Surprise > rareFrom {
			f.rare++
		}
	}
	return nil
}

// reportFar measures the far tail, prints its table, and reports whether its targets are met.
func reportFar(stdout, stderr io.Writer, fresh func() detect.Model, series int) (bool, error) {
	fmt.Fprintf(stdout, `
The far tail: %d series with a history of %d points, then %d points without a fault. Found: p < 1e-6, on any of
%d points of a shift of +4σ, or on the first point of one of +8σ. Targets: share at most 3e-5, found at least 0.95.

%-17s %9s %9s %9s
`, series, history, quiet, shiftLen, "noise", "p<1e-5", "4σ found", "8σ found")
	all := true
	for i, fam := range farFamilies {
		var f far
		model := inFleet(fam, fresh, uint64(1000*i))
		for s := range series {
			if err := f.measure(fam, model, uint64(1000*i+s)); err != nil {
				return false, err
			}
			fmt.Fprintf(stderr, "\rfar tail, %s: %d/%d series  ", fam.name, s+1, series)
		}
		n := float64(f.series)
		fmt.Fprintf(stdout, "%-17s %9.1e %9.3f %9.3f  %s\n", fam.name, f.share(), float64(f.four)/n, float64(f.eight)/n, verdict(f.holds()))
		all = all && f.holds()
	}
	fmt.Fprintln(stderr)
	return all, nil
}
