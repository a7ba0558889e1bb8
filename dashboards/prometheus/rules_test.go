// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// rule is a rule of either kind.
type rule struct {
	Record      string            `yaml:"record"`
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// readRules returns the rules of a group, or of all groups for "".
func readRules(t *testing.T, group string) (rules []rule) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	require.NoError(t, yaml.Unmarshal(Rules, &file))
	for _, g := range file.Groups {
		if group == "" || g.Name == group {
			rules = append(rules, g.Rules...)
		}
	}
	require.NotEmpty(t, rules, group)
	return rules
}

// selectors returns the metric names and the label names in an expression.
func selectors(t *testing.T, expr string) (metrics, labelNames []string) {
	t.Helper()
	e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	require.NoError(t, err, expr)
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.VectorSelector:
			metrics = append(metrics, n.Name)
			for _, m := range n.LabelMatchers {
				if m.Name != model.MetricNameLabel {
					labelNames = append(labelNames, m.Name)
				}
			}
		case *parser.AggregateExpr:
			labelNames = append(labelNames, n.Grouping...)
		}
		return nil
	})
	return metrics, labelNames
}

// scores are the metrics that no alert about findings may use.
var scores = []string{vocabulary.MetricScore, vocabulary.MetricMaxScore, vocabulary.MetricRate, vocabulary.MetricOutsideInterval}

// findings returns the names under which Prometheus has the metrics of the vocabulary.
func findings(t *testing.T) []string {
	t.Helper()
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	var names []string
	for _, m := range []otlptranslator.Metric{
		{Name: vocabulary.MetricOpen, Type: otlptranslator.MetricTypeGauge},
		{Name: vocabulary.MetricCount, Type: otlptranslator.MetricTypeMonotonicCounter},
		{Name: vocabulary.MetricIncidentOpen, Type: otlptranslator.MetricTypeGauge},
		{Name: vocabulary.MetricIncidentDuration, Type: otlptranslator.MetricTypeGauge, Unit: "s"},
	} {
		name, err := namer.Build(m)
		require.NoError(t, err)
		names = append(names, name)
	}
	return append(names, promNames(t, scores)...)
}

// promNames returns the label or metric names that follow from names of the vocabulary.
func promNames(t *testing.T, of []string) []string {
	t.Helper()
	var names []string
	namer := otlptranslator.LabelNamer{}
	for _, name := range of {
		built, err := namer.Build(name)
		require.NoError(t, err)
		names = append(names, built)
	}
	return names
}

// own returns the names of the metrics of the collector: those of Auspex's components,
// and those of exporterhelper that the end-to-end test finds in a running collector.
func own(t *testing.T) []string {
	t.Helper()
	names := []string{
		"otelcol_exporter_queue_size", "otelcol_exporter_queue_capacity",
		"otelcol_exporter_enqueue_failed_log_records", "otelcol_exporter_enqueue_failed_metric_points", "otelcol_exporter_enqueue_failed_spans",
	}
	files, err := filepath.Glob("../../*/*/metadata.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		var metadata struct {
			Telemetry struct {
				Metrics map[string]any `yaml:"metrics"`
			} `yaml:"telemetry"`
		}
		require.NoError(t, yaml.Unmarshal(text, &metadata))
		for metric := range metadata.Telemetry.Metrics {
			names = append(names, "otelcol_"+metric)
		}
	}
	return names
}

func TestRulesUseNamesThatExist(t *testing.T) {
	known := append(findings(t), own(t)...)
	knownLabels := append(promNames(t, []string{vocabulary.ServiceName, vocabulary.AttrMetric, vocabulary.AttrStatistic}), "instance", "exporter", "reason")
	for _, r := range readRules(t, "") {
		if r.Record != "" {
			known = append(known, r.Record)
		}
	}
	for _, r := range readRules(t, "") {
		metrics, labelNames := selectors(t, r.Expr)
		assert.NotEmpty(t, metrics, r.Expr)
		for _, name := range metrics {
			assert.Contains(t, known, name, r.Alert+r.Record)
		}
		for _, name := range labelNames {
			assert.Contains(t, knownLabels, name, r.Alert+r.Record)
		}
	}
}

// An alert on a score would fire for a single unusual point, which is no anomaly.
func TestAlertsAboutFindingsFireOnAnomaliesAndIncidents(t *testing.T) {
	allowed := promNames(t, []string{vocabulary.MetricOpen, vocabulary.MetricIncidentOpen})
	recorded := map[string][]string{}
	for _, r := range readRules(t, "auspex-scores") {
		recorded[r.Record], _ = selectors(t, r.Expr)
	}
	for _, r := range readRules(t, "auspex-findings") {
		names, _ := selectors(t, r.Expr)
		for i := 0; i < len(names); i++ {
			names = append(names, recorded[names[i]]...)
		}
		assert.True(t, slices.ContainsFunc(names, func(name string) bool { return slices.Contains(allowed, name) }), r.Alert)
		for _, name := range promNames(t, scores) {
			assert.NotContains(t, names, name, r.Alert)
		}
	}
}

var serviceAlert = regexp.MustCompile(`^Auspex[A-Z][A-Za-z]+$`)

func TestAlertsAreComplete(t *testing.T) {
	runbooks, err := os.ReadFile("../../docs/runbooks.md")
	require.NoError(t, err)
	tests, err := os.ReadFile("rules_test.yaml")
	require.NoError(t, err)
	alerts := []string{vocabulary.AlertIncident}
	for _, r := range append(readRules(t, "auspex-findings"), readRules(t, "auspex-collector")...) {
		alerts = append(alerts, r.Alert)
		assert.Regexp(t, serviceAlert, r.Alert)
		assert.Contains(t, []string{"info", "warning", "critical"}, r.Labels["severity"], r.Alert)
		assert.NotEmpty(t, r.Annotations["summary"], r.Alert)
		assert.Equal(t, vocabulary.Runbook(r.Alert), r.Annotations["runbook_url"])
		assert.Contains(t, string(tests), "- alertname: "+r.Alert+"\n", "no test lets the alert fire")
		assert.Contains(t, string(tests), "- {alertname: "+r.Alert+", ", "no test keeps the alert quiet")
	}
	for _, alert := range alerts {
		assert.Contains(t, string(runbooks), "\n## "+alert+"\n", "the runbook of the alert")
	}
	assert.Equal(t, len(alerts), strings.Count(string(runbooks), "\n## "), "a runbook of an alert that does not exist")
}

// Rules that Grafana manages fire for positive values, so an expression keeps a value only above a number that is not negative.
func TestFiringAlertsHavePositiveValues(t *testing.T) {
	alerts, err := Alerts()
	require.NoError(t, err)
	require.Len(t, alerts, len(readRules(t, "auspex-findings"))+len(readRules(t, "auspex-collector")))
	var positive func(parser.Expr) bool
	positive = func(e parser.Expr) bool {
		b, ok := e.(*parser.BinaryExpr)
		switch {
		case !ok:
			return false
		case b.Op == parser.LAND:
			return positive(b.LHS)
		case b.Op == parser.LOR:
			return positive(b.LHS) && positive(b.RHS)
		default:
			return b.Op == parser.GTR && !strings.HasPrefix(b.RHS.String(), "-")
		}
	}
	for _, a := range alerts {
		e, err := parser.NewParser(parser.Options{}).ParseExpr(a.Expr)
		require.NoError(t, err, a.Name)
		assert.True(t, positive(e), a.Expr)
	}
}
