// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package calibration

import (
	"encoding/json"
	"errors"
	"math"

	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/state"
)

const (
	levels = 64
	width  = 0.4 // nats between two levels: the last is at p = e^-25.2
	// weight is the weight of the wider pool at a level, in points beyond the level.
	weight = 12
	// most bounds a correction, so that a completely broken fleet does not become normal.
	most = 12.0 // nats
)

// Count counts surprises by size, with decay. The zero value is empty.
type Count struct {
	at    [levels]float64
	total float64
}

// Add counts a point with the given surprise in nats, at least 0.
func (c *Count) Add(surprise float64) {
	c.at[int(min(levels-1, surprise/width))]++
	c.total++
}

// Total returns the number of counted points.
func (c *Count) Total() float64 { return c.total }

// Forget multiplies all counts by f.
func (c *Count) Forget(f float64) {
	for k := range c.at {
		c.at[k] = float64(c.at[k] * f)
	}
	c.total = float64(c.total * f)
}

// State writes or reads the count.
func (c *Count) State(s *state.Codec) {
	s.Float64s(c.at[:])
	s.Float64(&c.total)
	sum := 0.0
	for _, n := range c.at {
		s.Check(n >= 0)
		sum += n
	}
	s.Check(math.Abs(sum-c.total) <= 1e-6*(1+sum))
}

// Table converts a model's surprise to a calibrated one. It subtracts the excess at the surprise's level,
// interpolated linearly between levels. The zero value changes nothing.
type Table struct {
	excess [levels + 1]float64 // nats by which the model's surprises are too large
	more   [levels + 1]float64 // additional excess for bursts
}

// Identity is the table that changes nothing.
var Identity = &Table{}

// Apply returns the calibrated surprise in nats, at least 0. It is monotone in surprise.
func (t *Table) Apply(surprise float64) float64 {
	x := surprise / width
	if x >= levels {
		return surprise - t.at(levels)
	}
	k := int(x)
	f := x - float64(k)
	return max(0, surprise-float64((1-f)*t.at(k))-float64(f*t.at(k+1)))
}

func (t *Table) at(level int) float64 { return t.excess[level] + t.more[level] }

// Table returns the table that corrects the counted surprises, shrunk toward that of a wider pool.
//
// Of C points beyond one level, C·e^-width are expected beyond the next. If there
// are C' of them, the observed probability is ρ times the nominal one, and from level to level
//
//	ρ'/ρ = (C' + w)/(C·e^-width + w/π)
//
// where π is the same ratio in the wider pool. One extreme point, which is beyond many
// levels, therefore does not count several times.
//
// If points occur in bursts of b, C' points are only C'/b independent observations. The
// table therefore assumes one more burst than observed: p is multiplied by
// 1 + (b - 1)/(C' + w). Narrower pools do not inherit this factor.
func (c *Count) Table(wider *Table, burst float64) *Table {
	t := &Table{}
	before := c.total
	for k := 1; k <= levels; k++ {
		beyond := max(0, before-c.at[k-1])
		prior := wider.excess[k] - wider.excess[k-1]
		step := exact.Log((beyond + weight) / (float64(before*exact.Exp(-width)) + float64(weight*exact.Exp(-prior))))
		// The order of surprises must not change.
		t.excess[k] = max(-most, min(most, t.excess[k-1]+min(step, 0.9*width)))
		more := min(most, exact.Log1p((burst-1)/(beyond+weight)))
		t.more[k] = max(t.more[k-1], min(more, t.at(k-1)+0.9*width-t.excess[k]))
		before = beyond
	}
	return t
}

// State writes or reads the table.
func (t *Table) State(s *state.Codec) {
	s.Float64s(t.excess[:])
	s.Float64s(t.more[:])
	s.Check(t.valid())
}

// valid reports whether no correction is too large, and whether the order of surprises does not change.
func (t *Table) valid() bool {
	for k, a := range t.excess {
		b := t.more[k]
		if !(math.Abs(a) <= most && b >= 0 && b <= most) || k > 0 && (a > t.excess[k-1]+width || t.at(k) > t.at(k-1)+width) {
			return false
		}
	}
	return true
}

// tableJSON is a table as JSON: nats by level.
type tableJSON struct {
	Excess [levels + 1]float64 `json:"excess"`
	Bursts [levels + 1]float64 `json:"bursts"`
}

// MarshalJSON writes the table so that UnmarshalJSON returns it bit for bit.
func (t *Table) MarshalJSON() ([]byte, error) { return json.Marshal(tableJSON{t.excess, t.more}) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Table) UnmarshalJSON(b []byte) error {
	var x tableJSON
	if err := json.Unmarshal(b, &x); err != nil {
		return err
	}
	if t.excess, t.more = x.Excess, x.Bursts; !t.valid() {
		return errors.New("the table is not one of surprises")
	}
	return nil
}
