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
	// headStart is how much later than its caller a service may have become strange
	// and still explain it: series come at different cadences.
	headStart = 2 * time.Minute
	// lateNats is what each minute that a service became strange after the first one
	// speaks for it, in nats, over at most lateMinutes.
	lateNats, lateMinutes = 1.0, 5.0
)

// Node is a service with what is strange about it.
type Node struct {
	Service string
	// Surprise is what speaks against it, in nats: more is less likely by chance.
	Surprise float64
	// Beside is what speaks against it beside that and is explained by nothing, in nats.
	Beside float64
	// Since is when it became strange.
	Since time.Time
}

// Ranked is a node and what is left of its surprise.
type Ranked struct {
	Node
	// Left is what neither what it depends on nor its being late explains, and what is beside. Without the latter it may be negative.
	Left float64
}

// Rank orders nodes by what is left of their surprise, the likeliest cause
// first: the strangest of those that a service depends on and that was strange no
// later explains it away, and who was strange earlier is likelier the cause. Those
// of equal rest are ordered by time, then by name.
func Rank(nodes []Node, g *Graph) []Ranked {
	list := make([]Ranked, len(nodes))
	if len(nodes) == 0 {
		return list
	}
	first := slices.MinFunc(nodes, func(a, b Node) int { return a.Since.Compare(b.Since) }).Since
	for i, n := range nodes {
		below, explained := g.below(n.Service), 0.0
		for _, other := range nodes {
			if other.Service != n.Service && below[other.Service] && !other.Since.After(n.Since.Add(headStart)) {
				explained = max(explained, other.Surprise+other.Beside)
			}
		}
		late := lateNats * min(lateMinutes, n.Since.Sub(first).Minutes())
		list[i] = Ranked{n, n.Surprise - explained - late}
		if n.Beside > 0 {
			list[i].Left = max(0, list[i].Left) + n.Beside
		}
	}
	slices.SortFunc(list, func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(b.Left, a.Left), a.Since.Compare(b.Since), strings.Compare(a.Service, b.Service))
	})
	return list
}

// shows is the node that depends on the most others: what people see of an
// incident. Of several the first that was strange.
func shows(nodes []Node, g *Graph) string {
	best, most := Node{}, -1
	for _, n := range nodes {
		if n.Surprise == 0 {
			continue // nothing of it is to be seen
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
