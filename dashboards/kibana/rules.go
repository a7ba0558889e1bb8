// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package kibana

import (
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/dashboards/prometheus"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// interval is the time between two runs of a rule.
const interval = time.Minute

// Rule is an alert rule of the type .es-query. It opens an alert for each group of documents whose value is above the threshold.
type Rule struct {
	// ID is a UUID of version 4: Kibana accepts no other ids for rules.
	ID, Name string
	// alert names the rule for Prometheus with the severity, the delay, and the runbook of this one.
	alert string
	view  view
	query string
	by    string // field of the groups
	// lowest is the field whose lowest value in a group is the group's value. With "", it is the number of documents.
	lowest    string
	threshold float64
	// days is the time window. A finding without an update within it opens no alert.
	days int
}

// Rules returns the table of alert rules.
//
// An incident is one document, which changes its state. Each update of an anomaly is a document, and that of a closed
// anomaly has the severity INFO, which is the lowest one.
func Rules() []Rule {
	return []Rule{
		{
			"9e7345ae-fd18-4e27-a796-c77c6ff4fb1e", "Auspex: open incident", "AuspexServiceIncident",
			incidentsView, is(vocabulary.AttrIncState, "open"), attribute(vocabulary.AttrIncidentID), "", 0, 7,
		},
		{
			"78180761-2635-4207-bf8a-ff3cfe410e35", "Auspex: open anomaly", "AuspexOpenAnomalies",
			anomaliesView, "_exists_:" + attribute(vocabulary.AttrAnomalyID), attribute(vocabulary.AttrAnomalyID),
			"severity_number", float64(plog.SeverityNumberInfo), 1,
		},
	}
}

// RuleBodies returns the alert rules by their ids, as JSON bodies of POST /api/alerting/rule/{id}.
func RuleBodies() (map[string][]byte, error) {
	alerts, err := prometheus.Alerts()
	if err != nil {
		return nil, err
	}
	bodies := map[string][]byte{}
	for _, r := range Rules() {
		i := slices.IndexFunc(alerts, func(a prometheus.Alert) bool { return a.Name == r.alert })
		if i < 0 {
			return nil, fmt.Errorf("%s refers to %s, which is not in rules.yaml", r.Name, r.alert)
		}
		body, err := r.body(alerts[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
		if bodies[r.ID], err = indented(body); err != nil {
			return nil, err
		}
	}
	return bodies, nil
}

// body returns the rule with the severity, the delay, and the runbook of an alert. The tags hold the severity and the
// runbook: a rule has no field for the one, and Kibana 9.0 rejects the field for the other.
func (r Rule) body(a prometheus.Alert) (object, error) {
	runs := 1
	if a.For != "" {
		wait, err := time.ParseDuration(a.For)
		if err != nil {
			return nil, err
		}
		runs = max(runs, int(wait/interval))
	}
	query, err := text(object{"query": r.filter()})
	params := object{
		"searchType": "esQuery", "index": []string{r.view.title}, "timeField": timeField, "esQuery": query, "size": 1, // document of each group for actions
		"timeWindowSize": r.days, "timeWindowUnit": "d", "excludeHitsFromPreviousRun": false,
		"groupBy": "top", "termField": r.by, "termSize": maxGroups,
		"aggType": "count", "thresholdComparator": ">", "threshold": []float64{r.threshold},
	}
	if r.lowest != "" {
		params["aggType"], params["aggField"] = "min", r.lowest
	}
	return object{
		"name": r.Name, "rule_type_id": ".es-query", "consumer": "stackAlerts", "enabled": true,
		"tags":     []string{"auspex", "severity:" + a.Severity, "runbook:" + a.Runbook},
		"schedule": object{"interval": fmt.Sprintf("%dm", interval/time.Minute)}, "alert_delay": object{"active": runs},
		"params": params, "actions": []any{},
	}, err
}

// maxGroups is the highest number of groups that Kibana accepts.
const maxGroups = 1000

func (r Rule) filter() object {
	return object{"query_string": object{"query": r.query, "analyze_wildcard": true}}
}

// Index returns the indexes that the rule searches.
func (r Rule) Index() string { return r.view.title }

// Search returns the body of the _search request that Kibana sends for the rule, without the script that drops groups: Fires
// does the same.
func (r Rule) Search(now time.Time) map[string]any {
	groups := object{"terms": object{"field": r.by, "size": maxGroups}}
	if r.lowest != "" {
		groups["terms"].(object)["order"] = object{MeasureAgg: "asc"}
		add(groups, MeasureAgg, object{"min": object{"field": r.lowest}})
	}
	window := object{"range": object{timeField: object{
		"gte": now.AddDate(0, 0, -r.days).UTC().Format(time.RFC3339Nano), "lte": now.UTC().Format(time.RFC3339Nano), "format": "strict_date_optional_time",
	}}}
	return object{
		"size": 0, "query": object{"bool": object{"filter": []any{r.filter(), window}}}, "aggs": object{GroupsAgg: groups},
	}
}

// Fires reports whether a group with a value opens an alert.
func (r Rule) Fires(value float64) bool { return value > r.threshold }
