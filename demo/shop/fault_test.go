// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestDrawReachesEverything(t *testing.T) {
	kinds, services, drops := map[Kind]int{}, map[int]int{}, map[bool]int{}
	least, most := 8., 4.
	for seed := range uint64(1000) {
		f := Draw(seed, "")
		kinds[f.Kind]++
		services[f.Service]++
		drops[f.Other]++
		least, most = min(least, f.Size), max(most, f.Size)
	}
	if len(kinds) != 3 || len(services) != len(Services()) || len(drops) != 2 {
		t.Errorf("kinds %v, services %v, drops %v", kinds, services, drops)
	}
	if least < 4 || least > 4.1 || most > 8 || most < 7.9 {
		t.Errorf("sizes from %v to %v", least, most)
	}
	if f := Draw(9, Errors); f.Kind != Errors || f.Service != Draw(9, "").Service {
		t.Errorf("with a kind that is given: %+v", f)
	}
}

func TestDescribe(t *testing.T) {
	n := Normal{Requests: Moments{200, 15}, Failed: Moments{4, 2}, Latency: Moments{.08, .002}}
	for want, f := range map[string]Fault{
		"each request takes 10.0 ms longer: 5.0 σ of its mean latency (80.0 ms, σ 2.00 ms per 5s)": {Kind: Latency, Size: 5},
		"10.0 more requests fail per 5s: 5.0 σ of its failures (4.0, σ 2.00)":                      {Kind: Errors, Size: 5},
		"75 more requests reach it per 5s: 5.0 σ of its traffic (200, σ 15.0)":                     {Kind: Throughput, Size: 5},
		"75 fewer requests reach it per 5s: 5.0 σ of its traffic (200, σ 15.0)":                    {Kind: Throughput, Size: 5, Other: true},
		"nothing is broken": {Kind: None},
	} {
		if got := f.Describe(n, cadence); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if !strings.Contains(string(None), "none") {
		t.Error(None)
	}
}

// follower is a simple detector. It compares a series with its own recent level and scale.
type follower struct{ level, variance, n float64 }

func (f *follower) learn(v float64) {
	f.n++
	w := max(1/f.n, 1./60)
	d := v - f.level
	f.level += w * d
	if f.n > 60 {
		f.variance += (d*d - f.variance) / (f.n - 60)
	}
}

func (f *follower) z(v float64) float64 { return math.Abs(v-f.level) / math.Sqrt(f.variance) }

// series returns the observable values of one service.
func series(a *Activity) [5]float64 {
	return [5]float64{float64(len(a.Latencies)), a.Mean(), float64(a.Failed), float64(a.Active), (a.Pods[0].CPU + a.Pods[1].CPU) / 2}
}

// TestBrokenServiceStandsOut verifies that a fault deviates most in its own service. Its effect on callers and
// callees is weaker relative to their own noise.
func TestBrokenServiceStandsOut(t *testing.T) {
	const seeds = 30
	right := 0
	for seed := range uint64(seeds) {
		s := New(seed, time.Date(2026, 5, 4, int(seed%24), 0, 0, 0, time.UTC), cadence, 0)
		record := NewRecord(len(Services()), 500)
		models := make([][5]follower, len(Services()))
		for range 600 {
			iv := s.Next()
			record.Add(iv)
			for i := range models {
				for k, v := range series(&iv.Services[i]) {
					models[i][k].learn(v)
				}
			}
		}
		f := Draw(seed, "")
		s.Break(f, record.Normal(f.Service))
		strangest, top := 0., -1
		for range 8 {
			iv := s.Next()
			for i := range models {
				for k, v := range series(&iv.Services[i]) {
					if z := models[i][k].z(v); z > strangest {
						strangest, top = z, i
					}
				}
			}
		}
		if top == f.Service {
			right++
		} else {
			t.Logf("seed %d: %+v, but %s stands out", seed, f, Services()[top].Name)
		}
	}
	if right < seeds*9/10 {
		t.Errorf("the broken service stands out for %d of %d seeds", right, seeds)
	}
}
