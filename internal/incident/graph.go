// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"math"
	"slices"

	"github.com/auspex-otel/auspex/internal/topology"
)

const (
	// nearHops is the greatest distance, in calls, of two services whose anomalies belong
	// together. A service between them may hide the fault that passes through it.
	nearHops = 2
	// farHops bounds the search for a path from the symptom of an incident to a suspect.
	farHops = 8
)

// Graph holds the known relations of services. Its nodes include peers, such as databases,
// and hosts, by name: the metrics of a host are those of a service with its name.
type Graph struct {
	callees, callers map[string][]string
	hosts            map[string][]string
	namespaces       map[string]string
	kinds            map[string]PartyKind
	reached, raised  map[string]map[string]bool // results of below and above
}

// NewGraph returns a graph of known calls and placements, and the service.namespace of services.
func NewGraph(edges []topology.Edge, namespaces map[string]string) *Graph {
	g := &Graph{
		callees: map[string][]string{}, callers: map[string][]string{}, hosts: map[string][]string{}, namespaces: namespaces,
		kinds: map[string]PartyKind{}, reached: map[string]map[string]bool{}, raised: map[string]map[string]bool{},
	}
	pods, nodes := map[string][]string{}, map[string][]string{} // services and nodes by pod
	for _, e := range edges {
		g.know(e.From)
		g.know(e.To)
		switch {
		case e.Calls > 0:
			g.callees[e.From.Name] = append(g.callees[e.From.Name], e.To.Name)
			g.callers[e.To.Name] = append(g.callers[e.To.Name], e.From.Name)
		case e.From.Kind == topology.Service && e.To.Kind == topology.Host:
			g.hosts[e.From.Name] = append(g.hosts[e.From.Name], e.To.Name)
		case e.From.Kind == topology.Pod && e.To.Kind == topology.Service:
			pods[e.From.Name] = append(pods[e.From.Name], e.To.Name)
		case e.From.Kind == topology.Pod && e.To.Kind == topology.Node:
			nodes[e.From.Name] = append(nodes[e.From.Name], e.To.Name)
		}
	}
	for pod, services := range pods {
		for _, s := range services {
			g.hosts[s] = append(g.hosts[s], nodes[pod]...)
		}
	}
	for _, m := range [...]map[string][]string{g.callees, g.callers, g.hosts} {
		for name := range m {
			slices.Sort(m[name])
			m[name] = slices.Compact(m[name])
		}
	}
	return g
}

var partyKinds = map[topology.Kind]PartyKind{
	topology.Service: Service, topology.Database: Database, topology.Queue: Queue, topology.External: Unknown, topology.Host: Host, topology.Node: Host,
}

// KindOf returns the kind of party of a node of the service graph.
func KindOf(kind topology.Kind) PartyKind { return partyKinds[kind] }

// know records the kind of a name. The name of a service has no other kind.
func (g *Graph) know(id topology.ID) {
	if kind, ok := partyKinds[id.Kind]; ok && g.kinds[id.Name] != Service {
		g.kinds[id.Name] = kind
	}
}

// kind returns the kind of the party with a name, or Unknown.
func (g *Graph) kind(name string) PartyKind {
	if g != nil {
		if kind, ok := g.kinds[name]; ok {
			return kind
		}
	}
	return Unknown
}

// near returns a function that reports whether simultaneous anomalies of this service and
// of another one belong together. They do if
//
//   - at most two calls lie between them, calls to a shared database or queue included;
//   - one is the host that the other runs on;
//   - no calls of either are known, and both have the same namespace.
//
// Services on one host do not belong together for that reason alone: otherwise half a
// cluster would.
func (g *Graph) near(service string) func(other string) bool {
	if g == nil {
		return func(other string) bool { return other == service }
	}
	around := map[string]bool{service: true}
	walk(service, nearHops, func(name string) [2][]string { return [2][]string{g.callees[name], g.callers[name]} }, func(name string, _ int) {
		around[name] = true
	})
	for _, host := range g.hosts[service] {
		around[host] = true
	}
	return func(other string) bool {
		if around[other] || slices.Contains(g.hosts[other], service) {
			return true
		}
		return !g.connected(service) && !g.connected(other) && g.namespaces[service] != "" && g.namespaces[service] == g.namespaces[other]
	}
}

func (g *Graph) connected(name string) bool { return len(g.callees[name])+len(g.callers[name]) > 0 }

// depends returns the callees and the hosts of a service.
func (g *Graph) depends(name string) [2][]string {
	return [2][]string{g.callees[name], g.hosts[name]}
}

// distances returns the distance, in hops, from a service to each of its dependencies within farHops. It is 0 for the service itself.
func (g *Graph) distances(from string) map[string]int {
	if g == nil {
		return map[string]int{from: 0}
	}
	found := map[string]int{}
	walk(from, farHops, g.depends, func(name string, hops int) {
		found[name] = hops
	})
	return found
}

// below returns the direct and indirect dependencies of a service.
func (g *Graph) below(name string) map[string]bool {
	if g == nil {
		return nil
	}
	return closure(g.reached, name, g.depends)
}

// above returns the direct and indirect callers of a service.
func (g *Graph) above(name string) map[string]bool {
	if g == nil {
		return nil
	}
	return closure(g.raised, name, func(name string) [2][]string { return [2][]string{g.callers[name]} })
}

// closure returns all names that are reached from a name, including itself. It caches the result.
func closure(found map[string]map[string]bool, name string, next func(string) [2][]string) map[string]bool {
	if seen := found[name]; seen != nil {
		return seen
	}
	seen := map[string]bool{}
	found[name] = seen
	walk(name, math.MaxInt, next, func(name string, _ int) {
		seen[name] = true
	})
	return seen
}

// walk visits a name and all names that are reached from it in at most the given number of steps, nearest first.
func walk(from string, most int, next func(string) [2][]string, visit func(name string, hops int)) {
	seen, ring := map[string]bool{from: true}, []string{from}
	for hops := 0; len(ring) > 0; hops++ {
		var outer []string
		for _, at := range ring {
			visit(at, hops)
			for _, list := range next(at) {
				for _, name := range list {
					if !seen[name] && hops < most {
						seen[name] = true
						outer = append(outer, name)
					}
				}
			}
		}
		ring = outer
	}
}
