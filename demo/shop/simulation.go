// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Parameters of all services.
const (
	// spread is the standard deviation of the logarithm of a request's own time.
	spread = .35
	// slowShare is the share of requests that take slowFactor times as long, for example after a cache miss or
	// garbage collection.
	slowShare, slowFactor = .04, 1.7
	// surfaced is the share of a callee's failures that make the caller's request fail. Retries recover the rest.
	surfaced = .5
	// dayAmplitude is the relative amplitude of the daily cycle of traffic. Its peak is at peakHour, UTC.
	dayAmplitude, peakHour = .3, 15
)

// Activity describes one service in one interval.
type Activity struct {
	// Gone reports that the service has vanished and sends no telemetry.
	Gone bool
	// Latencies holds the latency of each served request, in seconds.
	Latencies []float64
	// Failed is the number of failed requests.
	Failed int
	// Active is the number of requests in flight at the end of the interval.
	Active int
	// Pods holds the instances of the service.
	Pods [Pods]PodActivity
}

// Mean returns the mean latency in seconds, or 0 if there was no request.
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

// Interval holds the activity of the shop in one interval. It is valid until the next call of [Simulation.Next].
type Interval struct {
	// Start and End are event times. Measurements have the time End.
	Start, End time.Time
	// Services holds one activity for each of [Services].
	Services []Activity
	// Waiting is the number of messages in the queue.
	Waiting int
	// Requests holds the traced requests that began in the interval.
	Requests []Request
	// Spans and Lines hold those that ended by End, in the order of their ends. The spans are those of traced
	// requests. All spans of a request are returned eventually.
	Spans []Span
	Lines []Line
}

// temper holds the slowly changing state of one service.
type temper struct {
	traffic, latency, failure drift
}

// Simulation advances the shop through event time. It is deterministic: the same seed, start, cadence, share, and
// faults produce the same intervals.
type Simulation struct {
	services []Service
	cadence  time.Duration
	share    float64
	rng      *rand.Rand
	ink      *rand.Rand // ids and words, separate so that they do not affect the simulation
	market   drift      // demand, the same for all services
	tempers  []temper
	pods     [][Pods]pod
	effects  []effect
	delays   [][]float64 // network delay in seconds between a caller and a callee
	queue    queue
	interval Interval
	// Values of the current interval, by service.
	slowness, failure []float64
	// Spans and lines that have not ended yet.
	spans []Span
	lines []Line
}

// New returns a simulation whose first interval starts at start. share is the share of requests from outside the shop
// that are traced with all of their calls.
func New(seed uint64, start time.Time, cadence time.Duration, share float64) *Simulation {
	services := Services()
	s := &Simulation{
		services: services,
		cadence:  cadence,
		share:    share,
		rng:      rand.New(rand.NewPCG(seed, 0x5368_6f70)),
		ink:      rand.New(rand.NewPCG(seed, 0x496e_6b)),
		market:   drift{phi: .95, sd: .012},
		tempers:  make([]temper, len(services)),
		pods:     make([][Pods]pod, len(services)),
		effects:  make([]effect, len(services)),
		delays:   make([][]float64, len(services)),
		interval: Interval{End: start, Services: make([]Activity, len(services))},
		slowness: make([]float64, len(services)),
		failure:  make([]float64, len(services)),
	}
	for i := range services {
		s.tempers[i] = temper{
			traffic: drift{phi: .6, sd: .03},
			latency: drift{phi: .6, sd: .012},
			failure: drift{phi: .6, sd: .1},
		}
		s.delays[i] = make([]float64, len(services))
		for k := range s.pods[i] {
			s.pods[i][k] = pod{
				Instance: newInstance(i, services[i], services[i].Version, k, 0),
				cpu:      drift{phi: .8, sd: .012},
				memory:   drift{phi: .9, sd: .015},
			}
		}
	}
	return s
}

// Next simulates the next interval. Demand follows the time of day. Every service adds its own drift.
func (s *Simulation) Next() *Interval {
	iv := &s.interval
	iv.Requests = iv.Requests[:0]
	iv.Start, iv.End = iv.End, iv.End.Add(s.cadence)
	for i := range iv.Services {
		iv.Services[i].Latencies = iv.Services[i].Latencies[:0]
		iv.Services[i].Failed = 0
		iv.Services[i].Gone = s.effects[i].gone
		s.slowness[i] = math.Exp(s.tempers[i].latency.next(s.rng))
		s.failure[i] = s.services[i].Failure*math.Exp(s.tempers[i].failure.next(s.rng)) + s.effects[i].failure
	}
	demand := dayFactor(iv.Start) * math.Exp(s.market.next(s.rng)) * s.cadence.Seconds()
	for i := range s.services {
		mean := s.services[i].Clients*demand*math.Exp(s.tempers[i].traffic.next(s.rng)) + s.effects[i].extra
		n := poisson(s.rng, mean)
		if !s.effects[i].gone {
			s.serve(i, n)
		}
	}
	for i := range iv.Services {
		s.gauge(i)
	}
	s.consume()
	s.upkeep()
	s.release()
	return iv
}

// serve simulates n requests of the service's own clients and traces a share of them.
func (s *Simulation) serve(service, n int) {
	for range n {
		if s.rng.Float64() >= s.share {
			s.request(service, 0, nil, none)
			continue
		}
		t := &trace{epoch: s.interval.Start, ink: s.ink}
		for k := range t.id {
			t.id[k] = byte(s.ink.Uint32())
		}
		s.request(service, s.ink.Float64()*s.cadence.Seconds(), t, none)
		s.spans = append(s.spans, t.spans...)
		s.lines = append(s.lines, t.lines...)
		s.interval.Requests = append(s.interval.Requests, Request{t.id, t.hit})
	}
}

// gauge computes the instruments that have a current value. Requests in flight follow Little's law: rate times mean
// latency.
func (s *Simulation) gauge(service int) {
	a := &s.interval.Services[service]
	rate := float64(len(a.Latencies)) / s.cadence.Seconds()
	a.Active = poisson(s.rng, rate*a.Mean())
	for k := range s.pods[service] {
		a.Pods[k] = s.measure(service, k, rate)
	}
}

// release returns the spans and lines that ended by the end of the interval and keeps the rest.
func (s *Simulation) release() {
	iv := &s.interval
	iv.Spans, iv.Lines = iv.Spans[:0], iv.Lines[:0]
	s.spans = slices.DeleteFunc(s.spans, func(span Span) bool {
		if span.End.After(iv.End) {
			return false
		}
		iv.Spans = append(iv.Spans, span)
		return true
	})
	s.lines = slices.DeleteFunc(s.lines, func(line Line) bool {
		if line.At.After(iv.End) {
			return false
		}
		iv.Lines = append(iv.Lines, line)
		return true
	})
	slices.SortStableFunc(iv.Spans, func(a, b Span) int { return a.End.Compare(b.End) })
	slices.SortStableFunc(iv.Lines, func(a, b Line) int { return a.At.Compare(b.At) })
}

// dayFactor returns the relative traffic at a time of day, 1 on average.
func dayFactor(t time.Time) float64 {
	hours := float64(t.Unix()%86400) / 3600
	return 1 + dayAmplitude*math.Cos((hours-peakHour)*math.Pi/12)
}
