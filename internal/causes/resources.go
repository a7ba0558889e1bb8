// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package causes

import (
	"math"
	"slices"

	"github.com/auspex-otel/auspex/internal/exact"
)

// resource is one quantity that one instance of a service uses.
type resource struct{ service, instance, quantity string }

// Stored values of a resource: means of half a minute, the last maxMeans of them.
const (
	meanLength = int64(30e9)
	maxMeans   = 96
	recent     = 3 // means just before: excess that already existed is not news
	leastMeans = 2

	priorMeans   = 8    // weight of the spread of the other instances, in means
	priorSpread  = 0.75 // quantile of them that is used
	leastDeviant = 0.1  // of the logarithm
	offset       = 0.2  // share of the instances' median that is added to a use, so that small uses are not significant
)

// Excess is a use of a resource that the instance's own past does not explain.
type Excess struct {
	Instance, Quantity string
	Surprise           float64 // -ln p
	Expected, Observed float64
	Since              int64
}

// mean holds the mean use of a resource within half a minute.
type mean struct {
	number int64
	sum, n float64
}

func (m mean) value() float64 { return m.sum / m.n }

type usage struct {
	resource
	means []mean // a ring
	used  int64
}

// resources stores the use of resources, in the order of learning.
type resources struct {
	limit int
	index map[resource]*usage
	order []*usage
}

func newResources(limit int) resources { return resources{limit: limit, index: map[resource]*usage{}} }

func (r *resources) add(key resource, value float64, at int64) {
	if !(value >= 0 && value <= math.MaxFloat32) || len(key.service) > maxName || len(key.instance) > maxName || len(key.quantity) > maxName {
		return
	}
	u := r.index[key]
	if u == nil {
		if len(r.index) >= r.limit {
			r.shrink()
		}
		u = &usage{resource: key}
		r.index[key] = u
		r.order = append(r.order, u)
	}
	u.used = max(u.used, at)
	number := at / meanLength
	for i := len(u.means) - 1; i >= 0 && u.means[i].number >= number; i-- {
		if u.means[i].number == number {
			u.means[i].sum += value
			u.means[i].n++
			return
		}
	}
	if n := len(u.means); n > 0 && u.means[n-1].number > number {
		return // too late to assign it to a mean
	}
	if len(u.means) == maxMeans {
		u.means = append(u.means[:0], u.means[1:]...)
	}
	u.means = append(u.means, mean{number, value, 1})
}

// shrink removes the sixteenth that was unused longest.
func (r *resources) shrink() {
	used := make([]int64, 0, len(r.order))
	for _, u := range r.order {
		used = append(used, u.used)
	}
	slices.Sort(used)
	limit := used[len(used)/16]
	r.order = slices.DeleteFunc(r.order, func(u *usage) bool {
		if u.used <= limit {
			delete(r.index, u.resource)
			return true
		}
		return false
	})
}

// span holds the use before and after a time, as logarithms.
type span struct {
	*usage
	before, after []float64
	median, mad   float64
	since         int64
}

// excesses yields the surprise of the use of every resource.
func (r *resources) excesses(from, now int64, yield func(service string, e Excess)) {
	quantities := map[string][]*span{}
	var names []string
	for _, u := range r.order {
		s := u.split(from, now)
		if len(s.before) < leastMeans || len(s.after) == 0 {
			continue
		}
		if quantities[u.quantity] == nil {
			names = append(names, u.quantity)
		}
		quantities[u.quantity] = append(quantities[u.quantity], s)
	}
	for _, name := range names {
		judge(quantities[name], yield)
	}
}

func (u *usage) split(from, now int64) *span {
	s := &span{usage: u, since: from}
	first := from/meanLength + 1
	for _, m := range u.means {
		switch {
		case m.number < first:
			s.before = append(s.before, m.value())
		case m.number <= now/meanLength:
			if len(s.after) == 0 {
				s.since = m.number * meanLength
			}
			s.after = append(s.after, m.value())
		}
	}
	return s
}

// judge compares instances with their own past. The spread of other instances is the prior of the spread.
func judge(list []*span, yield func(service string, e Excess)) {
	medians, spreads := make([]float64, 0, len(list)), make([]float64, 0, len(list))
	for _, s := range list {
		medians = append(medians, median(s.before))
	}
	unit := float64(offset*median(medians)) + 1e-12
	for _, s := range list {
		for _, v := range [][]float64{s.before, s.after} {
			for i := range v {
				v[i] = exact.Log(v[i] + unit)
			}
		}
		m := median(s.before)
		deviations := make([]float64, 0, len(s.before))
		for _, v := range s.before {
			deviations = append(deviations, math.Abs(v-m))
		}
		s.median, s.mad = m, float64(1.4826*median(deviations))
		spreads = append(spreads, s.mad)
	}
	slices.Sort(spreads)
	prior := max(leastDeviant, spreads[int(priorSpread*float64(len(spreads)))])
	for _, s := range list {
		n := float64(len(s.before))
		spread := math.Sqrt((float64(s.mad*s.mad*n) + float64(prior*prior*priorMeans)) / (n + priorMeans))
		high := upper(s.after)
		z := (high - max(s.median, slices.Max(s.before[max(0, len(s.before)-recent):]))) / spread
		surprise := 0.0
		if z > 0 { // Student's t, because the spread is estimated
			surprise = float64((n + 4) / 2 * exact.Log1p(z*z/(n+3)))
		}
		yield(s.service, Excess{
			Instance: s.instance, Quantity: s.quantity, Surprise: surprise,
			Expected: exact.Exp(s.median) - unit, Observed: exact.Exp(high) - unit, Since: s.since,
		})
	}
}

func median(v []float64) float64 {
	s := slices.Clone(v)
	slices.Sort(s)
	return s[len(s)/2]
}

// upper returns the mean of the upper half, because one high value among low ones is not significant.
func upper(v []float64) float64 {
	s := slices.Clone(v)
	slices.Sort(s)
	s = s[len(s)-len(s)/2-1:]
	sum := 0.0
	for _, x := range s {
		sum += x
	}
	return sum / float64(len(s))
}
