// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"
	"slices"
	"strconv"

	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/template"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// maxParams bounds the watched numbers of one template, maxServiceParams those of all templates of a service.
	maxParams, maxServiceParams = 3, 200
)

// logParam is one number in the lines of a template.
type logParam struct {
	Slot   int
	Number window.Number
	Mark   mark
}

// take takes the numbers of a line of the template.
func (known *logTemplate) take(params []template.Param, room *int) {
	for _, p := range params {
		if p.Nth != 0 {
			continue
		}
		i := slices.IndexFunc(known.Params, func(q logParam) bool { return q.Slot == p.Slot })
		if i < 0 {
			if len(known.Params) >= maxParams || *room >= maxServiceParams {
				continue
			}
			*room++
			i = len(known.Params)
			known.Params = append(known.Params, logParam{Slot: p.Slot})
		}
		known.Params[i].Number.Add(p.Value)
	}
}

// closeParams judges the quantiles of the numbers of a template.
func (e *Engine) closeParams(l *logs, id template.ID, known *logTemplate, t int64) {
	for i := range known.Params {
		p := &known.Params[i]
		if p.Number.Measures() {
			p50, p95 := math.NaN(), math.NaN()
			if p.Number.Values.Sorted() {
				p50 = p.Number.Values.Quantile(0.5)
			}
			if p.Number.Values.Seen >= leastP95 {
				p95 = p.Number.Values.Quantile(0.95)
			}
			st := e.derive(&derived{
				signal: SignalLogs, service: l.service, metric: vocabulary.MetricLogParameter, stats: parameterStats,
				attributes: []attribute{{vocabulary.AttrParameter, strconv.Itoa(p.Slot + 1)}, {vocabulary.AttrTemplateID, idText(id)}},
			}, t, p50, p95)
			p.Mark = mark{}
			for j := 0; st != nil && j < len(st.series); j++ {
				if s := &st.series[j]; e.tracker.Open(uint64(s.id)) {
					p.Mark = mark{Score: max(1, p.Mark.Score, s.last.score), Reason: "parameter " + strconv.Itoa(p.Slot+1) + " of this template is not as expected"}
				}
			}
		}
		p.Number.Values.Reset()
	}
}

// mark returns the mark for the records of a template.
func (known *logTemplate) mark() mark {
	m := known.Mark
	for i := range known.Params {
		if known.Params[i].Mark.Score > m.Score {
			m = known.Params[i].Mark
		}
	}
	return m
}

var parameterStats = []meter.Statistic{meter.P50, meter.P95}
