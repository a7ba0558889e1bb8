// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package grafana

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/elasticsearch"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// query builds one query of a panel.
type query = cog.Builder[variants.Dataquery]

// Data sources, by the variables that select them.
var (
	metricsSource = common.DataSourceRef{Type: new("prometheus"), Uid: new("${" + varMetrics + "}")}
	eventsSource  = common.DataSourceRef{Type: new("elasticsearch"), Uid: new("${" + varEvents + "}")}
	lokiSource    = common.DataSourceRef{Type: new("loki"), Uid: new("${" + varLoki + "}")}
)

// Labels of Prometheus.
var (
	service = Prometheus(vocabulary.ServiceName)
	host    = Prometheus(vocabulary.HostName)
	metric  = Prometheus(vocabulary.AttrMetric)
	stat    = Prometheus(vocabulary.AttrStatistic)
)

// Prometheus returns the name of a metric or an attribute in Prometheus.
func Prometheus(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
}

// over evaluates an expression at each step of the time range.
func over(ref, expr, legend string) *prometheus.DataqueryBuilder {
	return promql(ref, expr).LegendFormat(legend).Range()
}

// last evaluates an expression at the end of the time range.
func last(expr, legend string) *prometheus.DataqueryBuilder {
	return promql("A", expr).LegendFormat(legend).Instant()
}

// rows evaluates an expression at the end of the time range and returns one row for each series.
func rows(ref, expr string) *prometheus.DataqueryBuilder {
	return promql(ref, expr).Format(prometheus.PromQueryFormatTable).Instant()
}

func promql(ref, expr string) *prometheus.DataqueryBuilder {
	return prometheus.NewDataqueryBuilder().RefId(ref).Datasource(metricsSource).EditorMode(prometheus.QueryEditorModeCode).Expr(expr)
}

// engine selects one of the engine's internal metrics.
func engine(name string) string { return process("extension_anomaly_engine_" + name) }

// process selects one of the collector's internal metrics. The collector's configuration decides whether names have suffixes.
func process(name string) string {
	return fmt.Sprintf(`{__name__=~"otelcol_%s(_ratio|_bytes|_total)?"}`, name)
}

// whose selects by $service. A resource without service.name has its host.name as service.
var whose = [...]string{service + `="$service"`, service + `="",` + host + `="$service"`}

// ofService applies a format of a metric's name and label matchers to the scores of $service.
func ofService(format string) string {
	score := Prometheus(vocabulary.MetricScore)
	return fmt.Sprintf(format, score, whose[0]) + " or " + fmt.Sprintf(format, score, whose[1])
}

// selected applies a format to each selector of the series that all variables select.
func selected(name, format string) string {
	var parts [len(whose)]string
	for i, w := range whose {
		selector := fmt.Sprintf(`%s{%s,%s="$metric",%s="$statistic"}`, Prometheus(name), w, metric, stat)
		parts[i] = fmt.Sprintf(format, selector)
	}
	return strings.Join(parts[:], " or ")
}

// ofWorst returns a companion of the selected series with the highest score in the time range.
func ofWorst(name string) string {
	return fmt.Sprintf("(%s) and topk(1, %s)", selected(name, "%s"), selected(vocabulary.MetricScore, "max_over_time(%s[$__range] @ end())"))
}

// Fields of documents in Elasticsearch.
const (
	timeField    = "@timestamp"
	bodyField    = "body.text"
	eventField   = "event_name"
	serviceField = "resource.attributes." + vocabulary.ServiceName
)

// attribute returns the field of an attribute of a log record.
func attribute(name string) string { return "attributes." + name }

// events returns the Lucene query of all events of a kind that match a condition, which may be empty.
func events(name, condition string) string {
	q := eventField + `:"` + name + `"`
	if condition != "" {
		q += " AND " + condition
	}
	return q
}

// is returns the Lucene condition that an attribute has a value.
func is(name, value string) string { return attribute(name) + `:"` + value + `"` }

func lucene(ref, condition string) *elasticsearch.DataqueryBuilder {
	return elasticsearch.NewDataqueryBuilder().RefId(ref).Datasource(eventsSource).TimeField(timeField).Query(condition)
}

// documents returns the newest documents that match a condition, one row for each.
func documents(ref, condition string, size int) *elasticsearch.DataqueryBuilder {
	return lucene(ref, condition).BucketAggs([]elasticsearch.BucketAggregation{}).Metrics([]elasticsearch.MetricAggregation{{RawData: &elasticsearch.RawData{
		Id: "1", Type: elasticsearch.MetricAggregationTypeRawData, Settings: &elasticsearch.ElasticsearchRawDataSettings{Size: new(strconv.Itoa(size))},
	}}})
}

// lines returns the newest log records that match a condition, for a logs panel.
func lines(ref, condition string, size int) *elasticsearch.DataqueryBuilder {
	return lucene(ref, condition).BucketAggs([]elasticsearch.BucketAggregation{}).Metrics([]elasticsearch.MetricAggregation{{Logs: &elasticsearch.Logs{
		Id: "1", Type: elasticsearch.MetricAggregationTypeLogs, Settings: &elasticsearch.ElasticsearchLogsSettings{Limit: new(strconv.Itoa(size))},
	}}})
}

// counts returns the number of documents in each bucket.
func counts(ref, condition string, buckets ...elasticsearch.BucketAggregation) *elasticsearch.DataqueryBuilder {
	for i := range buckets {
		id := strconv.Itoa(i + 2) // 1 is the metric
		if t := buckets[i].Terms; t != nil {
			t.Id = id
		} else {
			buckets[i].DateHistogram.Id = id
		}
	}
	return lucene(ref, condition).BucketAggs(buckets).Metrics([]elasticsearch.MetricAggregation{{Count: &elasticsearch.Count{
		Id: "1", Type: elasticsearch.MetricAggregationTypeCount,
	}}})
}

// by groups by the most frequent values of a field.
func by(field string, size int) elasticsearch.BucketAggregation {
	return elasticsearch.BucketAggregation{Terms: &elasticsearch.Terms{
		Field: new(field), Type: elasticsearch.BucketAggregationTypeTerms, Settings: &elasticsearch.ElasticsearchTermsSettings{
			Order: new(elasticsearch.TermsOrderDesc), OrderBy: new("_count"), Size: new(strconv.Itoa(size)), MinDocCount: new("1"),
		},
	}}
}

// byTime groups by intervals of the time range.
func byTime() elasticsearch.BucketAggregation {
	return elasticsearch.BucketAggregation{DateHistogram: &elasticsearch.DateHistogram{
		Field: new(timeField), Type: elasticsearch.BucketAggregationTypeDateHistogram,
		Settings: &elasticsearch.ElasticsearchDateHistogramSettings{Interval: new("auto"), MinDocCount: new("0"), TrimEdges: new("0")},
	}}
}
