// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/elasticsearch"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// backends are the servers that queries run on, and the time range and variables that they run with.
type backends struct {
	prometheus *peertest.Prometheus
	elastic    *peertest.Elasticsearch
	elastic9   *peertest.Elasticsearch
	start, end time.Time
	variables  map[string][]string
}

// step is the interval of range queries, as Grafana would choose it for the scrape interval of 15 s.
const step = 15 * time.Second

// response holds the response of a backend to one query of a panel.
type response struct {
	RefID string `json:"refId"`
	// Type is the type of the data source.
	Type string `json:"type"`
	// Query is the query as the dashboard has it.
	Query json.RawMessage `json:"query"`
	// Request holds the query as it was sent.
	Request json.RawMessage `json:"request"`
	Body    json.RawMessage `json:"body"`
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_]+)(?::([a-z]+))?\}|\$([A-Za-z_]+)`)

// lucene lists the characters that Grafana escapes in a Lucene query.
var luceneSpecial = regexp.MustCompile(`([!*+\-=<>\s&|()\[\]{}^~?:\\/"])`)

// expand puts variables into a query as Grafana does. format is that of variables without one.
func (b *backends) expand(t *testing.T, query, format string) string {
	t.Helper()
	return variable.ReplaceAllStringFunc(query, func(m string) string {
		parts := variable.FindStringSubmatch(m)
		name, f := parts[1]+parts[3], parts[2]
		if f == "" {
			f = format
		}
		values, ok := b.variables[name]
		require.True(t, ok, "no value for $%s in %s", name, query)
		switch {
		case f == "regex" && len(values) > 1:
			return "(" + strings.Join(values, "|") + ")"
		case f == "lucene" && len(values) > 1:
			quoted := make([]string, len(values))
			for i, v := range values {
				quoted[i] = strconv.Quote(v)
			}
			return "(" + strings.Join(quoted, " OR ") + ")"
		case f == "lucene" && values[0] != "*":
			return luceneSpecial.ReplaceAllString(values[0], `\$1`)
		}
		return values[0]
	})
}

// promql runs a query of Prometheus.
func (b *backends) promql(t *testing.T, q *prometheus.Dataquery) response {
	t.Helper()
	expr := b.expand(t, q.Expr, "raw")
	form := url.Values{"query": {expr}, "time": {seconds(b.end)}}
	path := "/api/v1/query"
	if q.Range != nil && *q.Range {
		path = "/api/v1/query_range"
		form = url.Values{"query": {expr}, "start": {seconds(b.start)}, "end": {seconds(b.end)}, "step": {seconds(time.Unix(int64(step.Seconds()), 0))}}
	}
	res, err := http.PostForm(b.prometheus.URL()+path, form)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, "%s: %s", expr, body)
	return response{RefID: *q.RefId, Type: "prometheus", Query: marshal(t, q), Request: marshal(t, form), Body: body}
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func marshal(t *testing.T, v any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return text
}

// search runs a query of Elasticsearch, with the body that Grafana's data source sends.
func (b *backends) search(t *testing.T, q *elasticsearch.Dataquery) response {
	t.Helper()
	body := map[string]any{"size": 0, "query": map[string]any{"bool": map[string]any{"filter": []any{
		map[string]any{"range": map[string]any{*q.TimeField: map[string]any{"gte": b.start.UnixMilli(), "lte": b.end.UnixMilli(), "format": "epoch_millis"}}},
		map[string]any{"query_string": map[string]any{"analyze_wildcard": true, "query": b.expand(t, *q.Query, "lucene")}},
	}}}}
	switch m := q.Metrics[0]; {
	case m.RawData != nil:
		b.newest(t, body, *q.TimeField, *m.RawData.Settings.Size)
	case m.Logs != nil:
		b.newest(t, body, *q.TimeField, *m.Logs.Settings.Limit)
	default:
		into := body
		for _, bucket := range q.BucketAggs {
			into = b.group(into, bucket)
		}
	}
	request := marshal(t, body)
	answer, err := b.elastic.Do(t.Context(), http.MethodPost, "/logs-*,auspex-incidents/_search?ignore_unavailable=true", string(request))
	require.NoError(t, err, "%s", request)
	return response{RefID: *q.RefId, Type: "elasticsearch", Query: marshal(t, q), Request: request, Body: answer}
}

// newest asks for the newest documents.
func (b *backends) newest(t *testing.T, body map[string]any, field, size string) {
	t.Helper()
	n, err := strconv.Atoi(size)
	require.NoError(t, err)
	body["size"] = n
	body["sort"] = []any{map[string]any{field: map[string]any{"order": "desc", "unmapped_type": "boolean"}}, map[string]any{"_doc": map[string]any{"order": "desc"}}}
}

// group adds one level of buckets and returns it.
func (b *backends) group(into map[string]any, bucket elasticsearch.BucketAggregation) map[string]any {
	agg := map[string]any{}
	var id string
	if t := bucket.Terms; t != nil {
		id = t.Id
		agg["terms"] = map[string]any{"field": *t.Field, "size": json.Number(*t.Settings.Size), "order": map[string]any{*t.Settings.OrderBy: *t.Settings.Order}, "min_doc_count": 1}
	} else {
		h := bucket.DateHistogram
		id = h.Id
		agg["date_histogram"] = map[string]any{
			"field": *h.Field, "fixed_interval": "60s", "min_doc_count": 0, "format": "epoch_millis",
			"extended_bounds": map[string]any{"min": b.start.UnixMilli(), "max": b.end.UnixMilli()},
		}
	}
	into["aggs"] = map[string]any{id: agg}
	return agg
}

// values keys the last value of every series of a response of Prometheus by a label.
func (r response) values(t *testing.T, label string) map[string]float64 {
	t.Helper()
	var body struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  []any
				Values [][]any
			}
		}
	}
	require.NoError(t, json.Unmarshal(r.Body, &body))
	m := map[string]float64{}
	for _, s := range body.Data.Result {
		pair := s.Value
		if len(s.Values) > 0 {
			pair = s.Values[len(s.Values)-1]
		}
		v, err := strconv.ParseFloat(fmt.Sprint(pair[1]), 64)
		require.NoError(t, err)
		m[s.Metric[label]] = v
	}
	return m
}

// only returns the value of a response with one series.
func (r response) only(t *testing.T) float64 {
	t.Helper()
	m := r.values(t, "")
	require.Len(t, m, 1, "%s", r.Body)
	return m[""]
}

// hits returns the documents of a response of Elasticsearch: their attributes and fields in one map.
func (r response) hits(t *testing.T) []map[string]any {
	t.Helper()
	var body struct {
		Hits struct {
			Hits []struct {
				Source map[string]any `json:"_source"`
			} `json:"hits"`
		} `json:"hits"`
	}
	require.NoError(t, json.Unmarshal(r.Body, &body))
	var list []map[string]any
	for _, h := range body.Hits.Hits {
		flat := map[string]any{}
		flatten("", h.Source, flat)
		list = append(list, flat)
	}
	return list
}

func flatten(prefix string, from, into map[string]any) {
	for k, v := range from {
		if m, ok := v.(map[string]any); ok {
			flatten(prefix+k+".", m, into)
			continue
		}
		into[prefix+k] = v
	}
}

// buckets returns the counts of the outermost groups.
func (r response) buckets(t *testing.T) map[string]float64 {
	t.Helper()
	var body struct {
		Aggregations map[string]struct {
			Buckets []struct {
				Key   any     `json:"key"`
				Count float64 `json:"doc_count"`
			}
		}
	}
	require.NoError(t, json.Unmarshal(r.Body, &body))
	m := map[string]float64{}
	for _, b := range body.Aggregations["2"].Buckets {
		m[fmt.Sprint(b.Key)] = b.Count
	}
	return m
}
