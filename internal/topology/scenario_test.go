// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/golden"
)

// TestScenarios plays testdata/*.txt. testdata/README.md explains the commands.
func TestScenarios(t *testing.T) {
	golden.Files(t, "testdata/*.txt", func(t *testing.T, text string) string {
		t.Helper()
		straight := play(t, text, false)
		assert.Equal(t, straight, play(t, text, true), "a graph that is saved and restored after every command gives the same answers")
		return straight
	})
}

// play runs a scenario and returns it with its answers. If restore is set, the graph is saved and restored after every command.
func play(t *testing.T, text string, restore bool) string {
	t.Helper()
	s := &scenario{T: t, graph: New(DefaultConfig())}
	return golden.Play(text, func(words []string) []string {
		answers := s.do(words)
		if restore {
			b, err := s.graph.AppendBinary(nil)
			require.NoError(t, err)
			s.graph = New(s.graph.cfg)
			require.NoError(t, s.graph.UnmarshalBinary(b))
		}
		return answers
	})
}

type scenario struct {
	*testing.T
	graph    *Graph
	evidence []Evidence
}

func (s *scenario) do(words []string) []string {
	s.Helper()
	switch args := words[1:]; words[0] {
	case "bounds":
		cfg := Config{Nodes: s.number(args[0]), Edges: s.number(args[1]), Forget: time.Duration(s.number(args[2])) * time.Second}
		require.NoError(s, cfg.Validate())
		s.graph = New(cfg)
	case "see":
		s.graph.See(s.id(args[0]), s.at(args[1]))
	case "call":
		s.graph.Call(s.id(args[0]), s.id(args[1]), 1, time.Millisecond, s.at(args[2]))
	case "relate":
		s.graph.Relate(s.id(args[0]), s.id(args[1]), s.at(args[2]))
	case "forget":
		s.graph.Forget(s.at(args[0]))
	case "related":
		kind := s.id(args[1] + ":x").Kind
		return list(s.graph.Related(s.id(args[0]), kind))
	case "graph":
		return s.print()
	case "behavior", "mix", "self", "resource", "network", "silence":
		s.add(words[0], args)
	case "rank":
		defer func() { s.evidence = nil }()
		return s.rank()
	default:
		s.Fatalf("unknown command %q", words[0])
	}
	return nil
}

// add parses `behavior SERVICE SURPRISE SINCE [CALLEE …]`, or `network CALLER CALLEE SURPRISE SINCE`.
func (s *scenario) add(aspect string, args []string) {
	e := Evidence{Aspect: map[string]Aspect{"behavior": Behavior, "mix": Mix, "self": SelfTime, "resource": Resource, "network": Network, "silence": Silence}[aspect], Service: args[0]}
	if e.Aspect == Network {
		e.Callee, args = args[1], args[1:]
	}
	surprise, err := strconv.ParseFloat(args[1], 64)
	require.NoError(s, err)
	e.Surprise, e.Since, e.Callees = surprise, s.at(args[2]), args[3:]
	s.evidence = append(s.evidence, e)
}

func (s *scenario) rank() (lines []string) {
	for _, x := range s.graph.Rank(s.evidence) {
		lines = append(lines, fmt.Sprintf("%s %.1f since %d, %d evidence", x.Service, x.Score, x.Since/1e9, len(x.Evidence)))
	}
	return lines
}

func (s *scenario) print() (lines []string) {
	nodes, edges, forgotten := s.graph.Size()
	lines = append(lines, fmt.Sprintf("%d nodes, %d edges, %d forgotten", nodes, edges, forgotten))
	for _, e := range s.graph.Edges() {
		lines = append(lines, fmt.Sprintf("%s → %s calls %d, %v, %d to %d", name(e.From), name(e.To), e.Calls, e.Network, e.First/1e9, e.Last/1e9))
	}
	return lines
}

func (s *scenario) number(word string) int {
	n, err := strconv.Atoi(word)
	require.NoError(s, err)
	return n
}

func (s *scenario) at(word string) int64 { return int64(s.number(word)) * 1e9 }

var kinds = []string{"", "service", "database", "queue", "external", "pod", "node", "host", "deployment"}

func (s *scenario) id(word string) ID {
	kind, name, ok := strings.Cut(word, ":")
	if !ok {
		return ID{Service, word}
	}
	for i, k := range kinds {
		if k == kind {
			return ID{Kind(i), name}
		}
	}
	s.Fatalf("unknown kind %q", kind)
	return ID{}
}

func name(id ID) string { return kinds[id.Kind] + ":" + id.Name }

func list(ids []ID) (lines []string) {
	for _, id := range ids {
		lines = append(lines, name(id))
	}
	return lines
}
