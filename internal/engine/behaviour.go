// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/calibration"
	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// behaviourSpan is how far back, from the latest event time, a service's behaviour is
	// compared with what it was before: a minute, and the time that spans wait for their children.
	behaviourSpan = int64(75e9)
	// behaviourWarmUp is how many windows of a service's spans must have closed before its behaviour is judged.
	behaviourWarmUp = 20
)

// behave judges what every service does otherwise than before, once for each
// window: a call that is missing, an error that is new, time that is lost, be it
// ever so seldom. It speaks within minutes of the first span, long before the
// series of operations do.
func (e *Engine) behave(t int64) {
	if t < e.behaved+windowLength {
		return
	}
	e.behaved = t
	suspects := e.causes.Blame(t-behaviourSpan, t, e.vanished(time.Unix(0, t)))
	var names []string
	for _, s := range e.spans.All() {
		if s.Closed >= behaviourWarmUp {
			names = append(names, s.service)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		score := 0.0
		e.deeds = nil
		if i := slices.IndexFunc(suspects, func(s topology.Suspect) bool { return s.Service == name }); i >= 0 {
			score, e.deeds = suspects[i].Score, suspects[i].Evidence
		}
		st, fresh := e.next(&derived{signal: SignalBehaviour, service: name, metric: vocabulary.MetricBehaviour, stats: valueStats}, t)
		if !fresh {
			continue
		}
		s := e.bareSeries(st)
		p := detect.Surprise{LogP: calibration.Humble(max(-score, leastLogP), s.n), Upper: -math.Log(detect.BandP)}
		if score > 0 {
			p.Kind = detect.KindHigh
		}
		e.conclude(st, s, t, score, p, derivedOutput)
		e.showDerived(st, s)
	}
	e.deeds = nil
}
