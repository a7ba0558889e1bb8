// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import "github.com/auspex-otel/auspex/internal/detect"

// A Detector watches one series. Scores are 0 for expected points and during warm-up, and increase with the
// deviation.
type Detector interface {
	// Observe evaluates a point, then learns it. t is in nanoseconds since the Unix epoch.
	Observe(t int64, v float64) float64
	// Absent is called at each scheduled time without a point.
	Absent(t int64) float64
	// Clone returns a detector with the same state and an independent future.
	Clone() Detector
}

// role is the purpose of a detector's row.
type role int

const (
	measured role = iota // the product: it is compared with the baselines
	baseline
	limit   // has information about the generator
	control // shows the results of chance
)

// detectorKind is a row of the report. Exactly one of fresh and knows is set. Neither is set for the product as
// shipped, which watches all series in one engine.
type detectorKind struct {
	name string
	role role
	// fresh returns a detector for a cadence.
	fresh func(cadence int64, seed uint64) Detector
	// knows returns a detector that has the parameters of the series.
	knows func(s *series) Detector
}

// fleet reports whether one engine watches all series.
func (k *detectorKind) fleet() bool { return k.fresh == nil && k.knows == nil }

func (k *detectorKind) on(s *series, seed uint64) Detector {
	if k.knows != nil {
		return k.knows(s)
	}
	return k.fresh(s.cadence, seed)
}

// shipped is the product as shipped.
var shipped = detectorKind{name: "product", role: measured}

// ofModel returns a row of a bare model, without the engine: no fleet, no absence.
func ofModel(fresh func() detect.Model) detectorKind {
	return detectorKind{name: "model", role: measured, fresh: newBare(fresh)}
}

// others lists the other rows.
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

// unmoved implements Absent for detectors that ignore missing points.
type unmoved struct{}

func (unmoved) Absent(int64) float64 { return 0 }
