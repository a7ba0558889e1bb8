// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package grafana

import (
	"fmt"
	"strings"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Query is one question that a dashboard asks of Prometheus.
type Query struct {
	// ID names the query, and is unique over all dashboards.
	ID string
	// Expr is PromQL with Grafana's variables in it: see Expand.
	Expr string
	// Legend is the template of the names of its results.
	Legend string
	// Instant queries are asked for the end of the time range only.
	Instant bool
}

// The variables of the dashboards, beside Grafana's own $__range.
const (
	varDatasource = "datasource"
	varService    = "service"
	varMetric     = "metric"
	varStatistic  = "statistic"
)

// Expand puts the values of variables, keyed by their names without the dollar
// sign, into the expression, as Grafana does before it asks.
func (q Query) Expand(values map[string]string) string {
	expr := q.Expr
	for name, value := range values {
		expr = strings.ReplaceAll(expr, "$"+name, value)
	}
	return expr
}

// Prometheus returns the name under which Prometheus knows a metric or an attribute.
func Prometheus(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
}

var (
	service = Prometheus(vocabulary.ServiceName)
	host    = Prometheus(vocabulary.HostName)
	metric  = Prometheus(vocabulary.AttrMetric)
	stat    = Prometheus(vocabulary.AttrStatistic)
)

// Queries of the services.
var (
	worstServices = Query{
		ID:   "worst-services",
		Expr: fmt.Sprintf("topk(10, max by (%s) (max_over_time(%s[$__range])))", service, Prometheus(vocabulary.MetricMaxScore)), Legend: "{{" + service + "}}", Instant: true,
	}
	openNow = Query{
		ID:   "open-now",
		Expr: fmt.Sprintf("sum(%s)", Prometheus(vocabulary.MetricOpen)), Legend: "open", Instant: true,
	}
	openByService = Query{
		ID:   "open-by-service",
		Expr: fmt.Sprintf("sum by (%s) (%s)", service, Prometheus(vocabulary.MetricOpen)), Legend: "{{" + service + "}}",
	}
	scoreByService = Query{
		ID:   "score-by-service",
		Expr: fmt.Sprintf("max by (%s) (%s)", service, Prometheus(vocabulary.MetricMaxScore)), Legend: "{{" + service + "}}",
	}
	rateByService = Query{
		ID:   "rate-by-service",
		Expr: fmt.Sprintf("max by (%s) (%s)", service, Prometheus(vocabulary.MetricRate)), Legend: "{{" + service + "}}",
	}
)

// Queries of one series: of those that the variables select, the one that scored highest in the time range.
var (
	seriesObserved = Query{ID: "series-observed", Expr: ofWorst(vocabulary.MetricObserved), Legend: "observed"}
	seriesExpected = Query{ID: "series-expected", Expr: ofWorst(vocabulary.MetricExpected), Legend: "expected"}
	seriesLower    = Query{ID: "series-lower", Expr: ofWorst(vocabulary.MetricLower), Legend: "lower"}
	seriesUpper    = Query{ID: "series-upper", Expr: ofWorst(vocabulary.MetricUpper), Legend: "upper"}
	seriesScores   = Query{ID: "series-scores", Expr: selected(vocabulary.MetricScore, "%s"), Legend: "__auto"}
)

// Queries of the collector's own metrics, if Prometheus scrapes them. Whether
// they end in _ratio and _total is for the collector's configuration to say.
var (
	ownAlpha     = Query{ID: "own-alpha", Expr: "max by (signal) (" + own("alpha", "_ratio") + ")", Legend: "{{signal}}", Instant: true}
	ownSeries    = Query{ID: "own-series", Expr: "sum(" + own("series", "") + ")", Legend: "series", Instant: true}
	ownAnomalies = Query{ID: "own-anomalies", Expr: "sum(" + own("anomalies", "_total") + ")", Legend: "anomalies", Instant: true}
	ownPoints    = Query{ID: "own-points", Expr: "sum(" + own("points", "_total") + ")", Legend: "points", Instant: true}
	ownRefused   = Query{ID: "own-refused", Expr: "sum by (reason) (" + own("refused_points", "_total") + ")", Legend: "{{reason}}"}
)

// Queries that fill the variables.
var (
	serviceNames = Query{
		ID:   "variable-service",
		Expr: fmt.Sprintf("count by (%s) (last_over_time(%s[$__range]))", service, Prometheus(vocabulary.MetricMaxScore)), Instant: true,
	}
	metricNames = Query{
		ID:   "variable-metric",
		Expr: fmt.Sprintf("count by (%s) (%s)", metric, ofService("last_over_time(%s{%s}[$__range])")), Instant: true,
	}
	statisticNames = Query{
		ID:   "variable-statistic",
		Expr: fmt.Sprintf("count by (%s) (%s)", stat, ofService("last_over_time(%s{%s,"+metric+`="$metric"}[$__range])`)), Instant: true,
	}
)

// own selects one of the engine's own metrics, with and without the suffix.
func own(name, suffix string) string {
	name = "otelcol_extension_anomaly_engine_" + name
	if suffix == "" {
		return name
	}
	return fmt.Sprintf(`{__name__=~"%s(%s)?"}`, name, suffix)
}

// whose selects by $service: a resource without service.name stands under its
// host.name, as everywhere in Auspex.
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

// ofWorst is a companion of the selected series that scored highest in the time range.
func ofWorst(name string) string {
	return fmt.Sprintf("(%s) and topk(1, %s)", selected(name, "%s"), selected(vocabulary.MetricScore, "max_over_time(%s[$__range] @ end())"))
}

// Queries lists every query of every dashboard, those of variables too.
func Queries() []Query {
	o := Overview()
	list := []Query{serviceNames, metricNames, statisticNames}
	for _, p := range o.Panels {
		for _, t := range p.Targets {
			list = append(list, t.query)
		}
	}
	return list
}
