// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/backtest/report"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/plot"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// page returns the report of a result.
func page(r *Result, pictures []report.Picture) report.Page {
	sum := backtest.Total(r.Series)
	p := report.Page{
		Title: "Backtest of OTLP",
		Lead:  "All files were evaluated together in event time, point by point, from earlier points only.",
		Facts: append([]report.Fact{
			{Label: "files", Value: report.Count(r.Files)},
			{Label: "data points", Value: report.Count(r.Points)},
			{Label: "series", Value: report.Count(len(r.Series))},
			{Label: "anomalies", Value: report.Count(len(r.Anomalies))},
			{Label: "incidents", Value: report.Count(len(r.Incidents))},
		}, report.Facts(sum)...),
		Incidents: incidentTable(r.Incidents),
	}
	p.Fail(r.Failed)
	p.Draw(pictures)
	p.Summarize("series", r.Series)
	return p
}

func incidentTable(list []*incident.Incident) *report.Table {
	t := &report.Table{Heads: []string{"incident", "service", "state", "first suspect", "opened (UTC)", "closed (UTC)", "anomalies", "worst score"}, Words: 4}
	for _, i := range list[:min(len(list), report.MaxRows)] {
		closed, suspect := "–", "–"
		if !i.Closed.IsZero() {
			closed = report.Moment(i.Closed)
		}
		if len(i.Suspects) > 0 {
			suspect = i.Suspects[0].Service + ": " + i.Suspects[0].Evidence.Metric
			if i.Suspects[0].Evidence.ID == "" {
				suspect = vocabulary.Evidence(&i.Suspects[0])
			}
		}
		t.Rows = append(t.Rows, report.Row{Cells: []string{
			i.ID, i.Service, string(i.State), suspect, report.Moment(i.Opened), closed, report.Count(len(i.Anomalies)), plot.Short(i.MaxScore),
		}})
	}
	t.NoteRest(len(list))
	return t
}
