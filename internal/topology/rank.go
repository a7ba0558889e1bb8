// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"cmp"
	"slices"

	"github.com/auspex-otel/auspex/internal/exact"
)

// Aspect is the kind of evidence. Evidence of different aspects adds up.
type Aspect uint8

// Aspects.
const (
	// Behavior: the service has a new behavior, or no longer has one that it always had. Callees explain it.
	Behavior Aspect = iota + 1
	// Mix: one of the previous behaviors is more frequent. Callers explain it, too.
	Mix
	// SelfTime: the service itself takes longer.
	SelfTime
	// Resource: a pod of the service uses more of a resource.
	Resource
	// Network: calls from Service to Callee spend more time between the two.
	Network
	// Silence: the service sends no more telemetry. If all of its callers are silent as well, they explain it.
	Silence
	aspects
)

// Evidence is one behavior change of a service.
type Evidence struct {
	Aspect  Aspect
	Service string
	Callee  string // only for Network
	// Surprise is -ln p. A value of 0 or less is no evidence. For Network it states that the time is usual.
	Surprise float64
	// Callees lists the services that may have caused it, including indirect callees. Only for Behavior and Mix.
	Callees []string
	Since   int64 // event time
	// Detail belongs to the caller and is returned unchanged.
	Detail any
}

// Suspect is a service with the evidence against it.
type Suspect struct {
	Service string
	// Score is the sum of surprises, in -ln p, without those that others explain.
	Score float64
	Since int64
	// Evidence lists the evidence in the score, strongest first.
	Evidence []Evidence
}

const (
	// soft is the greatest surprise that counts fully, in nats. 20 nats are one in 500 million, and p is not that
	// exact.
	soft = 20
	// Limits of network evidence. A pair of services with a usual network time counts against both by at most calm
	// nats.
	calm  = 2
	doubt = 3
)

// Soften limits a surprise, in nats: beyond soft, it grows with its logarithm.
func Soften(surprise float64) float64 {
	if surprise <= soft {
		return max(0, surprise)
	}
	return float64(soft * (1 + exact.Log(surprise/soft)))
}

// ranking is the state of one call of Rank.
type ranking struct {
	callees, callers map[string][]string
	services         []string // in the order of the evidence, which is independent of names
	suspects         map[string]*Suspect
	novel, mixed     map[string]float64
}

// Rank returns the suspects, most suspicious first. Those of equal score are ordered by time, then as their evidence.
func (g *Graph) Rank(evidence []Evidence) []Suspect {
	r := ranking{suspects: map[string]*Suspect{}, novel: map[string]float64{}, mixed: map[string]float64{}}
	r.callees, r.callers = g.calls()
	by := [aspects][]Evidence{}
	for _, e := range r.unexplained(evidence) {
		if e.Aspect == Network { // of two equal suspects, the callee comes first
			r.suspect(e.Callee)
		}
		r.suspect(e.Service)
		by[e.Aspect] = append(by[e.Aspect], e)
		switch e.Aspect {
		case Behavior, Silence:
			r.novel[e.Service] = max(r.novel[e.Service], Soften(e.Surprise))
		case Mix:
			r.mixed[e.Service] = max(r.mixed[e.Service], Soften(e.Surprise))
		}
	}
	r.behaviors(slices.Concat(by[Behavior], by[Mix], by[Silence]))
	r.strongest(by[SelfTime])
	r.strongest(by[Resource])
	r.network(by[Network])
	return r.list()
}

// unexplained removes the silence of a service whose callers are all silent, because it receives no calls. Callers
// that it calls itself do not count.
func (r *ranking) unexplained(evidence []Evidence) []Evidence {
	silent := map[string]bool{}
	for _, e := range evidence {
		if e.Aspect == Silence {
			silent[e.Service] = true
		}
	}
	if len(silent) == 0 {
		return evidence
	}
	return slices.DeleteFunc(slices.Clone(evidence), func(e Evidence) bool {
		if e.Aspect != Silence || len(r.callers[e.Service]) == 0 {
			return false
		}
		below := reach(r.callees, []string{e.Service})
		return !slices.ContainsFunc(r.callers[e.Service], func(caller string) bool { return !silent[caller] || below[caller] })
	})
}

// suspect adds a service that has evidence.
func (r *ranking) suspect(service string) {
	if r.suspects[service] == nil {
		r.suspects[service] = &Suspect{Service: service}
		r.services = append(r.services, service)
	}
}

func (r *ranking) list() []Suspect {
	list := make([]Suspect, 0, len(r.services))
	for _, name := range r.services {
		s := r.suspects[name]
		if s.Score <= 0 {
			continue
		}
		slices.SortStableFunc(s.Evidence, func(a, b Evidence) int { return cmp.Compare(b.Surprise, a.Surprise) })
		s.Since = s.Evidence[0].Since
		for _, e := range s.Evidence {
			s.Since = min(s.Since, e.Since)
		}
		list = append(list, *s)
	}
	slices.SortStableFunc(list, func(a, b Suspect) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Since, b.Since))
	})
	return list
}

// add adds evidence with the part of it that is not explained.
func (s *Suspect) add(e Evidence, left float64) {
	if left > 0 {
		s.Score += left
		s.Evidence = append(s.Evidence, e)
	}
}

// behaviors adds, for each service, the behavior change that others explain least.
func (r *ranking) behaviors(list []Evidence) {
	best, left := map[string]Evidence{}, map[string]float64{}
	for _, e := range list {
		rest := Soften(e.Surprise) - r.explained(e)
		if rest > left[e.Service] {
			best[e.Service], left[e.Service] = e, rest
		}
	}
	for _, name := range r.services {
		r.suspects[name].add(best[name], left[name])
	}
}

// explained returns the part of a behavior change, in nats, that other services explain:
// callees by their novel behavior and, for a change of the mix, also callers by any change.
func (r *ranking) explained(e Evidence) float64 {
	var below, above float64
	for s := range reach(r.callees, e.Callees) {
		if s != e.Service {
			below = max(below, r.novel[s])
		}
	}
	if e.Aspect == Mix {
		for s := range reach(r.callers, []string{e.Service}) {
			if s != e.Service {
				above = max(above, r.novel[s], r.mixed[s])
			}
		}
	}
	return below + above
}

// strongest adds, for each service, the most surprising evidence.
func (r *ranking) strongest(list []Evidence) {
	best, count := map[string]Evidence{}, map[string]float64{}
	for _, e := range list {
		count[e.Service]++
		if b, ok := best[e.Service]; !ok || e.Surprise > b.Surprise {
			best[e.Service] = e
		}
	}
	for _, name := range r.services {
		if n := count[name]; n > 0 {
			r.suspects[name].add(best[name], Soften(best[name].Surprise-exact.Log(n)))
		}
	}
}

// network adds the time between services for both of each pair. A service that is slow in all pairs is to blame, not
// one that is slow in one pair.
func (r *ranking) network(list []Evidence) {
	type pair struct{ caller, callee string }
	var pairs []pair
	best, count := map[pair]Evidence{}, map[pair]float64{}
	for _, e := range list {
		p := pair{e.Service, e.Callee}
		if count[p]++; count[p] == 1 {
			pairs = append(pairs, p)
		}
		if b, ok := best[p]; !ok || e.Surprise > b.Surprise {
			best[p] = e
		}
	}
	score, shown := map[string]float64{}, map[string]Evidence{}
	for _, p := range pairs {
		e := best[p]
		weight := max(Soften(e.Surprise-exact.Log(count[p]))-doubt, -calm)
		for _, s := range [...]string{p.caller, p.callee} {
			score[s] += weight
			if b, ok := shown[s]; !ok || e.Surprise > b.Surprise {
				shown[s] = e
			}
		}
	}
	for _, name := range r.services {
		r.suspects[name].add(shown[name], score[name])
	}
}
