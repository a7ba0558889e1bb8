// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"fmt"
	"time"
)

// Drawn lists the kinds from which [Draw] chooses.
var Drawn = []Kind{Latency, Errors, Throughput}

// place is a possible location of a fault.
type place struct{ service, caller int }

// recipe describes one kind of fault: its possible locations, its sizes, and its effect.
type recipe struct {
	kind        Kind
	places      []place
	least, most float64
	do          func(s *Simulation, f Fault, n Normal)
	say         func(f Fault, n Normal, cadence time.Duration) string
}

// recipes lists all kinds of fault.
var recipes = []recipe{
	{
		Latency, anywhere(), 4, 8,
		func(s *Simulation, f Fault, n Normal) { s.effects[f.Service].delay = f.Size * n.Latency.Sigma },
		func(f Fault, n Normal, cadence time.Duration) string {
			return fmt.Sprintf("each request takes %.1f ms longer: %.1f σ of its mean latency (%.1f ms, σ %.2f ms per %v)",
				f.Size*n.Latency.Sigma*1e3, f.Size, n.Latency.Mean*1e3, n.Latency.Sigma*1e3, cadence)
		},
	},
	{
		Errors, anywhere(), 4, 8,
		func(s *Simulation, f Fault, n Normal) {
			s.effects[f.Service].failure = f.Size * n.Failed.Sigma / n.Requests.Mean
		},
		func(f Fault, n Normal, cadence time.Duration) string {
			return fmt.Sprintf("%.1f more requests fail per %v: %.1f σ of its failures (%.1f, σ %.2f)",
				f.Size*n.Failed.Sigma, cadence, f.Size, n.Failed.Mean, n.Failed.Sigma)
		},
	},
	{
		Throughput, anywhere(), 4, 8,
		func(s *Simulation, f Fault, n Normal) {
			if f.Other {
				s.effects[f.Service].withheld = min(.98, f.Size*n.Requests.Sigma/n.Requests.Mean)
			} else {
				s.effects[f.Service].extra = f.Size * n.Requests.Sigma
			}
		},
		func(f Fault, n Normal, cadence time.Duration) string {
			word := "more"
			if f.Other {
				word = "fewer"
			}
			return fmt.Sprintf("%.0f %s requests reach it per %v: %.1f σ of its traffic (%.0f, σ %.1f)",
				f.Size*n.Requests.Sigma, word, cadence, f.Size, n.Requests.Mean, n.Requests.Sigma)
		},
	},
	{
		SlowDatabase, where(func(s Service) bool { return s.Database.Address != "" }), 3, 7,
		func(s *Simulation, f Fault, _ Normal) { s.effects[f.Service].database = f.Size },
		func(f Fault, _ Normal, _ time.Duration) string {
			return fmt.Sprintf("its database %s answers %.1f times as slowly", Services()[f.Service].Database.Address, 1+f.Size)
		},
	},
	{
		CPU, anywhere(), 1, 3,
		func(s *Simulation, f Fault, _ Normal) { s.pods[f.Service][f.Pod].saturation = f.Size },
		func(f Fault, _ Normal, _ time.Duration) string {
			return fmt.Sprintf("the processors of one of its pods are saturated, its code takes %.1f times as long there", 1+f.Size)
		},
	},
	{
		Memory, anywhere(), .45, .9,
		func(s *Simulation, f Fault, _ Normal) { s.effects[f.Service].leak = f.Size },
		func(f Fault, _ Normal, _ time.Duration) string {
			return fmt.Sprintf("its pods lose %.0f %% of their memory per minute, until they are killed", f.Size*100)
		},
	},
	{
		Network, edges(), .03, .09,
		func(s *Simulation, f Fault, _ Normal) { s.delays[f.Caller][f.Service] = f.Size },
		func(f Fault, _ Normal, _ time.Duration) string {
			return fmt.Sprintf("the network between %s and it adds %.0f ms to a call", Services()[f.Caller].Name, f.Size*1e3)
		},
	},
	{
		Deployment, where(func(s Service) bool { return s.Database.Address != "" || s.Provider.Address != "" }), .3, .7,
		func(s *Simulation, f Fault, _ Normal) {
			e := &s.effects[f.Service]
			e.early, e.throws, e.chatty = f.Size, f.Other, true
			s.deploy(f.Service, s.services[f.Service].Next)
		},
		func(f Fault, _ Normal, _ time.Duration) string {
			word := "answered too early"
			if f.Other {
				word = "ended by an exception"
			}
			return fmt.Sprintf("version %s was deployed, %.0f %% of its requests are %s", Services()[f.Service].Next, f.Size*100, word)
		},
	},
	{
		Backlog,
		[]place{{service: QueueConsumer}},
		3, 6,
		func(s *Simulation, f Fault, _ Normal) { s.effects[QueueConsumer].handling = f.Size },
		func(f Fault, _ Normal, _ time.Duration) string {
			return fmt.Sprintf("it takes %.1f times as long over a message of %s, which fills up", 1+f.Size, QueueName)
		},
	},
	{
		Vanished, callees(), 1, 1,
		func(s *Simulation, f Fault, _ Normal) { s.effects[f.Service].gone = true },
		func(Fault, Normal, time.Duration) string { return "it is gone, and calls to it are refused" },
	},
}

// where lists the services that can have a fault.
func where(can func(Service) bool) []place {
	var out []place
	for i, s := range Services() {
		if can(s) {
			out = append(out, place{service: i})
		}
	}
	return out
}

func anywhere() []place { return where(func(Service) bool { return true }) }

// edges lists the calls of the shop.
func edges() []place {
	var out []place
	for i, s := range Services() {
		for _, c := range s.Calls {
			out = append(out, place{service: c.To, caller: i})
		}
	}
	return out
}

// callees lists the services that are called by another.
func callees() []place {
	called := map[int]bool{}
	for _, e := range edges() {
		called[e.service] = true
	}
	var out []place
	for i := range Services() {
		if called[i] {
			out = append(out, place{service: i})
		}
	}
	return out
}
