// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import "math"

const (
	// entry and inStep are the shares of a request's own time before and in its step. The rest follows at the end.
	entry, inStep = .3, .4
	// wire is the median network time of a call and its response, in seconds.
	wire = .0012
	// refusal is the time until a connection to a closed port fails, in seconds.
	refusal = .002
	// crash is the exception message of a bad deployment.
	crash = "price table is empty: no rule for zone"
)

// request serves one request and returns the duration that the caller observes, in seconds, and whether it failed. at
// is its offset in the interval. If t is not nil, the request is traced as a child of the span parent.
func (s *Simulation) request(service int, at float64, t *trace, parent int) (took float64, failed bool) {
	svc, e := &s.services[service], &s.effects[service]
	elsewhere := e.withheld > 0 && s.rng.Float64() < e.withheld
	if elsewhere {
		t = nil // the other site does not trace
	}
	k, killed := s.balance(service)
	by, work := s.pods[service][k].Instance, s.work(service, k)
	span := none
	if t != nil {
		span = t.open(by, Server, svc.Method+" "+svc.Route, at, parent,
			text("http.request.method", svc.Method), text("http.route", svc.Route), text("url.scheme", "http"))
	}
	took = entry * work
	early := e.early > 0 && s.rng.Float64() < e.early
	thrown := early && e.throws
	luck := s.rng.Float64()
	own := luck < s.failure[service] || killed || thrown
	t.suffer(early || killed || e.delay > 0 || s.pods[service][k].slowness() > 1 ||
		luck < s.failure[service] && luck >= s.failure[service]-e.failure)
	failed = own
	if early {
		took += inStep * work
	} else {
		took += s.step(service, at+took, inStep*work, by, t, span)
		more, f := s.outward(service, at+took, by, t, span, failed)
		took, failed = took+more, failed || f
	}
	took += (1 - entry - inStep) * work
	if !elsewhere {
		a := &s.interval.Services[service]
		a.Latencies = append(a.Latencies, took)
		if failed {
			a.Failed++
		}
	}
	if t != nil {
		s.finish(service, t, span, at, took, failed, own, thrown)
	}
	return took, failed
}

// finish ends a server's span and sets its status.
func (s *Simulation) finish(service int, t *trace, span int, at, took float64, failed, own, thrown bool) {
	svc := &s.services[service]
	t.say(span, at+entry/2*took, false, svc.Says[0][s.ink.IntN(len(svc.Says[0]))])
	why := svc.Trouble
	if thrown {
		why = crash
	}
	switch {
	case own:
		t.spans[span].Exception = why
		t.say(span, at+took, true, svc.Method+" "+svc.Route+" failed after {ms} ms: "+why)
	case failed:
		t.say(span, at+took, true, svc.Method+" "+svc.Route+" given up after {ms} ms, a service that it needs has failed")
	default:
		t.say(span, at+took, false, svc.Says[1][s.ink.IntN(len(svc.Says[1]))])
	}
	code, failure := status(failed)
	t.close(span, at+took, failure, number("http.response.status_code", code))
}

// step simulates the part of a request that has its own span. It contains the database query.
func (s *Simulation) step(service int, at, work float64, by *Instance, t *trace, parent int) float64 {
	svc := &s.services[service]
	query := 0.
	if svc.Database.Time > 0 {
		query = svc.Database.Time * (1 + s.effects[service].database) * lognormal(s.rng, .3)
	}
	if t == nil {
		return work + query
	}
	t.suffer(query > 0 && s.effects[service].database > 0)
	step := t.open(by, Internal, svc.Step, at, parent)
	if query > 0 {
		s.ask(&svc.Database, t, step, at+work/2, query)
	}
	t.close(step, at+work+query, "")
	return work + query
}

// ask writes the span of a query.
func (s *Simulation) ask(db *Database, t *trace, parent int, at, took float64) {
	span := t.open(t.spans[parent].By, Client, db.Operation+" "+db.Table, at, parent,
		text("db.system", db.System), text("db.namespace", db.Namespace), text("db.operation.name", db.Operation),
		text("db.collection.name", db.Table), text("server.address", db.Address))
	t.close(span, at+took, "")
}

// outward makes the calls of a request sequentially, calls the provider, and publishes. It returns the duration, and
// whether a call made the request fail.
func (s *Simulation) outward(service int, at float64, by *Instance, t *trace, parent int, already bool) (took float64, failed bool) {
	svc := &s.services[service]
	for _, c := range svc.Calls {
		if s.rng.Float64() >= c.Share {
			continue
		}
		if s.effects[c.To].gone {
			took, failed = took+s.refused(c.To, at+took, by, t, parent), true
			continue
		}
		more, f := s.call(service, c.To, at+took, by, t, parent)
		took += more
		if f && s.rng.Float64() < surfaced {
			failed = true
		}
	}
	if svc.Provider.Address != "" {
		took += s.provider(&svc.Provider, at+took, by, t, parent)
	}
	if svc.Publishes > 0 && !failed && !already && s.rng.Float64() < svc.Publishes {
		took += s.publish(at+took, by, t, parent)
	}
	return took, failed
}

// call sends a request from one service to another over the network.
func (s *Simulation) call(from, to int, at float64, by *Instance, t *trace, parent int) (took float64, failed bool) {
	network := (wire + s.delays[from][to]) * lognormal(s.rng, .3)
	if t == nil {
		took, failed = s.request(to, 0, nil, none)
		return took + network, failed
	}
	t.suffer(s.delays[from][to] > 0)
	svc := &s.services[to]
	span := t.open(by, Client, svc.Method, at, parent, text("http.request.method", svc.Method),
		text("server.address", svc.Name), text("url.template", svc.Route))
	took, failed = s.request(to, at+network/2, t, span)
	took += network
	code, failure := status(failed)
	t.close(span, at+took, failure, number("http.response.status_code", code))
	return took, failed
}

// refused simulates a call to a service that does not run.
func (s *Simulation) refused(to int, at float64, by *Instance, t *trace, parent int) float64 {
	took := refusal * lognormal(s.rng, .3)
	if t != nil {
		t.suffer(true)
		svc := &s.services[to]
		span := t.open(by, Client, svc.Method, at, parent, text("http.request.method", svc.Method),
			text("server.address", svc.Name), text("url.template", svc.Route))
		t.close(span, at+took, "connection_refused")
		t.spans[span].Exception = "connection refused"
		t.say(span, at+took, true, noConnection(svc.Name))
	}
	return took
}

// provider calls the external host.
func (s *Simulation) provider(p *Provider, at float64, by *Instance, t *trace, parent int) float64 {
	took := p.Time * lognormal(s.rng, .25)
	if t != nil {
		span := t.open(by, Client, p.Method, at, parent, text("http.request.method", p.Method),
			text("server.address", p.Address), text("url.full", "https://"+p.Address+p.Path))
		t.close(span, at+took, "", number("http.response.status_code", 200))
	}
	return took
}

// work draws the time that a request spends in the service's code, in seconds.
func (s *Simulation) work(service, k int) float64 {
	w := s.services[service].Own * s.slowness[service] * s.pods[service][k].slowness() * lognormal(s.rng, spread)
	if s.rng.Float64() < slowShare {
		w *= slowFactor
	}
	if d := s.effects[service].delay; d > 0 {
		w += d * lognormal(s.rng, .3) / math.Exp(.3*.3/2)
	}
	return w
}
