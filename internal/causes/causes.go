// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package causes

import (
	"errors"
	"time"

	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/trace"
)

// Config bounds an Accumulator.
type Config struct {
	Trace    trace.Config
	Topology topology.Config
	// Resources is the maximum number of pods or hosts times quantities.
	Resources int
}

// DefaultConfig returns bounds that are suitable for a gateway.
func DefaultConfig() Config {
	return Config{Trace: trace.DefaultConfig(), Topology: topology.DefaultConfig(), Resources: 8192}
}

// Validate returns an error for values out of range.
func (c Config) Validate() error {
	if c.Resources < 1 {
		return errors.New("resources must be at least 1")
	}
	return errors.Join(c.Trace.Validate(), c.Topology.Validate())
}

// Line is a log line. Trace and Span are zero if it was not logged within a span.
type Line struct {
	Service  string
	Trace    [16]byte
	Span     [8]byte
	Template uint64
	Time     int64
}

// Place names where a service runs, according to the attributes of a resource. Unknown names are empty.
type Place struct{ Pod, Node, Host, Deployment string }

// Accumulator collects evidence. It is not safe for concurrent use. Use New.
type Accumulator struct {
	cfg     Config
	tracker *trace.Tracker
	graph   *topology.Graph
	uses    resources
}

// New returns an empty Accumulator.
func New(cfg Config) *Accumulator {
	return &Accumulator{cfg: cfg, tracker: trace.New(cfg.Trace), graph: topology.New(cfg.Topology), uses: newResources(cfg.Resources)}
}

// Restart removes data with times, for example after a clock was set back. It keeps the graph of calls and
// placements.
func (a *Accumulator) Restart() {
	a.tracker, a.uses = trace.New(a.cfg.Trace), newResources(a.cfg.Resources)
}

// Span adds a span.
func (a *Accumulator) Span(s *trace.Span) { a.tracker.Observe(s) }

// Line adds a log line to its span, or otherwise to its service.
func (a *Accumulator) Line(l *Line) {
	if l.Span == [8]byte{} {
		a.tracker.Line(l.Service, l.Template, l.Time)
		return
	}
	a.tracker.Log(l.Trace, l.Span, l.Template, l.Time)
}

// Use adds the use of a quantity, such as CPU or memory, by an instance of a service. It is compared with the
// instance's own past.
func (a *Accumulator) Use(service, instance, quantity string, value float64, at int64) {
	a.uses.add(resource{service, instance, quantity}, value, at)
}

// Runs records where a service runs.
func (a *Accumulator) Runs(service string, p Place, at int64) {
	s := topology.ID{Kind: topology.Service, Name: service}
	a.graph.See(s, at)
	pod := topology.ID{Kind: topology.Pod, Name: p.Pod}
	a.graph.Relate(pod, s, at)
	a.graph.Relate(pod, topology.ID{Kind: topology.Node, Name: p.Node}, at)
	a.graph.Relate(s, topology.ID{Kind: topology.Host, Name: p.Host}, at)
	a.graph.Relate(pod, topology.ID{Kind: topology.Deployment, Name: p.Deployment}, at)
}

// Advance advances event time.
func (a *Accumulator) Advance(now int64) {
	a.tracker.Advance(now)
	a.link()
	a.graph.Forget(now)
}

// Windows yields the values of each operation in each ten seconds that have ended, once.
func (a *Accumulator) Windows(operation func(*trace.Window), edge func(*trace.EdgeWindow)) {
	a.tracker.Drain(operation, edge)
}

// Graph returns the graph of calls and placements. The caller must not change it.
func (a *Accumulator) Graph() *topology.Graph { return a.graph }

// Status returns the counters of the tracker.
func (a *Accumulator) Status() trace.Status { return a.tracker.Status() }

var peerKinds = map[string]topology.Kind{"database": topology.Database, "queue": topology.Queue, "external": topology.External}

// link adds the calls since the last time to the graph.
func (a *Accumulator) link() {
	service := func(op trace.Operation) topology.ID { return topology.ID{Kind: topology.Service, Name: op.Service} }
	a.tracker.Calls(
		func(c trace.Call) {
			a.graph.Call(service(c.Caller), service(c.Callee), c.Calls, time.Duration(c.Network), c.Used)
		},
		func(op trace.Operation, p trace.Peer, calls uint64, used int64) {
			if kind, ok := peerKinds[p.System]; ok {
				a.graph.Call(service(op), topology.ID{Kind: kind, Name: p.Name}, calls, 0, used)
			}
		})
}

var aspects = map[trace.Aspect]topology.Aspect{
	trace.Behavior: topology.Behavior, trace.Mix: topology.Mix, trace.SelfTime: topology.SelfTime, trace.Network: topology.Network,
}

// Blame ranks the services that may have caused what began at from, by the data until now, which should be within
// three minutes of from, and by additional evidence. Spans count once their children have had time to arrive. The
// Detail of an evidence is a trace.Finding or an Excess.
func (a *Accumulator) Blame(from, now int64, evidence []topology.Evidence) []topology.Suspect {
	a.link()
	return a.weigh(append(evidence, a.Evidence(from, now)...))
}

// Suspects ranks like Blame, but counts spans without waiting for their children. It serves single queries and
// changes nothing.
func (a *Accumulator) Suspects(from, now int64) []topology.Suspect {
	a.link()
	c := *a
	c.tracker = a.tracker.Settled()
	return a.weigh(c.Evidence(from, now))
}

// weigh ranks by evidence, after evidence from calls to peers was assigned to these.
func (a *Accumulator) weigh(evidence []topology.Evidence) []topology.Suspect {
	for i := range evidence {
		a.blamePeer(&evidence[i])
	}
	return a.graph.Rank(evidence)
}

// blamePeer assigns evidence from calls to a peer without telemetry to the peer: calls
// that take longer, or that fail in a new way.
func (a *Accumulator) blamePeer(e *topology.Evidence) {
	f, ok := e.Detail.(trace.Finding)
	if !ok {
		return
	}
	peer, ok := a.nodeOf(f.Peer)
	if ok && (f.Aspect == trace.SelfTime || f.Aspect == trace.Behavior && f.Up && (f.Failed || f.Item.Failed)) {
		e.Service, e.Callees = peer.Name, nil
	}
}

// Peer returns the callee of an operation's client spans, if it sends no telemetry itself.
func (a *Accumulator) Peer(op trace.Operation) (topology.ID, bool) {
	return a.nodeOf(a.tracker.Peer(op))
}

func (a *Accumulator) nodeOf(p trace.Peer) (topology.ID, bool) {
	kind, ok := peerKinds[p.System]
	return topology.ID{Kind: kind, Name: p.Name}, ok && !a.graph.Has(topology.ID{Kind: topology.Service, Name: p.Name})
}

// Evidence lists the behavior changes between two times, in nanoseconds since 1970.
func (a *Accumulator) Evidence(from, now int64) (evidence []topology.Evidence) {
	a.tracker.Findings(from, now, func(f *trace.Finding) {
		evidence = append(evidence, topology.Evidence{
			Aspect: aspects[f.Aspect], Service: f.Operation.Service, Callee: f.Callee.Service,
			Surprise: f.Surprise, Callees: f.Callees, Since: f.Since, Detail: *f,
		})
	})
	a.uses.excesses(from, now, func(service string, e Excess) {
		evidence = append(evidence, topology.Evidence{Aspect: topology.Resource, Service: service, Surprise: e.Surprise, Since: e.Since, Detail: e})
	})
	return evidence
}

// Rank returns the suspects of a list of evidence, ranked on the graph.
func (a *Accumulator) Rank(evidence []topology.Evidence) []topology.Suspect {
	a.link()
	return a.graph.Rank(evidence)
}
