// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"slices"

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/backtest/report"
)

// page returns the report of a result.
func page(r *Result, g *report.Gallery) report.Page {
	sum := backtest.Total(r.Series)
	p := report.Page{
		Title: "Backtest of CSV files",
		Lead:  "Each series was evaluated independently, point by point, from earlier points only.",
		Facts: append([]report.Fact{{Label: "files", Value: report.Count(r.Files)}, {Label: "rows", Value: report.Count(sum.Rows)}}, report.Facts(sum)...),
	}
	p.Fail(r.Failed)
	if len(r.Assessments) > 0 {
		p.Truth, p.HasTruthWindows = &report.Table{Heads: AssessmentHeads(), Words: 1}, true
		for _, a := range append(slices.Clone(r.Assessments), Overall(r.Assessments)) {
			p.Truth.Rows = append(p.Truth.Rows, report.Row{Cells: a.Cells()})
		}
	}
	p.Draw(g.Worst())
	p.Summarize("series", r.Series)
	return p
}
