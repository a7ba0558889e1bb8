// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import "github.com/auspex-otel/auspex/internal/detect"

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

// role says what the row of a detector is for.
type role int

const (
	measured role = iota // the product: it is compared with the baselines
	baseline
	limit   // knows the generator
	control // shows what chance finds
)

// detectorKind is a row of the report. Exactly one of fresh and knows is set,
// and neither for the product as shipped, which watches all series in one engine.
type detectorKind struct {
	name string
	role role
	// fresh makes a detector that is told the cadence.
	fresh func(cadence int64, seed uint64) Detector
	// knows makes a detector that is told how the series is drawn.
	knows func(s *series) Detector
}

// fleet tells whether one engine watches all series.
func (k *detectorKind) fleet() bool { return k.fresh == nil && k.knows == nil }

func (k *detectorKind) on(s *series, seed uint64) Detector {
	if k.knows != nil {
		return k.knows(s)
	}
	return k.fresh(s.cadence, seed)
}

// shipped is the product as users run it.
var shipped = detectorKind{name: "product", role: measured}

// ofModel is a row of a bare model, without the engine: no fleet, no absence.
func ofModel(fresh func() detect.Model) detectorKind {
	return detectorKind{name: "model", role: measured, fresh: newBare(fresh)}
}

// others are the rows beside the product's.
var others = []detectorKind{
	{name: "3-sigma", role: baseline, fresh: newThreeSigma},
	{name: "EWMA", role: baseline, fresh: newEWMA},
	{name: "MAD", role: baseline, fresh: newMAD},
	{name: "naive", role: baseline, fresh: newSeasonalNaive},
	{name: "Holt-W.", role: baseline, fresh: newHoltWinters},
	{name: "RCF", role: baseline, fresh: newRandomCutForest},
	{name: "iForest", role: baseline, fresh: newIsolationForest},
	{name: "oracle", role: limit, knows: newOracle},
	{name: "random", role: control, fresh: newRandom},
	{name: "flag all", role: control, fresh: newFlagAll},
}

// unmoved is the Absent of a detector that has nothing to say on missing points.
type unmoved struct{}

func (unmoved) Absent(int64) float64 { return 0 }
