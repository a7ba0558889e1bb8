// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package plot

import (
	"math"
	"strconv"
)

// path builds an SVG path.
type path struct {
	b            []byte
	down         bool
	lastX, lastY float64
}

// farAway bounds coordinates: the picture shows none beyond it.
const farAway = 9999

func (p *path) to(x, y float64) {
	command := byte('L')
	if !p.down {
		command = 'M'
	}
	y = max(-farAway, min(y, farAway))
	p.b = appendCoordinate(append(p.b, command), x)
	p.b = appendCoordinate(append(p.b, ' '), y)
	p.down, p.lastX, p.lastY = true, x, y
}

// through visits two heights at one place, the nearer first.
func (p *path) through(x, y1, y2 float64) {
	if p.down && math.Abs(y2-p.lastY) < math.Abs(y1-p.lastY) {
		y1, y2 = y2, y1
	}
	alone := !p.down
	p.to(x, y1)
	if y1 != y2 || alone {
		p.to(x+.1, y2) // a line without length would not be drawn
	}
}

func (p *path) lift() { p.down = false }

// close goes down to the floor and ends the outline.
func (p *path) close(floor float64) {
	if p.down {
		p.to(p.lastX, floor)
		p.b = append(p.b, 'Z')
		p.down = false
	}
}

func appendCoordinate(b []byte, v float64) []byte {
	return strconv.AppendFloat(b, math.Round(float64(v*10))/10, 'f', -1, 64)
}

func coordinate(v float64) string {
	return string(appendCoordinate(nil, max(-farAway, min(v, farAway))))
}
