// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/auspex-otel/auspex/internal/topology"
)

func called(pairs ...[2]string) *Graph {
	var edges []topology.Edge
	for _, p := range pairs {
		edges = append(edges, topology.Edge{From: topology.ID{Kind: topology.Service, Name: p[0]}, To: topology.ID{Kind: topology.Service, Name: p[1]}, Calls: 1})
	}
	return NewGraph(edges, nil)
}

func TestRank(t *testing.T) {
	node := func(name string, surprise, minutes float64) Node {
		return Node{Service: name, Trouble: surprise, Since: start.Add(time.Duration(minutes * float64(time.Minute)))}
	}
	beside := func(n Node, nats float64) Node {
		n.Beside = nats
		return n
	}
	chain := called([2]string{"a", "b"}, [2]string{"b", "c"})
	for name, tt := range map[string]struct {
		graph *Graph
		nodes []Node
		want  string
	}{
		"nothing":                               {chain, nil, "[]"},
		"the deepest explains all":              {chain, []Node{node("a", 50, 0), node("b", 40, 0), node("c", 30, 0)}, "[c:30 b:10 a:10]"},
		"over one that is as usual":             {chain, []Node{node("a", 50, 0), node("c", 30, 0)}, "[c:30 a:20]"},
		"much stranger than what it calls":      {chain, []Node{node("a", 90, 0), node("c", 30, 0)}, "[a:60 c:30]"},
		"the callee was strange later":          {chain, []Node{node("a", 50, 0), node("c", 30, 3)}, "[a:50 c:27]"},
		"a little later still explains":         {chain, []Node{node("a", 50, 0), node("c", 30, 2)}, "[c:28 a:20]"},
		"without a graph the strangest":         {nil, []Node{node("a", 30, 0), node("c", 50, 0)}, "[c:50 a:30]"},
		"of nearly equal ones the earlier":      {nil, []Node{node("a", 30, 2), node("c", 29, 0)}, "[c:29 a:28]"},
		"lateness does not speak without end":   {nil, []Node{node("a", 50, 60), node("c", 30, 0)}, "[a:45 c:30]"},
		"equal ones by name":                    {nil, []Node{node("c", 30, 0), node("a", 30, 0)}, "[a:30 c:30]"},
		"those that call each other, stranger":  {called([2]string{"a", "b"}, [2]string{"b", "a"}), []Node{node("a", 30, 0), node("b", 40, 0)}, "[b:10 a:3]"},
		"beside, and nothing else":              {chain, []Node{node("a", 50, 0), beside(node("c", 0, 0), 40)}, "[c:40 a:10]"},
		"beside, of one that is explained":      {chain, []Node{beside(node("a", 50, 0), 30), node("c", 60, 0)}, "[c:60 a:35]"},
		"one that calls itself":                 {called([2]string{"a", "a"}), []Node{node("a", 30, 0)}, "[a:30]"},
		"what two call is to blame, not either": {called([2]string{"a", "db"}, [2]string{"b", "db"}), []Node{node("a", 30, 0), node("b", 30, 0), node("db", 25, 1)}, "[db:24 a:5 b:5]"},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // whatever order they come in
				got := make([]string, 0, len(tt.nodes))
				for _, r := range Rank(tt.nodes, tt.graph) {
					got = append(got, fmt.Sprintf("%s:%g", r.Service, r.Left))
				}
				assert.Equal(t, tt.want, fmt.Sprint(got))
				slices.Reverse(tt.nodes)
			}
		})
	}
}

// TestGraphOfPods verifies that the node of a pod counts as the node of its service.
func TestGraphOfPods(t *testing.T) {
	id := func(kind topology.Kind, name string) topology.ID { return topology.ID{Kind: kind, Name: name} }
	g := NewGraph([]topology.Edge{
		{From: id(topology.Pod, "cart-1"), To: id(topology.Service, "cart")},
		{From: id(topology.Pod, "cart-1"), To: id(topology.Node, "node7")},
		{From: id(topology.Pod, "cart-1"), To: id(topology.Deployment, "carts")},
		{From: id(topology.Pod, "mail-1"), To: id(topology.Node, "node7")},
	}, nil)
	assert.True(t, g.near("cart")("node7"))
	assert.True(t, g.near("node7")("cart"))
	assert.False(t, g.near("cart")("carts"))
	assert.Equal(t, map[string]int{"cart": 0, "node7": 1}, g.distances("cart"))
	assert.Equal(t, map[string]int{"node7": 0}, g.distances("node7"))
}

func TestChangesAreBounded(t *testing.T) {
	var c Changes
	second := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	for i := range maxChanged + 1 {
		c.See(fmt.Sprintf("s%05d", i), ChangeVersion, "1", second(i))
	}
	assert.Len(t, c.services, maxChanged-maxChanged/16+1)
	assert.NotContains(t, c.services, "s00000", "what was heard of longest ago goes")

	for i := range 3 * maxValues {
		c.See("busy", ChangeRestart, fmt.Sprint("pod", i), second(i))
	}
	assert.Len(t, c.services["busy"].Values[ChangeRestart], maxValues)
	assert.Len(t, c.services["busy"].List, maxChanges)
	assert.Equal(t, fmt.Sprint("pod", maxValues-1), c.Before("busy", second(maxValues))[0].What, "what finds no room is no change")
	c.See("busy", ChangeRestart, "later", second(4000))
	assert.Len(t, c.services["busy"].Values[ChangeRestart], maxValues)
	assert.Equal(t, "later", c.Before("busy", second(4000))[0].What, "until the others are stale")

	c.Happened("told", ChangeConfig, string(make([]byte, 5000)), second(0))
	assert.Len(t, c.Before("told", second(0))[0].What, maxChangeText)
	c.See("told", ChangeVersion, string(make([]byte, 5000)), second(0))
	assert.Empty(t, c.services["told"].Values)
	assert.True(t, c.valid())
}

func TestTracesOfAnomaliesAndIncidents(t *testing.T) {
	tracker := NewTracker()
	for i := range 8 {
		p := after(1, 10*i, 2+float64(i))
		p.TraceIDs = []string{fmt.Sprint("trace", i), fmt.Sprint("trace", i)}
		tracker.Observe(p, of("s", 1))
	}
	list := tracker.Incidents("")[0]
	assert.Equal(t, []string{"trace3", "trace4", "trace5", "trace6", "trace7"}, list.Anomalies[0].TraceIDs)
	assert.Equal(t, list.Anomalies[0].TraceIDs, list.TraceIDs)
}

// TestMergeOfManyIsDeterministic verifies that the order of map keys does not determine which of two incidents an
// anomaly joins.
func TestMergeOfManyIsDeterministic(t *testing.T) {
	var want []Incident
	for range 20 {
		tracker := NewTracker()
		for i := range uint64(30) {
			tracker.Observe(after(i, int(i%3), 2), of(fmt.Sprint("s", i), i))
		}
		var pairs [][2]string
		for i := range 30 {
			pairs = append(pairs, [2]string{"hub", fmt.Sprint("s", i)})
		}
		tracker.SetGraph(called(pairs...))
		tracker.Observe(after(99, 5, 2), of("hub", 99))
		_, incidents := tracker.News()
		if want == nil {
			want = incidents
		}
		assert.Equal(t, want, incidents)
		open := tracker.Incidents(StateOpen)
		assert.Len(t, open, 1)
		by, total := tracker.IncidentsBy()
		assert.Equal(t, 1, total)
		assert.Len(t, by, 31)
		assert.Equal(t, Load{1, start}, by["s7"])
		assert.Equal(t, 31, open[0].Count)
	}
}

// BenchmarkNewsOfAStorm measures News while two hundred of a thousand services are anomalous.
func BenchmarkNewsOfAStorm(b *testing.B) {
	b.ReportAllocs()
	tracker := NewTracker()
	var pairs [][2]string
	for i := range 1000 {
		for k := range 5 {
			pairs = append(pairs, [2]string{fmt.Sprint("s", i), fmt.Sprint("s", (i*7+k*13+1)%1000)})
		}
	}
	tracker.SetGraph(called(pairs...))
	for i := range uint64(200) {
		tracker.Observe(after(i, 0, 2), of(fmt.Sprint("s", i), i))
	}
	tracker.News()
	i := 0
	for b.Loop() {
		i++
		tracker.Observe(after(7, 10*i, 3+float64(i)), nil)
		tracker.News()
	}
}
