// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"math"
	"math/rand/v2"
	"time"
)

// What all services have in common.
const (
	// spread is the standard deviation of the logarithm of a request's own time.
	spread = .35
	// slowShare of the requests take slowFactor times as long: a cold cache, a collection of garbage.
	slowShare, slowFactor = .04, 1.7
	// surfaced is the share of a callee's failures that make the caller's request fail too; the rest is mended by a retry.
	surfaced = .5
	// dayAmplitude is how far traffic swings around its daily mean; busiest is at peakHour, UTC.
	dayAmplitude, peakHour = .3, 15
)

// Activity is what one service did in one interval.
type Activity struct {
	// Latencies has one value for each request that was served, in seconds.
	Latencies []float64
	// Failed is how many of them failed.
	Failed int
	// Active is the number of requests in flight at the end of the interval.
	Active int
	// CPU is the utilisation of the service's processors, from 0 to 1.
	CPU float64
}

// Mean is the mean latency in seconds; 0 if there was no request.
func (a *Activity) Mean() float64 {
	if len(a.Latencies) == 0 {
		return 0
	}
	sum := 0.
	for _, v := range a.Latencies {
		sum += v
	}
	return sum / float64(len(a.Latencies))
}

// Interval is what the shop did in one interval. It is valid until the next call of [Simulation.Next].
type Interval struct {
	// Start and End are event times; whatever is measured belongs to End.
	Start, End time.Time
	// Services has one activity for each of [Services].
	Services []Activity
	// Traces are sampled requests with all the calls that they made.
	Traces []*Request
}

// Request is one request to one service and the calls that it made.
type Request struct {
	// Service is an index into [Services].
	Service    int
	Start      time.Time
	Duration   time.Duration
	Failed     bool
	FailedHere bool
	Calls      []*Request
}

// temper is the slowly changing state of one service.
type temper struct {
	traffic, latency, failure, cpu drift
}

// Simulation walks the shop through event time. It is deterministic: the same seed,
// start, cadence and faults give the same intervals.
type Simulation struct {
	services []Service
	cadence  time.Duration
	rng      *rand.Rand
	market   drift // demand, the same for all services
	tempers  []temper
	effects  []effect
	interval Interval
	// Of the current interval, by service.
	slowness, failure []float64
}

// New returns a simulation whose first interval starts at start.
func New(seed uint64, start time.Time, cadence time.Duration) *Simulation {
	services := Services()
	s := &Simulation{
		services: services,
		cadence:  cadence,
		rng:      rand.New(rand.NewPCG(seed, 0x5368_6f70)),
		market:   drift{phi: .95, sd: .012},
		tempers:  make([]temper, len(services)),
		effects:  make([]effect, len(services)),
		interval: Interval{End: start, Services: make([]Activity, len(services))},
		slowness: make([]float64, len(services)),
		failure:  make([]float64, len(services)),
	}
	for i := range s.tempers {
		s.tempers[i] = temper{
			traffic: drift{phi: .6, sd: .03},
			latency: drift{phi: .6, sd: .012},
			failure: drift{phi: .6, sd: .1},
			cpu:     drift{phi: .8, sd: .012},
		}
	}
	return s
}

// Next simulates the next interval and samples up to traces of its requests.
// Shop-wide demand follows the time of day; every service adds a temper of its own.
func (s *Simulation) Next(traces int) *Interval {
	iv := &s.interval
	iv.Start, iv.End = iv.End, iv.End.Add(s.cadence)
	iv.Traces = nil
	for i := range iv.Services {
		iv.Services[i].Latencies = iv.Services[i].Latencies[:0]
		iv.Services[i].Failed = 0
		s.slowness[i] = math.Exp(s.tempers[i].latency.next(s.rng))
		s.failure[i] = s.services[i].Failure*math.Exp(s.tempers[i].failure.next(s.rng)) + s.effects[i].failure
	}
	demand := dayFactor(iv.Start) * math.Exp(s.market.next(s.rng)) * s.cadence.Seconds()
	for i := range s.services {
		mean := s.services[i].Clients*demand*math.Exp(s.tempers[i].traffic.next(s.rng)) + s.effects[i].extra
		s.serve(i, poisson(s.rng, mean), traces)
	}
	for i := range iv.Services {
		s.gauge(i)
	}
	return iv
}

// serve walks n requests of the service's own clients through the call graph.
// The first requests of the shop's front door are sampled, spread over the interval.
func (s *Simulation) serve(service, n, traces int) {
	for k := range n {
		if service != frontend || k >= traces {
			s.request(service, nil)
			continue
		}
		at := s.interval.Start.Add(s.cadence * time.Duration(2*k+1) / time.Duration(2*traces+2))
		root := &Request{Start: at}
		s.request(service, root)
		s.interval.Traces = append(s.interval.Traces, root)
	}
}

// request serves one request and returns what the caller sees of it: how long it took, in
// seconds, and whether it failed. If trace is not nil, it and the calls below it are filled in.
func (s *Simulation) request(service int, trace *Request) (float64, bool) {
	took := s.own(service)
	failedHere := s.rng.Float64() < s.failure[service]
	failed := failedHere
	for _, call := range s.services[service].Calls {
		if s.rng.Float64() >= call.Share {
			continue
		}
		child := trace.call(took)
		t, f := s.request(call.To, child)
		took += t
		if f && s.rng.Float64() < surfaced {
			failed = true
		}
	}
	if w := s.effects[service].withheld; w == 0 || s.rng.Float64() >= w {
		a := &s.interval.Services[service]
		a.Latencies = append(a.Latencies, took)
		if failed {
			a.Failed++
		}
	}
	if trace != nil {
		trace.Service, trace.Failed, trace.FailedHere = service, failed, failedHere
		trace.Duration = time.Duration(took * float64(time.Second))
	}
	return took, failed
}

// call adds a call that starts when the caller has spent so many seconds.
func (r *Request) call(after float64) *Request {
	if r == nil {
		return nil
	}
	child := &Request{Start: r.Start.Add(time.Duration(after * float64(time.Second)))}
	r.Calls = append(r.Calls, child)
	return child
}

// own draws the time that a request spends in the service itself, in seconds.
func (s *Simulation) own(service int) float64 {
	t := s.services[service].Own * s.slowness[service] * lognormal(s.rng, spread)
	if s.rng.Float64() < slowShare {
		t *= slowFactor
	}
	if d := s.effects[service].delay; d > 0 {
		t += d * lognormal(s.rng, .3) / math.Exp(.3*.3/2)
	}
	return t
}

// gauge reads the two instruments that show a moment instead of an interval.
// Requests in flight follow Little's law: rate times mean latency.
func (s *Simulation) gauge(service int) {
	a := &s.interval.Services[service]
	rate := float64(len(a.Latencies)) / s.cadence.Seconds()
	a.Active = poisson(s.rng, rate*a.Mean())
	a.CPU = min(1, max(.01, .08+.004*rate+s.tempers[service].cpu.next(s.rng)))
}

// dayFactor is how much traffic there is at a time of day, 1 on average.
func dayFactor(t time.Time) float64 {
	hours := float64(t.Unix()%86400) / 3600
	return 1 + dayAmplitude*math.Cos((hours-peakHour)*math.Pi/12)
}
