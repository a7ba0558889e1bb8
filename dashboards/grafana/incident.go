// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package grafana

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/logs"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// wrapped breaks long text in the cells of a column into lines: in the setting of Grafana 11 and 12, and in that of Grafana 13.
var wrapped = []property{{Id: "custom.cellOptions", Value: map[string]any{"type": "auto", "wrapText": true}}, {Id: "custom.wrapText", Value: true}}

// incidents lists incidents that match a condition, one row each, with links.
func incidents(width, height uint32, condition string) *table.PanelBuilder {
	return grid(width, "Incidents", "One row for each incident that changed in the time range, the newest first.", eventsSource,
		documents("A", condition, 50),
		column{timeField, "Updated", 170, nil},
		column{attribute(vocabulary.AttrIncState), "State", 80, stateColors},
		column{attribute(vocabulary.AttrSuspect), "Likely cause", 150, []property{links(
			link("Series", boardOf(uidSeries, varService, "${__value.text}")), link("Log templates", boardOf(uidTemplates, varService, "${__value.text}")),
		)}},
		column{bodyField, "What happened", 0, wrapped},
		column{attribute(vocabulary.AttrAnomalyCount), "Anomalies", 90, nil},
		column{attribute(vocabulary.MetricMaxScore), "Score", 70, []property{{Id: "decimals", Value: 1}}},
		column{attribute(vocabulary.AttrIncidentID), "Id", 160, []property{links(
			link("Details", boardOf(uidIncident, varIncident, "${__value.text}")), link("Console", "${"+varConsole+"}/incidents/${__value.text}"),
		)}},
	).Height(height)
}

// stateColors colors open red and closed green.
var stateColors = []property{
	{Id: "custom.cellOptions", Value: map[string]any{"type": "color-text"}},
	{Id: "mappings", Value: []map[string]any{{"type": "value", "options": map[string]any{
		"open": map[string]any{"color": "red", "index": 0}, "closed": map[string]any{"color": "green", "index": 1},
	}}}},
}

// incident shows one incident: its causes, its anomalies, the scores of its services, and their log records.
func incident() *dashboard.DashboardBuilder {
	this := is(vocabulary.AttrIncidentID, "$"+varIncident)
	ofServices := "{" + service + `=~"${` + varService + `:regex}"}`
	return board(uidIncident, "incident", "One incident: likely causes, anomalies, and the affected services.",
		terms(varIncident, "Incident", attribute(vocabulary.AttrIncidentID), events(vocabulary.EventIncident, "")),
		terms(varService, "Services", attribute(vocabulary.AttrIncServices), events(vocabulary.EventIncident, this)).
			Multi(true).IncludeAll(true).Current(dashboard.VariableOption{
			Selected: new(true), Text: choiceText("All"), Value: choiceText("$__all"),
		}),
	).
		WithPanel(incidents(24, 6, events(vocabulary.EventIncident, this))).
		WithPanel(grid(24, "Evidence", "Suspects in order, the strongest evidence against each, changes within the preceding ten minutes, and the history of the incident.", eventsSource,
			documents("A", events(vocabulary.EventIncident, this), 1),
			column{attribute(vocabulary.AttrSuspects), "Suspects", 180, wrapped},
			column{attribute(vocabulary.AttrEvidence), "Evidence", 0, wrapped},
			column{attribute(vocabulary.AttrChanges), "Changes", 0, wrapped},
			column{attribute(vocabulary.AttrHistory), "History", 0, wrapped},
			column{attribute(vocabulary.AttrTraces), "Traces", 180, wrapped},
		).Height(9)).
		WithPanel(grid(24, "Anomalies", "Each update of an anomaly is a row. Select a trace id to open the trace.", eventsSource,
			documents("A", events(vocabulary.EventAnomaly, this), 100),
			column{timeField, "Updated", 170, nil},
			column{attribute(vocabulary.AttrState), "State", 80, stateColors},
			column{serviceField, "Service", 120, nil},
			column{attribute(vocabulary.AttrMetric), "Metric", 240, nil},
			column{attribute(vocabulary.AttrStatistic), "Statistic", 90, nil},
			column{bodyField, "What happened", 0, wrapped},
			column{attribute(vocabulary.MetricScore), "Score", 70, []property{{Id: "decimals", Value: 1}}},
			column{attribute(vocabulary.AttrAnomalyTraces), "Trace", 180, []property{links(link("Trace", traceOf()))}},
		).Height(9)).
		WithPanel(limit(curves(12, "Highest score of each affected service", "1 is the threshold.",
			over("A", "max by ("+service+") ("+Prometheus(vocabulary.MetricMaxScore)+ofServices+")", "{{"+service+"}}"))).Height(9)).
		WithPanel(records(12, "Log records of the affected services", "Records with a score or of severity ERROR and above.",
			serviceField+`:${`+varService+`:lucene} AND NOT `+eventField+`:* AND (severity_number:>=17 OR _exists_:`+attribute(vocabulary.MetricScore)+")").Height(9))
}

// choiceText returns the text or value of one option of a variable.
func choiceText(s string) dashboard.StringOrArrayOfString {
	return dashboard.StringOrArrayOfString{String: &s}
}

// records shows log records that match a condition, the newest first.
func records(width uint32, title, about, condition string) *logs.PanelBuilder {
	return logs.NewPanelBuilder().Title(title).Description(about).Span(width).Datasource(eventsSource).
		WithTarget(lines("A", condition, 200)).ShowTime(true).WrapLogMessage(true).EnableLogDetails(true).
		SortOrder(common.LogsSortOrderDescending).DedupStrategy(common.LogsDedupStrategyNone)
}

// states shows for each result when it was above 0.
func states(width uint32, title, about string, q query) *statetimeline.PanelBuilder {
	return statetimeline.NewPanelBuilder().Title(title).Description(about).Span(width).Datasource(metricsSource).WithTarget(q).
		MergeValues(true).ShowValue(common.VisibilityModeNever).RowHeight(.8).FillOpacity(80).
		Thresholds(warn()).ColorScheme(byThreshold())
}

func linksOf(list ...cog.Builder[dashboard.DashboardLink]) []cog.Builder[dashboard.DashboardLink] {
	return list
}
