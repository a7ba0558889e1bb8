// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/incident"
)

// Context holds the source of a point. The judge asks it only about points that it
// reports, which are few.
type Context interface {
	// Describe adds to the subject of an anomaly that opens what only the source knows.
	Describe(*incident.Subject)
	// Traces yields example traces of the point.
	Traces(add func(pcommon.TraceID))
}

// Describe adds nothing: the stream of a metric point has all that is known.
func (*Point) Describe(*incident.Subject) {}

// Traces yields the traces of the exemplars of the data point.
func (p *Point) Traces(add func(pcommon.TraceID)) {
	for _, one := range meter.Exemplars(p.Metric, p.Place.Point).All() {
		add(one.TraceID())
	}
}

// mostExemplars bounds the traces of one point.
const mostExemplars = 3

// traces lists the ids of the first example traces, in hexadecimal digits.
func traces(from Context) (ids []string) {
	from.Traces(func(id pcommon.TraceID) {
		if !id.IsEmpty() && len(ids) < mostExemplars {
			ids = append(ids, id.String())
		}
	})
	return ids
}
