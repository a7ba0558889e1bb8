// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	_ "embed" // the page
	"html/template"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/plot"
)

// MaxRows bounds the rows of each table of a report.
const MaxRows = 500

//go:embed report.html
var reportText string

var reportPage = template.Must(template.New("report").Parse(reportText))

// Page is the content of a report. Truth and Incidents are nil if they are not shown. Call Draw before Summarize.
type Page struct {
	Title, Lead     string
	Facts           []Fact
	Failed          []string
	Truth           *Table
	Incidents       *Table
	Series          Table
	PlotsNote       string
	Drawings        []drawing
	HasTruthWindows bool
}

// Style is the style sheet of the drawings.
func (Page) Style() template.CSS { return plot.Style }

// Legend explains the drawings.
func (Page) Legend() template.HTML { return plot.Legend }

// Fact is a figure with its label.
type Fact struct{ Label, Value string }

// Table is a table of the page. The cells of the first Words columns are text, the others numbers.
type Table struct {
	Heads []string
	Words int
	Rows  []Row
	Note  string
}

// Row is a row of a Table. Link is the number of its plot, or 0.
type Row struct {
	Cells []string
	Link  int
}

// Write writes report.html into a folder.
func (p Page) Write(dir string) error {
	var b bytes.Buffer
	if err := reportPage.Execute(&b, p); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "report.html"), b.Bytes(), 0o600)
}

// Facts lists the figures of a summary.
func Facts(s backtest.Summary) []Fact {
	list := []Fact{{"judged", Count(s.Judged)}, {"openings", Count(s.Openings)}}
	if s.Judged > 0 {
		list = append(list, Fact{"worst score", plot.Short(s.Worst)})
	}
	if !s.First.IsZero() {
		list = append(list, Fact{"from (UTC)", Moment(s.First)}, Fact{"to (UTC)", Moment(s.Last)})
	}
	return list
}

// Fail lists errors.
func (p *Page) Fail(errs []error) {
	for _, err := range errs {
		p.Failed = append(p.Failed, err.Error())
	}
}

// Draw adds a plot of each picture.
func (p *Page) Draw(pictures []Picture) {
	for i, picture := range pictures {
		p.Drawings = append(p.Drawings, picture.draw(i+1))
	}
	if len(pictures) == MaxPictures {
		p.PlotsNote = "The " + strconv.Itoa(MaxPictures) + " with the greatest scores."
	}
}

// Summarize adds the table of all series, with links to the plots. what is the head of the name column.
func (p *Page) Summarize(what string, list []backtest.Summary) {
	t := Table{Heads: []string{what, "points", "openings", "worst score", "worst at (UTC)", "from (UTC)", "to (UTC)"}, Words: 1}
	rated := backtest.Total(list).FalseAlarms > 0
	if rated {
		t.Heads = append(t.Heads, "expected false alarms per week")
	}
	plots := map[string]int{}
	for _, d := range p.Drawings {
		plots[d.Name] = d.ID
	}
	for _, s := range list[:min(len(list), MaxRows)] {
		cells := []string{s.Name, Count(s.Judged), Count(s.Openings), "–", "–", "–", "–"}
		if s.Judged > 0 {
			cells[3], cells[4] = plot.Short(s.Worst), Moment(s.WorstAt)
		}
		if !s.First.IsZero() {
			cells[5], cells[6] = Moment(s.First), Moment(s.Last)
		}
		if rated {
			cells = append(cells, plot.Short(s.FalseAlarms))
		}
		t.Rows = append(t.Rows, Row{cells, plots[s.Name]})
	}
	t.NoteRest(len(list))
	p.Series = t
}

// NoteRest notes the number of omitted rows.
func (t *Table) NoteRest(all int) {
	if all > len(t.Rows) {
		t.Note = "The first " + Count(len(t.Rows)) + " of " + Count(all) + "."
	}
}

// Moment formats a time in UTC, to the second.
func Moment(t time.Time) string { return t.UTC().Format(time.DateTime) }

// Count formats an integer with digits in groups of three.
func Count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}
