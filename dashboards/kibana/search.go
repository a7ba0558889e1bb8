// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package kibana

import "time"

// Ids of the aggregations of a body.
const (
	GroupsAgg  = "groups"
	TimesAgg   = "times"
	MeasureAgg = "measure"
)

// Index returns the indexes that the panel searches.
func (p Panel) Index() string { return p.view.title }

// Search returns the body of the _search request that the panel sends for a time range. Counts are in the numbers of
// documents of the response; other values are in the aggregation MeasureAgg.
func (p Panel) Search(from, to time.Time) map[string]any {
	filter := []any{map[string]any{"range": map[string]any{timeField: map[string]any{"gte": from.UTC().Format(time.RFC3339Nano), "lte": to.UTC().Format(time.RFC3339Nano), "format": "strict_date_optional_time"}}}}
	if p.query != "" {
		filter = append(filter, map[string]any{"query_string": map[string]any{"query": p.query, "analyze_wildcard": true}})
	}
	body := map[string]any{"size": 0, "track_total_hits": true, "query": map[string]any{"bool": map[string]any{"filter": filter}}}
	inner := body
	if p.by != "" {
		order := MeasureAgg
		if p.measure == documents {
			order = "_count"
		}
		groups := map[string]any{"terms": map[string]any{"field": p.by, "size": p.size, "order": map[string]any{order: "desc"}}}
		inner["aggs"] = map[string]any{GroupsAgg: groups}
		p.addMeasure(groups)
		inner = groups
	}
	if p.kind == curves {
		times := map[string]any{"date_histogram": map[string]any{"field": timeField, "fixed_interval": "1m", "min_doc_count": 1}}
		add(inner, TimesAgg, times)
		inner = times
	}
	p.addMeasure(inner)
	return body
}

func (p Panel) addMeasure(into map[string]any) {
	switch p.measure.operation {
	case "unique_count":
		add(into, MeasureAgg, map[string]any{"cardinality": map[string]any{"field": p.measure.field}})
	case "max":
		add(into, MeasureAgg, map[string]any{"max": map[string]any{"field": p.measure.field}})
	}
}

// add adds an aggregation beside others.
func add(into map[string]any, id string, agg map[string]any) {
	aggs, _ := into["aggs"].(map[string]any)
	if aggs == nil {
		aggs = map[string]any{}
		into["aggs"] = aggs
	}
	aggs[id] = agg
}
