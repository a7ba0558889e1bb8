// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"math"
	"time"

	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/state"
)

const (
	usualFrom       = 3                   // number of returned excursions from which another one is usual
	usualMost       = 1.6                 // maximum ratio of a usual excursion to the mean size and length
	usualLeast      = 1.0 / 3             // minimum ratio to the mean size: a smaller excursion is of another kind
	excursionFade   = 0.1                 // decay of the mean size at a smaller excursion
	excursionMemory = 21 * 24 * time.Hour // time after which counts are halved
)

// excursions stores the holds in each direction that ended by a return, for example of a job that runs each night.
// Another excursion of similar size and length is at most as surprising as they are rare.
type excursions struct {
	points float32
	since  int64
	side   [2]excursion
	moved  int8 // direction of the latest level that became normal: 1, -1, or 0
}

type excursion struct {
	count float32
	size  float32 // mean of the greatest distance, in slow scales
	long  float32 // mean length, ns
}

func (x *excursions) of(z float64) *excursion {
	if z < 0 {
		return &x.side[1]
	}
	return &x.side[0]
}

// pass counts a point that came at t.
func (x *excursions) pass(t int64) {
	if x.points == 0 {
		x.since = t
	}
	x.points++
	if t-x.since > int64(excursionMemory) {
		x.since = t
		x.points /= 2
		x.side[0].count /= 2
		x.side[1].count /= 2
	}
}

// learn adds an excursion with the greatest distance z and a length of long ns.
func (x *excursions) learn(z float64, long int64) {
	e := x.of(z)
	size := float32(min(farSlow, math.Abs(z)))
	switch {
	case size > usualMost*e.size: // of another kind
		*e = excursion{count: 1, size: size, long: float32(long)}
	case size < usualLeast*e.size:
		e.size = float32(e.size * (1 - excursionFade))
	default:
		e.count++
		e.size += (size - e.size) / e.count
		e.long += (float32(long) - e.long) / e.count
	}
}

// accept adds an excursion whose level became normal, if the previous one had the other direction, as with a job that
// lasts longer than the acceptance time. A leak continues in one direction.
func (x *excursions) accept(z float64, long int64) {
	if way := int8(sign(z)); way != x.moved {
		if x.moved != 0 {
			x.learn(z, long)
		}
		x.moved = way
	}
}

// most returns the maximum surprise, in nats, of a point at the distance z of an excursion that has lasted for long
// ns. It follows from the frequency of similar excursions.
func (x *excursions) most(z float64, long int64) float64 {
	e := x.of(z)
	if e.count < usualFrom || math.Abs(z) > usualMost*float64(e.size) || float64(long) > usualMost*float64(e.long) {
		return math.Inf(1)
	}
	return exact.Log(float64(x.points) / float64(e.count))
}

func (x *excursions) state(c *state.Codec) {
	c.Float32(&x.points)
	c.Int64(&x.since)
	c.Check(x.points >= 0)
	moved := uint8(x.moved + 1)
	c.Uint8(&moved)
	c.Check(moved <= 2)
	x.moved = int8(moved) - 1
	for k := range x.side {
		e := &x.side[k]
		c.Float32(&e.count)
		c.Float32(&e.size)
		c.Float32(&e.long)
		c.Check(e.count >= 0 && e.size >= 0 && e.long >= 0 && e.count <= x.points)
	}
}
