// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package kibana builds Kibana dashboards from one table of panels: as saved objects (NDJSON) for Kibana 8.19, which 9.x
// also imports, as bodies of the dashboards API of Kibana 9.5, and as the _search body that each panel sends. It builds
// alert rules from a table of rules.
package kibana

import "github.com/auspex-otel/auspex/internal/vocabulary"

// Fields of documents of the exporter elasticsearch in mode otel.
const (
	timeField     = "@timestamp"
	bodyField     = "body.text"
	serviceField  = "resource.attributes." + vocabulary.ServiceName
	severityField = "severity_text"
)

func attribute(name string) string { return "attributes." + name }

// view is a data view: the indexes that panels search.
type view struct{ id, title, name string }

// Data views.
var (
	incidentsView = view{"auspex-incidents", "auspex-incidents", "Auspex incidents"}
	anomaliesView = view{"auspex-anomalies", "logs-auspex.anomaly.otel-*", "Auspex anomalies"}
	logsView      = view{"auspex-logs", "logs-*", "Auspex logs"}
	views         = []view{incidentsView, anomaliesView, logsView}
)

// kind selects the form in which a panel shows its values.
type kind string

const (
	number kind = "lnsMetric"
	table  kind = "lnsDatatable"
	bars   kind = "bar_horizontal"
	curves kind = "line"
)

// measure is the value of each group: the number of documents, of different values of a field, or the highest value of a field.
type measure struct{ operation, field string }

var documents = measure{"count", "___records___"}

func different(field string) measure { return measure{"unique_count", field} }
func highest(field string) measure   { return measure{"max", field} }

// Panel is one panel: its documents by a Lucene query, grouped by a field and by time if these are set.
type Panel struct {
	Title   string
	view    view
	kind    kind
	query   string
	measure measure
	by      string // field of the groups, "" for none
	size    int    // number of groups
	// width and height are in units of Kibana's grid, which has 48 columns.
	width, height int
}

// Dashboard is a dashboard with its panels, in rows from left to right.
type Dashboard struct {
	ID, Title, about string
	Panels           []Panel
}

func is(name, value string) string { return attribute(name) + `:"` + value + `"` }

// Records of the log: those that are not events of Auspex.
const recordsQuery = "_exists_:attributes." + vocabulary.AttrTemplateID + " AND NOT event_name:*"

// Dashboards returns the table of panels.
func Dashboards() []Dashboard {
	open := is(vocabulary.AttrIncState, "open")
	id, score := different(attribute(vocabulary.AttrAnomalyID)), highest(attribute(vocabulary.MetricScore))
	template := attribute(vocabulary.AttrTemplate)
	return []Dashboard{
		{"auspex-overview", "Auspex: overview", "Open incidents and anomalies. A score of 1 is the threshold that the false-alarm budget sets.", []Panel{
			{"Open incidents", incidentsView, number, open, documents, "", 0, 12, 8},
			{"Incidents", incidentsView, number, "", documents, "", 0, 12, 8},
			{"Anomalies", anomaliesView, number, "", id, "", 0, 12, 8},
			{"Highest score", anomaliesView, number, "", score, "", 0, 12, 8},
			{"Incidents by likely cause", incidentsView, table, "", documents, attribute(vocabulary.AttrSuspect), 20, 24, 14},
			{"Highest score by service", anomaliesView, bars, "", score, serviceField, 10, 24, 14},
			{"Anomalies over time", anomaliesView, curves, "", id, serviceField, 10, 48, 14},
		}},
		{"auspex-incident", "Auspex: incident", "Filter by attributes.incident.id to see one incident.", []Panel{
			{"Incidents by score", incidentsView, table, "", highest(attribute(vocabulary.MetricMaxScore)), attribute(vocabulary.AttrIncidentID), 50, 24, 14},
			{"Affected services", incidentsView, table, "", documents, attribute(vocabulary.AttrIncServices), 50, 24, 14},
			{"Suspects", incidentsView, table, "", documents, attribute(vocabulary.AttrSuspects), 50, 24, 14},
			{"Evidence", incidentsView, table, "", documents, attribute(vocabulary.AttrEvidence), 50, 24, 14},
			{"Anomalies by metric", anomaliesView, bars, "", id, attribute(vocabulary.AttrMetric), 20, 24, 14},
			{"Scores over time", anomaliesView, curves, "", score, serviceField, 10, 24, 14},
		}},
		{"auspex-log-templates", "Auspex: logs by template", "Log lines grouped by template: the line with its variable parts removed.", []Panel{
			{"Records over time", logsView, curves, recordsQuery, documents, template, 8, 48, 14},
			{"Templates", logsView, table, recordsQuery, documents, template, 100, 32, 18},
			{"Records by severity", logsView, bars, recordsQuery, documents, severityField, 8, 16, 18},
			{"Records by service", logsView, bars, recordsQuery, documents, serviceField, 20, 24, 14},
			{"Anomalies in logs", anomaliesView, table, attribute(vocabulary.AttrMetric) + ":auspex.log.*", id, serviceField, 20, 24, 14},
		}},
	}
}
