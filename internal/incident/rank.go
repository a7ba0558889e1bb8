// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

const (
	// headStart is the greatest delay at which a party that became anomalous after another
	// one may still explain it. Series have different cadences.
	headStart = 2 * time.Minute
	// lateNats is subtracted from the unexplained evidence of a party, in nats, for each
	// minute between the first anomaly of all parties and its own, for at most lateMinutes.
	lateNats, lateMinutes = 1.0, 5.0
	// leastLeft is the share of its own evidence that a party always keeps.
	leastLeft = 0.1
	// explains is the share of the evidence of others that counts for the party that explains it.
	explains = 0.25
)

// Node is a party with its own evidence in nats: more is less likely by chance.
// Each channel is explained in its own direction.
type Node struct {
	Service string
	// Trouble is the evidence for slowness, errors, and everything in no other channel. It passes to callers.
	Trouble float64
	// Load is the evidence for more calls than usual. It passes to callees.
	Load float64
	// Lack is the evidence for fewer calls than usual, or none. It passes to callees that nothing else calls.
	Lack float64
	// Beside is evidence that no other party explains. Gone reports that the party has stopped sending telemetry.
	Beside float64
	Gone   bool
	// Since is the time of its first anomaly. Until is the time at which the last one ended, zero if one is open.
	Since, Until time.Time
}

// own returns the evidence from anomalies.
func (n *Node) own() float64 { return n.Trouble + n.Load + n.Lack }

// lacks returns the evidence for missing calls, in nats, that the party can explain in its callees.
func (n *Node) lacks() float64 {
	if n.Gone {
		return n.Lack + n.Beside
	}
	return n.Lack
}

// Ranked is a node with its weight.
type Ranked struct {
	Node
	// Left is the evidence against the party that no other one explains.
	Left float64
	// Total is Left and the share of the evidence against others that the party explains.
	Total float64
}

// ranking is the state of one call of Rank.
type ranking struct {
	graph *Graph
	nodes []Node
}

// Rank orders nodes by their total weight, most likely cause first. A party is explained by one that it depends on,
// one that loads it, or ones that no longer call it, if that was anomalous no later and had not ended before. No
// party explains more than the weight of its own evidence. Ties are ordered by time, then by name.
func Rank(nodes []Node, g *Graph) []Ranked {
	r := ranking{graph: g, nodes: nodes}
	list := make([]Ranked, len(nodes))
	if len(nodes) == 0 {
		return list
	}
	first := slices.MinFunc(nodes, func(a, b Node) int { return a.Since.Compare(b.Since) }).Since
	for i := range nodes {
		n := &nodes[i]
		late := float64(lateNats * min(lateMinutes, n.Since.Sub(first).Minutes()))
		list[i] = Ranked{Node: *n, Left: max(float64(leastLeft*n.own()), r.left(n)-late) + n.Beside}
	}
	for i := range list {
		list[i].Total = list[i].Left + float64(explains*r.credit(&list[i]))
	}
	slices.SortFunc(list, func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), a.Since.Compare(b.Since), strings.Compare(a.Service, b.Service))
	})
	return list
}

// left returns the evidence of a node without the part that others explain.
func (r *ranking) left(n *Node) float64 {
	var below, loaded float64
	depends, callers := r.graph.below(n.Service), r.graph.above(n.Service)
	for i := range r.nodes {
		o := &r.nodes[i]
		if o.Service == n.Service || !o.inTime(n) {
			continue
		}
		if depends[o.Service] {
			below = max(below, o.passes())
		}
		if callers[o.Service] && n.Load > 0 {
			loaded = max(loaded, o.Load)
		}
	}
	return max(0, n.Trouble-max(below, loaded)) + max(0, n.Load-loaded) + max(0, n.Lack-max(below, r.unasked(n)))
}

// passes returns the evidence, in nats, that a node can explain in its dependents.
func (n *Node) passes() float64 {
	weight := n.Trouble + n.Beside
	if n.Gone {
		weight += n.Lack
	}
	return weight
}

// unasked returns the missing calls of a node, in nats, that its callers explain because all of them lack calls, too. It is 0 if one does not.
func (r *ranking) unasked(n *Node) float64 {
	if r.graph == nil {
		return 0
	}
	least := 0.0
	for k, caller := range r.graph.callers[n.Service] {
		i := slices.IndexFunc(r.nodes, func(o Node) bool { return o.Service == caller })
		if i < 0 || !r.nodes[i].inTime(n) {
			return 0
		}
		if weight := r.nodes[i].lacks(); k == 0 || weight < least {
			least = weight
		}
	}
	return least
}

// inTime reports whether a node was anomalous early enough and long enough to explain another.
func (n *Node) inTime(other *Node) bool {
	return !n.Since.After(other.Since.Add(headStart)) && (n.Until.IsZero() || !n.Until.Before(other.Since))
}

// credit returns the sum of the evidence against others that a party explains, in nats. Each counts up to n.Left.
func (r *ranking) credit(n *Ranked) (sum float64) {
	for i := range r.nodes {
		o := &r.nodes[i]
		if o.Service == n.Service || !n.inTime(o) {
			continue
		}
		switch {
		case r.graph.below(o.Service)[n.Service]:
			sum += min(n.Left, o.Trouble)
		case n.Load > 0 && r.graph.above(o.Service)[n.Service]:
			sum += min(n.Left, o.Load)
		}
	}
	return sum
}

// shows returns the node that depends on most others, which is where users notice the incident. Of several, it
// returns the first that was anomalous.
func shows(nodes []Node, g *Graph) string {
	best, most := Node{}, -1
	for _, n := range nodes {
		if n.own() == 0 {
			continue // it has no visible symptom
		}
		below, count := g.below(n.Service), 0
		for _, other := range nodes {
			if other.Service != n.Service && below[other.Service] {
				count++
			}
		}
		if count > most || count == most && cmp.Or(n.Since.Compare(best.Since), strings.Compare(n.Service, best.Service)) < 0 {
			best, most = n, count
		}
	}
	return best.Service
}
