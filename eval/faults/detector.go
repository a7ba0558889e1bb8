// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

// A Detector watches one series. Scores are 0 for what is as expected, or while
// it warms up, and higher the stranger a point is.
type Detector interface {
	// Observe judges a point, then learns it. t is in nanoseconds since the Unix epoch.
	Observe(t int64, v float64) float64
	// Absent is called at each scheduled time at which no point came.
	Absent(t int64) float64
	// Clone returns a detector that continues as this one would.
	Clone() Detector
}

// detectorKind makes detectors. They are told the cadence, which the product has to find out.
type detectorKind struct {
	name  string
	fresh func(cadence int64, seed uint64) Detector
}

// baselines are what the product is compared with.
var baselines = []detectorKind{
	{"3-sigma", newThreeSigma},
	{"EWMA", newEWMA},
	{"MAD", newMAD},
	{"naive", newSeasonalNaive},
	{"Holt-W.", newHoltWinters},
	{"RCF", newRandomCutForest},
	{"iForest", newIsolationForest},
}

// unmoved is the Absent of a detector that has nothing to say on missing points.
type unmoved struct{}

func (unmoved) Absent(int64) float64 { return 0 }
