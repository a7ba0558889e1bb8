// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"bytes"
	_ "embed" // the page
	"html/template"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// maxReportRows bounds the rows of each table of a report.
const maxReportRows = 500

//go:embed report.html
var reportText string

var reportPage = template.Must(template.New("report").Parse(reportText))

// report is what the page shows.
type report struct {
	Title, Lead     string
	Facts           []fact
	Failed          []string
	Truth           *sheet
	Incidents       *sheet
	Series          sheet
	PlotsNote       string
	Drawings        []drawing
	HasTruthWindows bool
}

type fact struct{ Label, Value string }

// sheet is a table. The cells of the first Words columns are text, the others numbers.
type sheet struct {
	Heads []string
	Words int
	Rows  []sheetRow
	Note  string
}

// sheetRow is a row of a table. Link is the number of its plot, or 0.
type sheetRow struct {
	Cells []string
	Link  int
}

// write writes report.html into a folder.
func (r report) write(dir string) error {
	var b bytes.Buffer
	if err := reportPage.Execute(&b, r); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "report.html"), b.Bytes(), 0o600)
}

func csvReport(c *CSVResult, g *gallery) report {
	sum := Total(c.Files)
	r := report{
		Title: "Backtest of CSV files",
		Lead:  "Each file was judged by itself, as if a collector had watched it and nothing else, point by point and without a look ahead.",
		Facts: append([]fact{{"files", count(len(c.Files))}, {"rows", count(sum.Rows)}}, sum.facts()...),
	}
	r.fail(c.Failed)
	if len(c.Assessments) > 0 {
		all := append(append([]Assessment(nil), c.Assessments...), Overall(c.Assessments))
		r.Truth, r.HasTruthWindows = &sheet{Heads: AssessmentHeads(), Words: 1}, true
		for _, a := range all {
			r.Truth.Rows = append(r.Truth.Rows, sheetRow{Cells: a.Cells()})
		}
	}
	r.draw(g.worst())
	r.Series = r.summarise("file", c.Files)
	return r
}

func otlpReport(o *OTLPResult, pictures []picture) report {
	sum := Total(o.Series)
	r := report{
		Title: "Backtest of OTLP",
		Lead:  "All files were judged together in event time, point by point and without a look ahead.",
		Facts: append([]fact{
			{"files", count(o.Files)},
			{"data points", count(o.Points)},
			{"series", count(len(o.Series))},
			{"anomalies", count(len(o.Anomalies))},
			{"incidents", count(len(o.Incidents))},
		}, sum.facts()...),
	}
	r.fail(o.Failed)
	r.Incidents = incidentSheet(o)
	r.draw(pictures)
	r.Series = r.summarise("series", o.Series)
	return r
}

func (s Summary) facts() []fact {
	list := []fact{{"judged", count(s.Judged)}, {"openings", count(s.Openings)}}
	if s.Judged > 0 {
		list = append(list, fact{"worst score", short(s.Worst)})
	}
	if !s.First.IsZero() {
		list = append(list, fact{"from (UTC)", moment(s.First)}, fact{"to (UTC)", moment(s.Last)})
	}
	return list
}

func (r *report) fail(errs []error) {
	for _, err := range errs {
		r.Failed = append(r.Failed, err.Error())
	}
}

func (r *report) draw(pictures []picture) {
	for i, p := range pictures {
		r.Drawings = append(r.Drawings, p.draw(i+1))
	}
	if len(pictures) == maxPictures {
		r.PlotsNote = "The " + strconv.Itoa(maxPictures) + " with the greatest scores."
	}
}

// summarise makes the table of all series, with links to their plots.
func (r *report) summarise(what string, list []Summary) sheet {
	t := sheet{Heads: []string{what, "points", "openings", "worst score", "worst at (UTC)", "from (UTC)", "to (UTC)"}, Words: 1}
	plots := map[string]int{}
	for _, d := range r.Drawings {
		plots[d.Name] = d.ID
	}
	for _, s := range list[:min(len(list), maxReportRows)] {
		cells := []string{s.Name, count(s.Judged), count(s.Openings), "–", "–", "–", "–"}
		if s.Judged > 0 {
			cells[3], cells[4] = short(s.Worst), moment(s.WorstAt)
		}
		if !s.First.IsZero() {
			cells[5], cells[6] = moment(s.First), moment(s.Last)
		}
		t.Rows = append(t.Rows, sheetRow{cells, plots[s.Name]})
	}
	t.note(len(list))
	return t
}

func (t *sheet) note(all int) {
	if all > len(t.Rows) {
		t.Note = "The first " + count(len(t.Rows)) + " of " + count(all) + "."
	}
}

func incidentSheet(o *OTLPResult) *sheet {
	t := &sheet{Heads: []string{"incident", "service", "state", "first suspect", "opened (UTC)", "closed (UTC)", "anomalies", "worst score"}, Words: 4}
	for _, i := range o.Incidents[:min(len(o.Incidents), maxReportRows)] {
		closed, suspect := "–", "–"
		if !i.Closed.IsZero() {
			closed = moment(i.Closed)
		}
		if len(i.Suspects) > 0 {
			suspect = i.Suspects[0].Service + ": " + i.Suspects[0].Evidence.Metric
			if i.Suspects[0].Evidence.ID == "" {
				suspect = vocabulary.Evidence(&i.Suspects[0])
			}
		}
		t.Rows = append(t.Rows, sheetRow{Cells: []string{
			i.ID, i.Service, string(i.State), suspect, moment(i.Opened), closed, count(len(i.Anomalies)), short(i.MaxScore),
		}})
	}
	t.note(len(o.Incidents))
	return t
}

func moment(t time.Time) string { return t.UTC().Format(time.DateTime) }

// count writes a whole number with its digits in groups of three.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}
