// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import "math/rand/v2"

// random scores every slot randomly, whether or not it has a point. It finds as many faults as chance does at the
// same number of openings.
type random struct{ source rand.PCG }

func newRandom(_ int64, seed uint64) Detector {
	return &random{*rand.NewPCG(seed, 0x6a09e667f3bcc908)}
}

// Observe returns an exponential variate: the surprise of an expected point.
func (d *random) Observe(int64, float64) float64 { return rand.New(&d.source).ExpFloat64() }

func (d *random) Absent(t int64) float64 { return d.Observe(t, 0) }

// Clone returns a detector with other random numbers, so that trials are independent.
func (d *random) Clone() Detector {
	c := *d
	return &random{*rand.NewPCG(c.source.Uint64(), d.source.Uint64())}
}

// flagAll gives every slot the same score, so that it is open permanently.
type flagAll struct{}

func newFlagAll(int64, uint64) Detector { return flagAll{} }

func (flagAll) Observe(int64, float64) float64 { return 1 }
func (flagAll) Absent(int64) float64           { return 1 }
func (flagAll) Clone() Detector                { return flagAll{} }
