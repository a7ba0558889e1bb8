// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import "math/rand/v2"

// random scores every slot by chance, whether a point came or not. What it finds
// is what a detector finds without looking, at the same number of openings.
type random struct{ source rand.PCG }

func newRandom(_ int64, seed uint64) Detector {
	return &random{*rand.NewPCG(seed, 0x6a09e667f3bcc908)}
}

// Observe returns an exponential variate: the surprise of a point that is as expected.
func (d *random) Observe(int64, float64) float64 { return rand.New(&d.source).ExpFloat64() }

func (d *random) Absent(t int64) float64 { return d.Observe(t, 0) }

// Clone draws other numbers from here on: every trial has its own chance.
func (d *random) Clone() Detector {
	c := *d
	return &random{*rand.NewPCG(c.source.Uint64(), d.source.Uint64())}
}

// flagAll scores every slot alike, so that it is open all the time.
type flagAll struct{}

func newFlagAll(int64, uint64) Detector { return flagAll{} }

func (flagAll) Observe(int64, float64) float64 { return 1 }
func (flagAll) Absent(int64) float64           { return 1 }
func (flagAll) Clone() Detector                { return flagAll{} }
