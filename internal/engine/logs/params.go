// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"math"
	"slices"
	"strconv"

	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/judge"
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
	Mark   judge.Mark
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
func (l *Logs) closeParams(s *service, id template.ID, known *logTemplate, t int64) {
	for i := range known.Params {
		p := &known.Params[i]
		if p.Number.Measures() {
			p50, p95 := math.NaN(), math.NaN()
			if p.Number.Values.Sorted() {
				p50 = p.Number.Values.Quantile(0.5)
			}
			if p.Number.Values.Seen >= window.LeastP95 {
				p95 = p.Number.Values.Quantile(0.95)
			}
			judged := l.judge.Derive(&judge.Derived{
				Signal: budget.Logs, Service: s.name, Metric: vocabulary.MetricLogParameter, Statistics: parameterStats, Context: l,
				Attributes: []judge.Attribute{{Key: vocabulary.AttrParameter, Value: strconv.Itoa(p.Slot + 1)}, {Key: vocabulary.AttrTemplateID, Value: idText(id)}},
			}, t, p50, p95)
			p.Mark = judge.Mark{}
			for j := range judged.Series() {
				if a, open := judged.Open(j); open {
					p.Mark = judge.Mark{Score: max(p.Mark.Score, a.Score), Reason: "parameter " + strconv.Itoa(p.Slot+1) + " of this template is not as expected"}
				}
			}
		}
		p.Number.Values.Reset()
	}
}

// mark returns the mark for the records of a template.
func (known *logTemplate) mark() judge.Mark {
	m := known.Mark
	for i := range known.Params {
		if known.Params[i].Mark.Score > m.Score {
			m = known.Params[i].Mark
		}
	}
	return m
}

var parameterStats = []meter.Statistic{meter.P50, meter.P95}
