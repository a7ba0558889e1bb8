// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"maps"
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/judge"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Templates returns the templates of log records that are counted, by service and id.
func (l *Logs) Templates() (list []view.Template) {
	for _, s := range l.services.All() {
		for _, id := range slices.Sorted(maps.Keys(s.Templates)) {
			known := s.Templates[id]
			info, ok := l.miner.Lookup(id)
			if !ok || info.ID != id {
				continue // it has become a part of another one
			}
			d := judge.Derived{
				Signal: budget.Logs, Service: s.name, Metric: vocabulary.MetricLogRecords, Unit: recordUnit,
				Attributes: []judge.Attribute{{Key: vocabulary.AttrTemplateID, Value: idText(id)}},
			}
			list = append(list, view.Template{
				ID: idText(id), Service: s.name, Text: info.Template, Example: info.Example, Count: info.Count,
				First: time.Unix(0, known.First).UTC(), Last: time.Unix(0, known.Last).UTC(), Now: time.Unix(0, s.window.End).UTC(),
				Established: known.Windows >= window.Established, Score: known.Mark.Score, Reason: known.Mark.Reason,
				Series: d.ID().Join(series.Number(uint64(meter.Count))).String(),
			})
		}
	}
	return list
}
