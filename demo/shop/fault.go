// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"math/rand/v2"
	"slices"
	"strings"
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
	// SlowDatabase makes the queries of a service take longer.
	SlowDatabase Kind = "database"
	// CPU saturates the processors of one pod.
	CPU Kind = "cpu"
	// Memory leaks until pods are killed and start again.
	Memory Kind = "memory"
	// Network delays what two services send each other.
	Network Kind = "network"
	// Deployment brings a version that ends requests early.
	Deployment Kind = "deployment"
	// Backlog makes the queue's consumer too slow for what is published.
	Backlog Kind = "queue"
	// Vanished takes a service away.
	Vanished Kind = "vanished"
)

// Fault is one thing that goes wrong.
type Fault struct {
	Kind    Kind
	Service int
	// Caller is the other end of a network fault.
	Caller int
	// Pod is the pod that a fault of one pod has.
	Pod int
	// Size says how much: in standard deviations per interval of the service's own series for the faults
	// of latency, errors and throughput, and as the kind's table says for the others.
	Size float64
	// Other chooses the other form of a kind: a drop instead of a surge, exceptions instead of early answers.
	Other bool
}

// effect is what a fault does to its service.
type effect struct {
	delay    float64 // seconds added to each request, on average
	failure  float64 // added to the chance that a request fails
	extra    float64 // requests per interval from clients of its own
	withheld float64 // share of the requests that another site serves instead
	database float64 // added to 1 as the factor on the time of queries
	handling float64 // the same on the time of messages
	leak     float64 // share of what a pod needs that it loses per minute
	early    float64 // chance that a request ends early
	throws   bool    // by an exception
	chatty   bool    // writes the lines of a new version
	said     int     // how many it has written
	gone     bool
}

// Draw draws a fault from a seed. An empty kind draws the kind too, out of [Drawn]. What is drawn
// does not depend on the simulation: each service that can have it and each size has the same chance.
func Draw(seed uint64, kind Kind) Fault {
	rng := rand.New(rand.NewPCG(seed, 0x4661_756c_74))
	if drawn := Drawn[rng.IntN(len(Drawn))]; kind == "" {
		kind = drawn
	}
	r := recipes[slices.IndexFunc(recipes, func(r recipe) bool { return r.kind == kind })]
	place := r.places[rng.IntN(len(r.places))]
	return Fault{
		Kind:    kind,
		Service: place.service,
		Caller:  place.caller,
		Size:    r.least + (r.most-r.least)*rng.Float64(),
		Other:   rng.IntN(2) == 0,
		Pod:     rng.IntN(Pods),
	}
}

// Break puts a fault into the shop, from the next interval on. The normal is that of
// the service in question; it gives some faults their size.
func (s *Simulation) Break(f Fault, n Normal) {
	for _, r := range recipes {
		if r.kind == f.Kind {
			r.do(s, f, n)
		}
	}
}

// Describe says in one sentence what the fault does.
func (f Fault) Describe(n Normal, cadence time.Duration) string {
	for _, r := range recipes {
		if r.kind == f.Kind {
			return r.say(f, n, cadence)
		}
	}
	return "nothing is broken"
}

// Culprits are the names that are right as an answer to what is broken, the best first: that of the
// service, of its database if that is slow, of the queue beside its consumer, of both ends of a slow network.
func (f Fault) Culprits() []string {
	services := Services()
	if f.Kind == None || f.Kind == "" {
		return nil
	}
	out := []string{services[f.Service].Name}
	switch f.Kind {
	case SlowDatabase:
		out = append(out, services[f.Service].Database.Address, services[f.Service].Database.Namespace)
	case Network:
		out = append(out, services[f.Caller].Name)
	case Backlog:
		out = append(out, QueueName)
	}
	return out
}

// Known says whether there is such a kind; the word lists those that there are.
func Known(kind Kind) (known bool, word string) {
	names := []string{string(None)}
	for _, r := range recipes {
		names = append(names, string(r.kind))
	}
	return slices.Contains(names, string(kind)), strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
