// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/golden"
)

// TestScenarios plays testdata/*.txt. testdata/README.md explains the commands.
func TestScenarios(t *testing.T) {
	golden.Files(t, "testdata/*.txt", func(t *testing.T, text string) string {
		t.Helper()
		s := &scenario{T: t, tracker: New(DefaultConfig())}
		return golden.Play(text, s.do)
	})
}

type scenario struct {
	*testing.T
	tracker *Tracker
}

// Names of kinds and templates in scenarios.
var kindNames = map[string]Kind{"internal": KindInternal, "server": KindServer, "client": KindClient, "producer": KindProducer, "consumer": KindConsumer}

func (s *scenario) do(words []string) []string {
	s.Helper()
	switch args := words[1:]; words[0] {
	case "bounds":
		cfg := Config{Operations: s.number(args[0]), Edges: s.number(args[1]), Spans: s.number(args[2]), Hold: time.Duration(s.number(args[3])) * time.Second}
		require.NoError(s, cfg.Validate())
		s.tracker = New(cfg)
	case "span":
		span := s.span(args)
		s.tracker.Observe(&span)
	case "log":
		s.tracker.Log(traceID(args[0]), spanID(args[1]), uint64(s.number(args[2])), s.time(args[3]))
	case "line":
		s.tracker.Line(args[0], uint64(s.number(args[1])), s.time(args[2]))
	case "advance":
		s.tracker.Advance(s.time(args[0]))
	case "settle":
		s.tracker.join.settle(s.tracker.finishing)
	case "operations":
		return s.operations()
	case "status":
		st := s.tracker.Status()
		return []string{fmt.Sprintf("%d spans, %d repeated, %d late, %d forgotten; %d operations, %d edges, %d waiting",
			st.Spans, st.Repeated, st.Late, st.Forgotten, st.Operations, st.Edges, st.Waiting)}
	case "windows":
		return s.windows()
	default:
		s.Fatalf("unknown command %q", words[0])
	}
	return nil
}

// span parses `TRACE ID PARENT SERVICE/NAME KIND START+MS [failed] [peer=SYSTEM:NAME]`.
func (s *scenario) span(args []string) Span {
	service, name, _ := strings.Cut(args[3], "/")
	start, length, _ := strings.Cut(args[5], "+")
	x := Span{Trace: traceID(args[0]), ID: spanID(args[1]), Parent: spanID(args[2]), Service: service, Name: name, Kind: kindNames[args[4]], Start: s.time(start)}
	x.End = x.Start + s.time(length)/1000
	for _, word := range args[6:] {
		if peer, ok := strings.CutPrefix(word, "peer="); ok {
			x.Peer.System, x.Peer.Name, _ = strings.Cut(peer, ":")
		} else {
			x.Error = word == "failed"
		}
	}
	return x
}

func (s *scenario) operations() (lines []string) {
	byHash := map[uint64]int32{}
	for i, o := range s.tracker.operations {
		if o != nil {
			byHash[o.hash] = int32(i)
		}
	}
	for _, o := range s.tracker.operations {
		if o == nil {
			continue
		}
		self, ways := o.between(s.tracker.learned, slotOf(s.tracker.now)+1)
		lines = append(lines, fmt.Sprintf("%s/%s self %.1f ms of %.0f", o.Service, o.Name, seconds(self)*1000, self.n))
		for _, w := range ways.list {
			lines = append(lines, fmt.Sprintf("  %.0f × %s", w.n, s.way(o, w.key, byHash)))
		}
	}
	for _, e := range s.tracker.edgeOrder {
		net := e.between(s.tracker.learned, slotOf(s.tracker.now)+1)
		caller, callee := s.tracker.operations[e.caller], s.tracker.operations[e.callee]
		lines = append(lines, fmt.Sprintf("%s → %s calls %d, network %.1f ms of %.0f", caller.Service, callee.Service, e.calls, seconds(net)*1000, net.n))
	}
	return lines
}

// way describes a way.
func (s *scenario) way(o *operation, way uint64, byHash map[uint64]int32) string {
	if !o.sets() {
		return fmt.Sprintf("template %d", way)
	}
	if way == 0 {
		return "nothing"
	}
	var names []string
	for ; way != 0; way &= way - 1 {
		item := s.tracker.item(o, bits.TrailingZeros64(way), byHash)
		name := item.Operation.Service + "/" + item.Operation.Name
		switch {
		case item.Failed:
			name = "failed"
		case item == Item{}:
			name = "others"
		case item.Operation == Operation{}:
			name = fmt.Sprintf("template %d", item.Template)
		}
		if item.Least > 1 {
			name += fmt.Sprintf(" ≥ %d", item.Least)
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

func (s *scenario) windows() (lines []string) {
	s.tracker.Drain(func(w *Window) {
		lines = append(lines, fmt.Sprintf("%s/%s from %d: %d spans, p50 %.0f ms, self %.0f ms", w.Service, w.Name, w.Start/1e9, w.Count,
			w.Duration.Quantile(0.5)/1e6, w.Self.Quantile(0.5)/1e6))
	}, func(w *EdgeWindow) {
		lines = append(lines, fmt.Sprintf("%s → %s from %d: %d calls, p50 %.0f ms", w.Caller.Service, w.Callee.Service, w.Start/1e9, w.Network.Count(), w.Network.Quantile(0.5)/1e6))
	})
	return lines
}

func (s *scenario) number(word string) int {
	n, err := strconv.Atoi(word)
	require.NoError(s, err)
	return n
}

func (s *scenario) time(word string) int64 {
	v, err := strconv.ParseFloat(word, 64)
	require.NoError(s, err)
	return int64(v * 1e9)
}

func traceID(word string) (id [16]byte) {
	copy(id[8:], word)
	return id
}

func spanID(word string) (id [8]byte) {
	if word != "-" {
		n, err := strconv.ParseUint(word, 36, 64)
		if err != nil {
			panic(err)
		}
		binary.LittleEndian.PutUint64(id[:], n)
	}
	return id
}
