// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package deed

import (
	"github.com/auspex-otel/auspex/internal/causes"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/trace"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Gone is the evidence detail for a service that sends no telemetry.
type Gone struct{}

// Words describes the behavior change of a service, or of a peer that it calls. The
// detail of the evidence must be a Gone, a trace.Finding, or a causes.Excess.
func Words(of string, ev *topology.Evidence) string {
	switch d := ev.Detail.(type) {
	case Gone:
		return "it sends no telemetry"
	case trace.Finding:
		return ofSpans(of, ev, &d)
	case causes.Excess:
		return "its " + d.Instance + " uses " + vocabulary.Number(d.Observed) + " of " + d.Quantity + ", usually " + vocabulary.Number(d.Expected)
	default:
		return "its behavior changed"
	}
}

// ofSpans describes the behavior change in the spans of an operation.
func ofSpans(of string, ev *topology.Evidence, f *trace.Finding) string {
	name := "its " + f.Operation.Name
	switch {
	case f.Operation.Name == "":
		name = "it" // of the service as a whole
	case of != f.Operation.Service && of != ev.Callee: // a peer
		name = f.Operation.Service + "'s " + f.Operation.Name
	}
	switch ev.Aspect {
	case topology.Network:
		takes := " on the way, usually " + seconds(f.Expected)
		if of == ev.Callee {
			return "calls from " + ev.Service + " to it take " + seconds(f.Observed) + takes
		}
		return "its calls to " + ev.Callee + " take " + seconds(f.Observed) + takes
	case topology.SelfTime:
		itself := " by itself"
		if k := f.Operation.Kind; k == trace.KindClient || k == trace.KindProducer {
			itself = "" // the delay is on another machine
		}
		return name + " takes " + seconds(f.Observed) + itself + ", usually " + seconds(f.Expected)
	default:
		return name + " " + behavior(ev.Aspect, f)
	}
}

// behavior describes the change in the behavior of an operation.
func behavior(aspect topology.Aspect, f *trace.Finding) string {
	share := func(v float64) string { return vocabulary.Number(float64(100*v)) + " %" }
	var what string
	switch {
	case f.Item.Failed:
		what = "fails in"
	case f.Item.Operation.Name != "":
		what = "calls " + f.Item.Operation.Name + " in"
	case f.Item.Template != 0:
		what = "logs another line in"
		if !f.Up {
			what = "logs a usual line in"
		}
	case aspect == topology.Behavior:
		return "shows a new behavior"
	default:
		return "shows a changed mix of behaviors"
	}
	return what + " " + share(f.Observed) + " of its calls, usually " + share(f.Expected)
}

// seconds formats a duration in seconds.
func seconds(v float64) string {
	return vocabulary.MeasureOf(&incident.Anomaly{Subject: incident.Subject{Unit: "s"}, Observed: v}).Text(v)
}
