// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package causes

import (
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/deed"
	"github.com/auspex-otel/auspex/internal/engine/judge"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/trace"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// behaviorSpan is the latest interval of event time, in nanoseconds, whose behavior is compared with
	// the service's earlier behavior: a minute, and the time that spans wait for their children.
	behaviorSpan = int64(judge.BehaviorWindows) * window.Length
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
func (c *Causes) behave(t int64) {
	if t < c.behaved+window.Length {
		return
	}
	c.behaved = t
	evidence := append(c.vanished(time.Unix(0, t)), c.accumulator.Evidence(t-behaviorSpan, t)...)
	names := c.operations.Warm()
	for _, kind := range deedKinds {
		of := slices.DeleteFunc(slices.Clone(evidence), func(ev topology.Evidence) bool { return !slices.Contains(kind.aspects, ev.Aspect) })
		suspects := c.accumulator.Rank(of)
		for _, name := range names {
			i := slices.IndexFunc(suspects, func(s topology.Suspect) bool { return s.Service == name })
			if i < 0 {
				c.judgeDeeds(&kind, t, topology.Suspect{Service: name})
			} else {
				c.judgeDeeds(&kind, t, suspects[i])
			}
		}
	}
}

// judgeDeeds judges what one service does otherwise.
func (c *Causes) judgeDeeds(kind *deedKind, t int64, of topology.Suspect) {
	d := judge.Derived{Signal: budget.Behavior, Service: of.Service, Metric: kind.metric, Statistics: valueStats}
	if len(of.Evidence) > 0 {
		d.Context = &source{causes: c, evidence: of.Evidence}
	}
	judged, fresh := c.judge.DeriveSurprise(&d, t, of.Score, func(n uint64) detect.Judgment {
		p := detect.Judgment{Surprise: max(0, min(of.Score, judge.MostSurprise)), Upper: -exact.Log(detect.OutsideP)}
		if !kind.exact {
			p.Surprise = deed.Supported(p.Surprise, n)
		}
		if of.Score > 0 {
			p.Kind = detect.KindHigh
		}
		return p
	})
	if !fresh {
		return
	}
	a, open := judged.Open(0)
	if !open {
		return
	}
	for i := range of.Evidence {
		ev := &of.Evidence[i]
		if f, ok := ev.Detail.(trace.Finding); ok {
			m := judge.Mark{Score: a.Score, Reason: of.Service + ": " + deed.Words(of.Service, ev)}
			c.operations.Mark(f.Operation, m, f.Failed, t)
			if ev.Aspect == topology.Network {
				c.operations.Mark(f.Callee, m, f.Failed, t)
			}
		}
	}
}

// valueStats are the statistics of a stream that has plain values.
var valueStats = []meter.Statistic{meter.Value}
