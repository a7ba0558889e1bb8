// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/charts"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/plot"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// reportCharts bounds the charts of a report, reportAround is how much of a chart lies before and after the anomaly.
	reportCharts, reportAround = 12, 30 * time.Minute
)

// file is an answer that a browser saves.
type file struct {
	name, media string
	body        []byte
}

// report answers an incident as one HTML file that needs nothing else.
func (a *api) report(e *engine.Engine, r *http.Request, _ url.Values) (any, error) {
	i, err := incidentOf(e, r)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := reportPage.Execute(&b, a.reportOf(i)); err != nil {
		return nil, fmt.Errorf("the report cannot be written, please report this: %w", err)
	}
	return file{"auspex-incident-" + i.ID + ".html", "text/html; charset=utf-8", b.Bytes()}, nil
}

// reportData holds the data of the report's template.
type reportData struct {
	incidentView
	Made    time.Time
	Version string
	Charts  []reportChart
	Rows    []reportSuspect
}

type reportChart struct {
	Title, Finding string
	SVG            template.HTML
}

type reportSuspect struct {
	Name string
	Odds string
	Says []string
}

func (a *api) reportOf(i incident.Incident) reportData {
	d := reportData{incidentView: viewOf(i), Made: time.Now().UTC(), Version: a.about.Version}
	for n := range i.Suspects {
		s := &i.Suspects[n]
		row := reportSuspect{Name: vocabulary.SuspectName(s)}
		for _, an := range append([]incident.Anomaly{s.Evidence}, s.Also...) {
			if an.ID != "" {
				row.Says = append(row.Says, d.Findings[an.ID])
			}
		}
		for _, c := range s.Causes {
			row.Says = append(row.Says, c.What)
		}
		row.Says = append(row.Says, d.Deeds[s.Name]...)
		d.Rows = append(d.Rows, row)
	}
	for _, an := range worst(i.Anomalies, reportCharts) {
		id, err := parseSeries(an.Series)
		if err != nil {
			continue
		}
		from, to := an.Opened.Add(-reportAround), an.Updated.Add(reportAround)
		points := a.charts.Points(uint64(id), from.UnixNano(), to.UnixNano(), defaultPoints)
		if len(points) < 2 {
			continue
		}
		m := vocabulary.MeasureOf(&an)
		c := reportChart{Title: an.Service + ": " + an.Metric + " " + strings.ReplaceAll(an.Statistic, "_", " "), Finding: d.Findings[an.ID]}
		c.SVG = chartOf(c.Title, points, an.Opened, m.Text).SVG(len(d.Charts) + 1)
		d.Charts = append(d.Charts, c)
	}
	return d
}

// chartOf returns the chart of points in which an anomaly opened. label writes a value.
func chartOf(name string, points []charts.Point, opened time.Time, label func(float64) string) plot.Chart {
	c := plot.Chart{Name: name, Label: label}
	for _, p := range points {
		drawn := plot.Point{
			Time: p.Time, Min: float64(p.Min), Max: float64(p.Max), Score: float64(p.Score),
			Expected: float64(p.Expected), Lower: float64(p.Lower), Upper: float64(p.Upper),
		}
		c.Points = append(c.Points, drawn)
		if len(c.Marks) == 0 && p.Time >= opened.UnixNano() {
			title := "opened " + opened.UTC().Format(time.DateTime) + ", value " + label(float64(p.Value))
			c.Marks = []plot.Mark{{Time: p.Time, Value: float64(p.Value), Title: title}}
		}
	}
	return c
}

// Style is the style sheet of the drawings.
func (reportData) Style() template.CSS { return plot.Style }

// Legend explains the drawings.
func (reportData) Legend() template.HTML { return plot.Legend }

// worst returns the anomalies with the greatest scores, one of each series, the greatest first.
func worst(list []incident.Anomaly, most int) []incident.Anomaly {
	seen, out := map[string]bool{}, []incident.Anomaly{}
	for _, a := range bySeverity(list) {
		if !seen[a.Series] && len(out) < most {
			seen[a.Series] = true
			out = append(out, a)
		}
	}
	return out
}

var reportPage = template.Must(template.New("report").Funcs(template.FuncMap{
	"at": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 MST") },
}).Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Incident {{.ID}}</title>
<style>
{{.Style}}
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; background: var(--page); color: var(--text); }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; } th, td { text-align: left; vertical-align: top; padding: .25rem 1rem .25rem 0; }
.muted { opacity: .75; } ul { margin: .25rem 0; padding-left: 1.2rem; } td { overflow-wrap: anywhere; }
</style>
<h1>Incident in {{.Service}}</h1>
<p>{{.Sentence}}</p>
<p class="muted">Id {{.ID}}. State: {{.State}}. Opened {{at .Opened}}, updated {{at .Updated}}{{if not .Closed.IsZero}}, closed {{at .Closed}}{{end}}. Greatest score {{printf "%.2f" .MaxScore}}; 1 is the threshold.</p>
<h2>Suspects, the likeliest first</h2>
<ol>{{range .Rows}}<li><strong>{{.Name}}</strong><ul>{{range .Says}}<li>{{.}}</li>{{end}}</ul></li>{{end}}</ol>
<h2>Worst series</h2>
{{if .Charts}}<div class="legend">
{{.Legend}}</div>{{end}}
{{range .Charts}}<figure><figcaption><b>{{.Title}}</b><span>{{.Finding}}</span></figcaption>{{.SVG}}</figure>{{else}}<p>There is no chart history of this time.</p>{{end}}
<h2>Anomalies, in the order of opening</h2>
<table><tr><th>Opened</th><th>Service</th><th>What</th><th>Score</th></tr>
{{range .Anomalies}}<tr><td>{{at .Opened}}</td><td>{{.Service}}</td><td>{{index $.Findings .ID}}</td><td>{{printf "%.1f" .MaxScore}}</td></tr>{{end}}
</table>
{{if .TraceIDs}}<h2>Traces</h2><ul>{{range .TraceIDs}}<li><code>{{.}}</code></li>{{end}}</ul>{{end}}
{{if .History}}<h2>History</h2><ul>{{range .History}}<li>{{at .Time}}: {{.What}}</li>{{end}}</ul>{{end}}
<p class="muted">Made by Auspex {{.Version}} at {{at .Made}}. Times are event times.</p>
</html>
`))
