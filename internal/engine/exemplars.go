// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/trace"
)

// exemplars holds the sources of the example traces of a judged point. The traces are
// looked up only for points that are reported, which are few.
type exemplars struct {
	point *ref                // of metrics, nil while something else is judged
	op    *operation          // the operation whose calls are judged, or nil
	deeds []topology.Evidence // of a behavior change
}

// mostExemplars bounds the traces of one point.
const mostExemplars = 3

// traces lists the ids, in hexadecimal digits.
func (e *Engine) traces(x exemplars) (ids []string) {
	add := func(id pcommon.TraceID) {
		if !id.IsEmpty() && len(ids) < mostExemplars {
			ids = append(ids, id.String())
		}
	}
	if x.point != nil {
		for _, one := range meter.Exemplars(x.point.metric, x.point.Point).All() {
			add(one.TraceID())
		}
	}
	if x.op != nil {
		x.op.witnesses.Each(add)
	}
	for _, ev := range x.deeds {
		if f, ok := ev.Detail.(trace.Finding); ok {
			if op := e.operationOf(f.Operation); op != nil {
				op.witnesses.Each(add)
			}
		}
	}
	return ids
}
