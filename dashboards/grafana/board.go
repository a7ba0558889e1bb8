// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package grafana

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Variables of the dashboards.
const (
	varMetrics   = "datasource"
	varEvents    = "elasticsearch"
	varLoki      = "loki"
	varTraces    = "traces"
	varConsole   = "console"
	varService   = "service"
	varMetric    = "metric"
	varStatistic = "statistic"
	varIncident  = "incident"
	varTemplate  = "template"
)

// UIDs of the dashboards, which links use.
const (
	uidOverview  = "auspex-overview"
	uidIncident  = "auspex-incident"
	uidSeries    = "auspex-series"
	uidTemplates = "auspex-log-templates"
	uidServices  = "auspex-services"
	uidSelf      = "auspex-self"
)

const tag = "auspex"

// board returns a dashboard with what all have in common: variables of the data sources and the console,
// links to the other dashboards, and incidents as annotations.
func board(uid, title, about string, variables ...cog.Builder[dashboard.VariableModel]) *dashboard.DashboardBuilder {
	d := dashboard.NewDashboardBuilder("Auspex: "+title).Uid(uid).Description(about).Tags([]string{tag}).
		Editable().Tooltip(dashboard.DashboardCursorSyncCrosshair).Refresh("30s").Time("now-1h", "now").
		WithVariable(source(varMetrics, "Prometheus", "prometheus")).
		WithVariable(source(varEvents, "Elasticsearch", "elasticsearch")).
		WithVariable(source(varLoki, "Loki", "loki").Hide(dashboard.VariableHideHideVariable)).
		WithVariable(source(varTraces, "Traces", "tempo")).
		WithVariable(dashboard.NewTextBoxVariableBuilder(varConsole).Label("Console").
			Description("Address of the collector's console, as your browser reaches it").
			DefaultValue(text("http://127.0.0.1:8899")))
	for _, v := range variables {
		d.WithVariable(v)
	}
	for _, a := range annotations() {
		d.Annotation(a)
	}
	return d.Link(dashboard.NewDashboardLinkBuilder("Auspex").Type(dashboard.DashboardLinkTypeDashboards).
		Tags([]string{tag}).AsDropdown(true).KeepTime(true).IncludeVars(false))
}

// text returns the string form of a variable's query.
func text(s string) dashboard.StringOrMap { return dashboard.StringOrMap{String: &s} }

// source returns a variable that selects a data source of one type.
func source(name, label, kind string) *dashboard.DatasourceVariableBuilder {
	return dashboard.NewDatasourceVariableBuilder(name).Label(label).Type(kind)
}

// choice returns a variable whose values are those of a label in the result of a PromQL expression.
func choice(name, title, label, expr string) cog.Builder[dashboard.VariableModel] {
	return dashboard.NewQueryVariableBuilder(name).Label(title).Datasource(metricsSource).
		Query(dashboard.StringOrMap{Map: map[string]any{"query": "query_result(" + expr + ")", "refId": "variable-" + name}}).
		Regex("/" + label + `="([^"]+)"/`).Refresh(dashboard.VariableRefreshOnTimeRangeChanged).Sort(dashboard.VariableSortAlphabeticalAsc)
}

// terms returns a variable whose values are those of a field in documents that match a condition.
func terms(name, title, field, condition string) *dashboard.QueryVariableBuilder {
	find := fmt.Sprintf(`{"find":"terms","field":%q,"query":%q,"size":500}`, field, condition)
	return dashboard.NewQueryVariableBuilder(name).Label(title).Datasource(eventsSource).
		Query(text(find)).Refresh(dashboard.VariableRefreshOnTimeRangeChanged)
}

// serviceChoice returns the variable $service.
func serviceChoice() cog.Builder[dashboard.VariableModel] {
	return choice(varService, "Service", service, fmt.Sprintf("count by (%s) (last_over_time(%s[$__range]))", service, Prometheus(vocabulary.MetricMaxScore)))
}

// Names of the annotations.
const (
	annotationEvents  = "Incidents (Elasticsearch)"
	annotationMetrics = "Open incidents (Prometheus)"
	annotationLoki    = "Incidents (Loki)"
)

// annotations returns incidents as annotations, by a query of each backend. Loki is off until a user turns it on.
func annotations() []cog.Builder[dashboard.AnnotationQuery] {
	open := Prometheus(vocabulary.MetricIncidentOpen)
	state := Prometheus(vocabulary.AttrIncState)
	return []cog.Builder[dashboard.AnnotationQuery]{
		dashboard.NewAnnotationQueryBuilder().Name(annotationMetrics).Datasource(metricsSource).Enable(true).IconColor("orange").
			Expr(fmt.Sprintf("max by (%s) (%s) > 0", service, open)).Step("15s").
			TitleFormat("Open incident").TextFormat("{{" + service + "}}").TagKeys(service),
		dashboard.NewAnnotationQueryBuilder().Name(annotationEvents).Datasource(eventsSource).Enable(true).IconColor("red").
			Target(documents("Anno", events(vocabulary.EventIncident, ""), 100)),
		dashboard.NewAnnotationQueryBuilder().Name(annotationLoki).Datasource(lokiSource).Enable(false).IconColor("red").
			Expr(fmt.Sprintf(`{%s=~".+"} | %s=~"open|closed"`, service, state)).
			TitleFormat("Incident").TagKeys(strings.Join([]string{service, state}, ",")),
	}
}
