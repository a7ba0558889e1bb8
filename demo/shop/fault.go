// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Kind is a kind of fault.
type Kind string

// The kinds of fault.
const (
	// None breaks nothing.
	None Kind = "none"
	// Latency makes each request of a service take longer.
	Latency Kind = "latency"
	// Errors makes more requests of a service fail.
	Errors Kind = "errors"
	// Throughput changes how many requests reach a service: clients of its own send
	// more, or a balancer in front of it sends a share to another site.
	Throughput Kind = "throughput"
)

// Kinds are the kinds that [Draw] chooses from.
var Kinds = []Kind{Latency, Errors, Throughput}

// Fault is one thing that goes wrong in one service.
type Fault struct {
	Kind    Kind
	Service int
	// Sigmas is how far the service's own series moves, in standard deviations of that
	// series per interval: its mean latency, its failed requests, its requests.
	Sigmas float64
	// Drop turns a throughput fault from a surge into a drop.
	Drop bool
}

// Least and Most bound the size of a fault, in Sigmas.
const (
	Least = 4.
	Most  = 8.
)

// Draw draws a fault from a seed. An empty kind draws the kind too. What is drawn does
// not depend on the simulation: each service, kind and size has the same chance.
func Draw(seed uint64, kind Kind) Fault {
	rng := rand.New(rand.NewPCG(seed, 0x4661_756c_74))
	drawn := Kinds[rng.IntN(len(Kinds))]
	if kind == "" {
		kind = drawn
	}
	return Fault{
		Kind:    kind,
		Service: rng.IntN(len(Services())),
		Sigmas:  Least + (Most-Least)*rng.Float64(),
		Drop:    rng.IntN(2) == 0,
	}
}

// effect is what a fault does to its service.
type effect struct {
	delay    float64 // seconds added to each request, on average
	failure  float64 // added to the chance that a request fails
	extra    float64 // requests per interval from clients of its own
	withheld float64 // share of the requests that another site serves instead
}

// Break puts a fault into the shop, from the next interval on. The normal is that of
// the service in question; it gives the fault its size.
func (s *Simulation) Break(f Fault, n Normal) {
	e := &s.effects[f.Service]
	switch f.Kind {
	case Latency:
		e.delay = f.Sigmas * n.Latency.Sigma
	case Errors:
		e.failure = f.Sigmas * n.Failed.Sigma / n.Requests.Mean
	case Throughput:
		if f.Drop {
			e.withheld = min(.98, f.Sigmas*n.Requests.Sigma/n.Requests.Mean)
		} else {
			e.extra = f.Sigmas * n.Requests.Sigma
		}
	}
}

// Describe says in one sentence what the fault does.
func (f Fault) Describe(n Normal, cadence time.Duration) string {
	switch f.Kind {
	case Latency:
		return fmt.Sprintf("each request takes %.1f ms longer: %.1f σ of its mean latency (%.1f ms, σ %.2f ms per %v)",
			f.Sigmas*n.Latency.Sigma*1e3, f.Sigmas, n.Latency.Mean*1e3, n.Latency.Sigma*1e3, cadence)
	case Errors:
		return fmt.Sprintf("%.1f more requests fail per %v: %.1f σ of its failures (%.1f, σ %.2f)",
			f.Sigmas*n.Failed.Sigma, cadence, f.Sigmas, n.Failed.Mean, n.Failed.Sigma)
	case Throughput:
		word := "more"
		if f.Drop {
			word = "fewer"
		}
		return fmt.Sprintf("%.0f %s requests reach it per %v: %.1f σ of its traffic (%.0f, σ %.1f)",
			f.Sigmas*n.Requests.Sigma, word, cadence, f.Sigmas, n.Requests.Mean, n.Requests.Sigma)
	default:
		return "nothing is broken"
	}
}
