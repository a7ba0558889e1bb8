// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import "github.com/auspex-otel/auspex/internal/detect"

// newBare returns detectors of a model. The score is its surprise, -ln p.
func newBare(fresh func() detect.Model) func(int64, uint64) Detector {
	return func(int64, uint64) Detector { return &bare{model: fresh(), fresh: fresh} }
}

type bare struct {
	unmoved

	model detect.Model
	fresh func() detect.Model
}

func (p *bare) Observe(t int64, v float64) float64 { return p.model.Observe(t, v).Surprise }

func (p *bare) Clone() Detector {
	state, err := p.model.AppendBinary(nil)
	c := &bare{model: p.fresh(), fresh: p.fresh}
	if err == nil {
		err = c.model.UnmarshalBinary(state)
	}
	if err != nil {
		panic(err) // the model cannot read its own state
	}
	return c
}
