// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/ensemble"
)

// models are what -model chooses from.
var models = map[string]func() detect.Model{
	"ensemble": func() detect.Model { return ensemble.New(nil) },
	"constant": func() detect.Model { return constant{} },
}

// newProduct makes detectors of a model: the score is its surprise, -ln p.
func newProduct(fresh func() detect.Model) func(int64, uint64) Detector {
	return func(int64, uint64) Detector { return &product{model: fresh(), fresh: fresh} }
}

type product struct {
	unmoved

	model detect.Model
	fresh func() detect.Model
}

func (p *product) Observe(t int64, v float64) float64 { return -p.model.Observe(t, v).LogP }

func (p *product) Clone() Detector {
	state, err := p.model.AppendBinary(nil)
	c := &product{model: p.fresh(), fresh: p.fresh}
	if err == nil {
		err = c.model.UnmarshalBinary(state)
	}
	if err != nil {
		panic(err) // a model that cannot read what it wrote
	}
	return c
}

// constant says the same of every point: what a report that can fail must refuse.
type constant struct{}

func (constant) Observe(int64, float64) detect.Surprise {
	return detect.Surprise{LogP: math.Log(1e-3)}
}
func (constant) AppendBinary(b []byte) ([]byte, error) { return append(b, 1), nil }
func (constant) UnmarshalBinary([]byte) error          { return nil }
