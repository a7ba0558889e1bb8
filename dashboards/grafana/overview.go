// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package grafana

// OverviewFile is the name of the dashboard's file in this folder.
const OverviewFile = "overview.json"

var source = datasource{Type: "prometheus", UID: "${" + varDatasource + "}"}

// Overview is the dashboard that one opens first: which services are anomalous,
// then one series with what was expected of it, then Auspex itself.
func Overview() Dashboard {
	d := Dashboard{
		Title: "Auspex: overview", UID: "auspex-overview", Tags: []string{"auspex"}, SchemaVersion: schemaVersion,
		Description: "Anomalies that Auspex found. A score of 1 is the threshold that the false-alarm budget sets.",
		Editable:    true, GraphTooltip: 1, Refresh: "30s", Time: timeRange{From: "now-1h", To: "now"},
		Templating: templating{List: []variable{
			{Name: varDatasource, Label: "Prometheus", Type: "datasource", Query: "prometheus"},
			choice(varService, "Service", service, serviceNames),
			choice(varMetric, "Metric", metric, metricNames),
			choice(varStatistic, "Statistic", stat, statisticNames),
		}},
	}
	d.row("Services", 7,
		figure("Open anomalies", "Series that are anomalous now.", openNow, warnFrom(1)),
		worst(),
		series(10, "Open anomalies by service", "", openByService))
	d.row("", 7,
		threshold(series(12, "Highest score by service", "The highest score of any series of the service since the report before, every 15 seconds. 1 is the threshold.", scoreByService)),
		share(series(12, "Share of series above the threshold", "", rateByService)))
	d.row("Series: $service, $metric, $statistic", 9,
		interval(),
		threshold(series(8, "Scores of all series selected", "1 is the threshold.", seriesScores)))
	d.row("Auspex itself: needs the collector's own metrics, port 8888", 6,
		figure("α", "Chance per decision that the policy accepts. It follows from each signal's share of the false-alarm budget and its decisions a day.", ownAlpha, nil),
		figure("Series watched", "", ownSeries, nil),
		figure("Points judged", "Since the first start that the state remembers.", ownPoints, nil),
		figure("Anomalies opened", "Since the first start that the state remembers.", ownAnomalies, nil),
		series(8, "Data points that could not be judged", "They pass all the same.", ownRefused))
	return d
}

// row appends panels side by side, under a head unless title is empty.
func (d *Dashboard) row(title string, height int, panels ...*Panel) {
	y := 0
	if n := len(d.Panels); n > 0 {
		last := d.Panels[n-1].GridPos
		y = last.Y + last.H
	}
	if title != "" {
		open := false
		d.add(&Panel{Type: "row", Title: title, Collapsed: &open, GridPos: gridPos{H: 1, W: 24, Y: y}})
		y++
	}
	x := 0
	for _, p := range panels {
		p.GridPos.X, p.GridPos.Y, p.GridPos.H = x, y, height
		x += p.GridPos.W
		d.add(p)
	}
}

func (d *Dashboard) add(p *Panel) {
	p.ID = len(d.Panels) + 1
	d.Panels = append(d.Panels, p)
}

// choice is a variable whose values are those of a label in a query's results.
func choice(name, title, label string, q Query) variable {
	return variable{
		Name: name, Label: title, Type: "query", Datasource: &source, Refresh: 2, Sort: 1,
		Query: variableQuery{Query: "query_result(" + q.Expr + ")", RefID: q.ID}, Regex: "/" + label + `="([^"]+)"/`,
	}
}

func panel(kind string, width int, title, about string, queries ...Query) *Panel {
	p := &Panel{Type: kind, Title: title, Description: about, GridPos: gridPos{W: width}, Datasource: &source, FieldConfig: &fieldConfig{Overrides: []override{}}}
	for i, q := range queries {
		p.Targets = append(p.Targets, target{
			RefID: string(rune('A' + i)), Expr: q.Expr, LegendFormat: q.Legend, Instant: q.Instant, Range: !q.Instant, Datasource: &source, query: q,
		})
	}
	return p
}

// figure shows one number.
func figure(title, about string, q Query, limits *thresholds) *Panel {
	p := panel("stat", 4, title, about, q)
	p.FieldConfig.Defaults = defaults{Thresholds: limits, Color: &color{Mode: "thresholds"}}
	if limits == nil {
		p.FieldConfig.Defaults.Color = &color{Mode: "fixed", FixedColor: "text"}
	}
	p.Options = reduce{ReduceOptions: calcs{Calcs: []string{"lastNotNull"}}, ColorMode: "value", GraphMode: "none"}
	return p
}

// worst shows the services with the highest scores.
func worst() *Panel {
	p := panel("bargauge", 10, "Worst services", "The highest score of each service in the time range.", worstServices)
	p.FieldConfig.Defaults = defaults{Min: new(0.0), Thresholds: warnFrom(1), Color: &color{Mode: "thresholds"}}
	p.Options = reduce{ReduceOptions: calcs{Calcs: []string{"lastNotNull"}}, Orientation: "horizontal", DisplayMode: "basic"}
	return p
}

// series shows lines over time.
func series(width int, title, about string, queries ...Query) *Panel {
	p := panel("timeseries", width, title, about, queries...)
	p.FieldConfig.Defaults = defaults{Min: new(0.0), Custom: &custom{LineWidth: 1, ShowPoints: "auto"}}
	p.Options = lines{Legend: legend{DisplayMode: "list", Placement: "bottom", ShowLegend: true, Calcs: []string{}}, Tooltip: mode{"multi"}}
	return p
}

// interval shows a series over its prediction interval.
func interval() *Panel {
	p := series(16, "Observed and expected",
		"The selected series that scored highest in the time range. Without a fault 99 % of its points lie inside the prediction interval.",
		seriesUpper, seriesLower, seriesExpected, seriesObserved)
	p.FieldConfig.Defaults.Min = nil
	p.FieldConfig.Overrides = []override{
		line(seriesUpper, "blue", 0, property{"custom.fillBelowTo", seriesLower.Legend}, property{"custom.fillOpacity", 20}),
		line(seriesLower, "blue", 0),
		line(seriesExpected, "blue", 1, property{"custom.lineStyle", map[string]any{"fill": "dash", "dash": []int{6, 6}}}),
		line(seriesObserved, "orange", 2),
	}
	return p
}

// line sets the looks of one result.
func line(q Query, hue string, width int, more ...property) override {
	looks := []property{{"color", color{Mode: "fixed", FixedColor: hue}}, {"custom.lineWidth", width}}
	return override{Matcher: matcher{ID: "byName", Options: q.Legend}, Properties: append(looks, more...)}
}

// threshold draws a line at a score of 1.
func threshold(p *Panel) *Panel {
	p.FieldConfig.Defaults.Thresholds = warnFrom(1)
	p.FieldConfig.Defaults.Custom.ThresholdsStyle = &mode{"line"}
	return p
}

// share shows shares of 1 as per cent.
func share(p *Panel) *Panel {
	p.FieldConfig.Defaults.Unit, p.FieldConfig.Defaults.Max = "percentunit", new(1.0)
	return p
}

// warnFrom is green below v and red from v.
func warnFrom(v float64) *thresholds {
	return &thresholds{Mode: "absolute", Steps: []step{{Color: "green"}, {Color: "red", Value: new(v)}}}
}
