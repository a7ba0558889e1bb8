// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Alert is one alerting rule of rules.yaml.
type Alert struct {
	// Group is the name of the rule's group.
	Group, Name string
	// Expr is the expression of the rule. The names of recording rules are replaced with their expressions, so that it
	// needs none of them. When the alert fires, the value is positive.
	Expr string
	// For is the time for which the expression must hold, such as 10m, or "".
	For string
	// Summary is a template of Prometheus.
	Severity, Summary, Runbook string
}

// Alerts returns the alerting rules of rules.yaml in their order.
func Alerts() ([]Alert, error) {
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Record, Alert, Expr, For string
				Labels, Annotations      map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(Rules, &file); err != nil {
		return nil, fmt.Errorf("rules.yaml: %w", err)
	}
	var alerts []Alert
	var recorded []string // names of recording rules and their expressions in turn
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" {
				recorded = append(recorded, r.Record, "("+r.Expr+")")
				continue
			}
			alerts = append(alerts, Alert{
				Group: g.Name, Name: r.Alert, Expr: strings.TrimSpace(r.Expr), For: r.For,
				Severity: r.Labels["severity"], Summary: r.Annotations["summary"], Runbook: r.Annotations["runbook_url"],
			})
		}
	}
	inline := strings.NewReplacer(recorded...)
	for i := range alerts {
		alerts[i].Expr = inline.Replace(alerts[i].Expr)
	}
	return alerts, nil
}
