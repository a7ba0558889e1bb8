// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/engine/deed"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/trace"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// behaviorSpan is the latest interval of event time, in nanoseconds, whose behavior is compared with
	// the service's earlier behavior: a minute, and the time that spans wait for their children.
	behaviorSpan = int64(75e9)
	// behaviorWindows is the number of consecutive windows whose behavior spans overlap.
	behaviorWindows = uint64(behaviorSpan / window.Length)
	// behaviorWarmUp is the number of closed windows with spans that a service needs before its behavior is judged.
	behaviorWarmUp = 20
)

// deedKind is a series that a service has of what it does otherwise.
type deedKind struct {
	metric  string
	aspects []topology.Aspect
	// exact states that surprises come from counts of spans, whose distribution is known however
	// young the series is. The age of the series limits other surprises (deed.Supported).
	exact bool
}

var deedKinds = [...]deedKind{
	{vocabulary.MetricBehavior, []topology.Aspect{topology.Behavior, topology.Mix, topology.Silence}, true},
	{vocabulary.MetricCost, []topology.Aspect{topology.SelfTime, topology.Resource, topology.Network}, false},
}

// behave judges the behavior changes of every service once for each window: missing
// calls, new errors, and lost time, even where calls are rare. It judges within
// minutes of the first span, long before the series of operations are warm.
func (e *Engine) behave(t int64) {
	if t < e.causality.behaved+window.Length {
		return
	}
	e.causality.behaved = t
	evidence := append(e.vanished(time.Unix(0, t)), e.causality.causes.Evidence(t-behaviorSpan, t)...)
	var names []string
	for _, s := range e.spans.All() {
		if s.Closed >= behaviorWarmUp {
			names = append(names, s.service)
		}
	}
	slices.Sort(names)
	for _, kind := range deedKinds {
		of := slices.DeleteFunc(slices.Clone(evidence), func(ev topology.Evidence) bool { return !slices.Contains(kind.aspects, ev.Aspect) })
		suspects := e.causality.causes.Rank(of)
		for _, name := range names {
			i := slices.IndexFunc(suspects, func(s topology.Suspect) bool { return s.Service == name })
			if i < 0 {
				e.judgeDeeds(&kind, t, topology.Suspect{Service: name})
			} else {
				e.judgeDeeds(&kind, t, suspects[i])
			}
		}
	}
}

// judgeDeeds judges what one service does otherwise.
func (e *Engine) judgeDeeds(kind *deedKind, t int64, of topology.Suspect) {
	st, fresh := e.next(&derived{signal: SignalBehavior, service: of.Service, metric: kind.metric, stats: valueStats}, t)
	if !fresh {
		return
	}
	s := e.bareSeries(st)
	p := detect.Judgment{Surprise: max(0, min(of.Score, mostSurprise)), Upper: -math.Log(detect.OutsideP)}
	if !kind.exact {
		p.Surprise = deed.Supported(p.Surprise, s.n)
	}
	if of.Score > 0 {
		p.Kind = detect.KindHigh
	}
	e.conclude(st, s, t, of.Score, p, derivedOutput, exemplars{deeds: of.Evidence})
	e.showDerived(st, s)
	if !e.tracker.Open(uint64(s.id)) {
		return
	}
	for i := range of.Evidence {
		ev := &of.Evidence[i]
		if f, ok := ev.Detail.(trace.Finding); ok {
			m := spanMark{mark{Score: max(1, s.last.score), Reason: of.Service + ": " + deed.Words(of.Service, ev)}, f.Failed}
			e.tell(f.Operation, m, t)
			if ev.Aspect == topology.Network {
				e.tell(f.Callee, m, t)
			}
		}
	}
}
