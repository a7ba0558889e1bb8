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

// Kinds of fault.
const (
	// None injects no fault.
	None Kind = "none"
	// Latency makes each request of a service take longer.
	Latency Kind = "latency"
	// Errors makes more requests of a service fail.
	Errors Kind = "errors"
	// Throughput changes the number of requests to a service: its own clients send more, or a load balancer sends a
	// share to another site.
	Throughput Kind = "throughput"
	// SlowDatabase makes the queries of a service take longer.
	SlowDatabase Kind = "database"
	// CPU saturates the processors of one pod.
	CPU Kind = "cpu"
	// Memory leaks memory until pods are killed and restarted.
	Memory Kind = "memory"
	// Network delays the calls between two services.
	Network Kind = "network"
	// Deployment deploys a version that ends requests early.
	Deployment Kind = "deployment"
	// Backlog makes the consumer of the queue slower than its publisher.
	Backlog Kind = "queue"
	// Vanished removes a service.
	Vanished Kind = "vanished"
)

// Fault is one fault of a service.
type Fault struct {
	Kind    Kind
	Service int
	// Caller is the calling service of a network fault.
	Caller int
	// Pod is the affected pod, for faults of one pod.
	Pod int
	// Size is the size of the fault. For latency, errors, and throughput it is in standard deviations per interval of
	// the service's own series. For other kinds the recipe defines its unit.
	Size float64
	// Other selects the variant of a kind: a drop instead of a surge, exceptions instead of early responses.
	Other bool
}

// effect holds the changes that a fault makes to its service.
type effect struct {
	delay    float64 // seconds added to each request, on average
	failure  float64 // added to the probability that a request fails
	extra    float64 // requests per interval from the service's own clients
	withheld float64 // share of the requests that another site serves instead
	database float64 // added to 1 as the factor of query times
	handling float64 // added to 1 as the factor of message handling times
	leak     float64 // share of a pod's memory that leaks per minute
	early    float64 // probability that a request ends early
	throws   bool    // with an exception
	chatty   bool    // writes the lines of a new version
	said     int     // number of lines written
	gone     bool
}

// Draw draws a fault from a seed. An empty kind also draws the kind from [Drawn]. The result does not depend on the
// simulation. Each possible service and each size has the same probability.
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

// Break injects a fault from the next interval on. n is the normal behavior of the service. It determines the size of
// some faults.
func (s *Simulation) Break(f Fault, n Normal) {
	for _, r := range recipes {
		if r.kind == f.Kind {
			r.do(s, f, n)
		}
	}
}

// Describe describes the fault in one sentence.
func (f Fault) Describe(n Normal, cadence time.Duration) string {
	for _, r := range recipes {
		if r.kind == f.Kind {
			return r.say(f, n, cadence)
		}
	}
	return "nothing is broken"
}

// Culprits returns the names that are correct answers, best first: the service, its slow database, the queue of its
// consumer, or both ends of a slow network.
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

// Known reports whether a kind exists. word lists all kinds.
func Known(kind Kind) (known bool, word string) {
	names := []string{string(None)}
	for _, r := range recipes {
		names = append(names, string(r.kind))
	}
	return slices.Contains(names, string(kind)), strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
