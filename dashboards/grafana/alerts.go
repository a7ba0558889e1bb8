// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package grafana

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/auspex-otel/auspex/dashboards/prometheus"
)

// Alerts returns the alerting rules of Prometheus as Grafana-managed rules, in the form of a provisioning file: JSON,
// which is YAML as well.
func Alerts() ([]byte, error) {
	alerts, err := prometheus.Alerts()
	if err != nil {
		return nil, err
	}
	var groups []map[string]any
	for _, a := range alerts {
		if n := len(groups); n == 0 || groups[n-1]["name"] != a.Group {
			groups = append(groups, map[string]any{"orgId": 1, "name": a.Group, "folder": "Auspex", "interval": "1m", "rules": []any{}})
		}
		last := groups[len(groups)-1]
		last["rules"] = append(last["rules"].([]any), managed(a))
	}
	var b bytes.Buffer
	fmt.Fprintln(&b, "# Generated from dashboards/prometheus/rules.yaml by go run ./dashboards/generate. Example: rename to rules.yaml to use it.")
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(map[string]any{"apiVersion": 1, "groups": groups})
	return b.Bytes(), err
}

// managed returns a Grafana-managed rule. It fires for each result of the expression, whose value is positive.
func managed(a prometheus.Alert) map[string]any {
	return map[string]any{
		"uid": strings.ToLower(a.Name), "title": a.Name, "condition": "B", "for": cmp.Or(a.For, "0s"), "noDataState": "OK", "execErrState": "Error",
		"labels": map[string]string{"severity": a.Severity, "source": tag},
		"annotations": map[string]string{
			// In a template of Grafana, $value is a text that describes all stages.
			"summary": strings.ReplaceAll(a.Summary, "$value", "$values.A.Value"), "runbook_url": a.Runbook,
		},
		"data": []any{
			stage("A", "auspex-metrics", map[string]any{"refId": "A", "expr": a.Expr, "instant": true, "range": false}),
			stage("B", "__expr__", map[string]any{"refId": "B", "type": "threshold", "expression": "A", "conditions": []any{
				map[string]any{"evaluator": map[string]any{"type": "gt", "params": []float64{0}}},
			}}),
		},
	}
}

// stage returns one stage of a rule.
func stage(ref, source string, model map[string]any) map[string]any {
	return map[string]any{"refId": ref, "datasourceUid": source, "relativeTimeRange": map[string]int{"from": 600, "to": 0}, "model": model}
}
