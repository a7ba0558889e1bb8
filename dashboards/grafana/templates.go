// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package grafana

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// templates shows the log templates of a service, how often they occur, and their anomalies.
func templates() *dashboard.DashboardBuilder {
	template, id := attribute(vocabulary.AttrTemplate), attribute(vocabulary.AttrTemplateID)
	ofService := serviceField + `:"$` + varService + `"`
	all := ofService + " AND _exists_:" + id + " AND NOT " + eventField + ":*" // events about templates have these attributes as well
	one := all + " AND " + template + ":$" + varTemplate
	stacked := common.NewStackingConfigBuilder().Mode(common.StackingModeNormal)
	return board(uidTemplates, "log templates", "Log lines of one service, grouped by template: the line with its variable parts removed.",
		terms(varService, "Service", serviceField, "_exists_:"+id),
		terms(varTemplate, "Template", template, all).IncludeAll(true).AllValue("*").Current(dashboard.VariableOption{
			Selected: new(true), Text: choiceText("All"), Value: choiceText("$__all"),
		}),
	).
		WithPanel(curves(12, "Records by template", "The eight most frequent templates.",
			counts("A", all, by(template, 8), byTime()).Alias("{{term "+template+"}}")).
			Datasource(eventsSource).Height(9).DrawStyle(common.GraphDrawStyleBars).FillOpacity(60).Stacking(stacked)).
		WithPanel(curves(12, "Records by severity", "", counts("A", all, by("severity_text", 8), byTime()).Alias("{{term severity_text}}")).
			Datasource(eventsSource).Height(9).DrawStyle(common.GraphDrawStyleBars).FillOpacity(60).Stacking(stacked)).
		WithPanel(grid(12, "Templates", "The most frequent templates in the time range.", eventsSource,
			counts("A", all, by(template, 100)),
			column{template, "Template", 0, wrapped},
			column{"Count", "Records", 100, nil},
		).Height(10)).
		WithPanel(grid(12, "Anomalies in logs", "New templates, and templates that occur more or less often than expected.", eventsSource,
			documents("A", events(vocabulary.EventAnomaly, ofService+" AND "+attribute(vocabulary.AttrMetric)+":auspex.log.*"), 100),
			column{timeField, "Updated", 170, nil},
			column{attribute(vocabulary.AttrState), "State", 80, stateColors},
			column{bodyField, "What happened", 0, wrapped},
			column{attribute(vocabulary.MetricScore), "Score", 70, []property{{Id: "decimals", Value: 1}}},
			column{attribute(vocabulary.AttrIncidentID), "Incident", 160, []property{links(
				link("Details", boardOf(uidIncident, varIncident, "${__value.text}")), link("Console", "${"+varConsole+"}/incidents/${__value.text}"),
			)}},
		).Height(10)).
		WithPanel(records(24, "Log records", "Records of the selected template.", one).Height(10))
}
