// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/calibration"
)

const (
	fleetSeries = 20    // other series of the same noise, from which the correction is learned
	fleetPoints = 10000 // of each
)

// inFleet returns models whose p is corrected as in the product: with the results of other series of the family.
func inFleet(f family, fresh func() detect.Model, seed uint64) func() detect.Model {
	var shown calibration.Count
	for s := range uint64(fleetSeries) {
		m := fresh()
		next := f.start(rand.New(rand.NewPCG(seed+s, 0x3c6ef372fe94f82b)))
		for i := range uint64(fleetPoints) {
			p := m.Observe(int64(i+1)*15e9, next())
			if i >= early {
				shown.Add(p.Surprise)
			}
		}
	}
	table := shown.Table(calibration.Identity, 1)
	return func() detect.Model { return &corrected{Model: fresh(), table: table} }
}

// corrected is a model with its correction.
type corrected struct {
	detect.Model

	table *calibration.Table
}

func (c *corrected) Observe(t int64, v float64) detect.Judgment {
	s := c.Model.Observe(t, v)
	s.Surprise = c.table.Apply(s.Surprise)
	return s
}
