// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"time"

	"github.com/auspex-otel/auspex/internal/causes"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/trace"
)

const (
	// blameBefore is how long before its first anomaly an incident may have begun,
	// blameFor for how long after it is asked who is to blame. Evidence reaches back as far as both.
	blameBefore, blameFor = time.Minute, 3 * time.Minute
	// maxBlamed bounds the incidents that are asked about at once: in a storm of them there is no telling.
	maxBlamed = 20
)

// blame tells every young incident what services did otherwise in its time.
func (e *Engine) blame() {
	if e.reached == 0 {
		return // nothing is known of what services do
	}
	reached := time.Unix(0, e.reached)
	asked := 0
	for _, id := range e.tracker.Young(reached.Add(-blameFor)) {
		if asked++; asked > maxBlamed {
			return
		}
		opened := e.tracker.OpenedAt(id)
		var list []incident.Cause
		for _, s := range e.causes.Blame(opened.Add(-blameBefore).UnixNano(), e.reached) {
			list = append(list, incident.Cause{Service: s.Service, Surprise: -s.Score, What: deed(&s.Evidence[0]), Since: time.Unix(0, s.Since).UTC()})
		}
		e.tracker.Blame(id, reached.UTC(), list)
	}
}

// deed says in words what a service does otherwise.
func deed(ev *topology.Evidence) string {
	switch d := ev.Detail.(type) {
	case trace.Finding:
		switch ev.Aspect {
		case topology.Network:
			return "its calls to " + ev.Callee + " take longer on the way"
		case topology.SelfTime:
			return "its " + d.Operation.Name + " takes longer by itself"
		case topology.Behaviour:
			return "its " + d.Operation.Name + " does what it never did"
		default:
			return "its " + d.Operation.Name + " does other things than before"
		}
	case causes.Excess:
		return "its " + d.Instance + " uses more " + d.Quantity
	default:
		return "it behaves otherwise"
	}
}
