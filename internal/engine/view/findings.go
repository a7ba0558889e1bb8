// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package view

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/engine/snapshot"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Events holds anomalies and incidents that opened, changed, or closed.
type Events struct {
	Anomalies []*incident.Anomaly
	Incidents []*incident.Incident
}

// Companions holds the companion values of a series without a batch to write them to: a derived series, or a silent
// one whose companions must End. Time is that of its last point.
type Companions struct {
	Series       series.ID
	Resource     pcommon.Map
	Scope        pcommon.InstrumentationScope
	Attributes   pcommon.Map
	Metric, Unit string
	Statistic    string
	Time         pcommon.Timestamp
	End          bool
	// Values are in the order of vocabulary.Companions. They are unused at the end.
	Values [len(vocabulary.Companions)]float64
}

// Gauge is the state of one service. Time is its watermark.
type Gauge struct {
	Service string
	Time    pcommon.Timestamp
	// MaxScore is the greatest score since the last delivery, Open the number of
	// open anomalies, Rate the share of the service's series above 1.
	MaxScore float64
	Open     int64
	Rate     float64
	// Count is the total number of opened anomalies. Incidents is the number of open incidents of the service.
	// Lasting is the duration of the present incident in event time.
	Count     uint64
	Incidents int64
	Lasting   time.Duration
}

// Gauges holds the gauges of all services with new data since the last delivery, and the companions of series without
// a batch.
type Gauges struct {
	Services   []Gauge
	Companions []*Companions
}

// Persist writes or reads the companions. Their maps and scope must be allocated.
func (s *Companions) Persist(c *state.Codec) {
	c.Uint64((*uint64)(&s.Series))
	snapshot.Attributes(c, s.Resource)
	snapshot.Scope(c, s.Scope)
	snapshot.Attributes(c, s.Attributes)
	c.String(&s.Metric)
	c.String(&s.Unit)
	c.String(&s.Statistic)
	c.Uint64((*uint64)(&s.Time))
	c.Bool(&s.End)
	for i := range s.Values {
		c.Bits(&s.Values[i])
	}
}
