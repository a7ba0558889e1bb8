// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package grafana

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/auspex-otel/auspex/dashboards/prometheus"
)

// readYAML decodes a YAML file or text.
func readYAML(t *testing.T, text []byte) (file struct {
	Groups []struct {
		Name  string
		Rules []map[string]any
	}
},
) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal(text, &file))
	return file
}

// TestAlertsEqualTheRulesOfPrometheus reads both files and compares each rule. It expands recording rules on its own: in
// the syntax tree.
func TestAlertsEqualTheRulesOfPrometheus(t *testing.T) {
	recorded, want := map[string]parser.Expr{}, map[string]map[string]any{}
	parse := func(text string) parser.Expr {
		e, err := parser.NewParser(parser.Options{}).ParseExpr(text)
		require.NoError(t, err, text)
		return e
	}
	for _, g := range readYAML(t, prometheus.Rules).Groups {
		for _, r := range g.Rules {
			if name, ok := r["record"].(string); ok {
				recorded[name] = parse(r["expr"].(string))
				continue
			}
			want[r["alert"].(string)] = r
		}
	}
	text, err := os.ReadFile(filepath.Join("provisioning", "alerting", "rules.yaml.example"))
	require.NoError(t, err)
	uids := map[string]bool{}
	for _, g := range readYAML(t, text).Groups {
		for _, got := range g.Rules {
			name := got["title"].(string)
			r, ok := want[name]
			require.True(t, ok, "%s is no rule of Prometheus", name)
			delete(want, name)
			assert.False(t, uids[got["uid"].(string)], name)
			uids[got["uid"].(string)] = true

			model := got["data"].([]any)[0].(map[string]any)["model"].(map[string]any)
			assert.Equal(t, expand(parse(r["expr"].(string)), recorded).String(), bare(parse(model["expr"].(string))).String(), name)
			wait, ok := r["for"]
			if !ok {
				wait = "0s"
			}
			assert.Equal(t, wait, got["for"], name)
			assert.Equal(t, r["labels"].(map[string]any)["severity"], got["labels"].(map[string]any)["severity"], name)
			ours, theirs := got["annotations"].(map[string]any), r["annotations"].(map[string]any)
			assert.Equal(t, theirs["runbook_url"], ours["runbook_url"], name)
			assert.Equal(t, theirs["summary"], strings.ReplaceAll(ours["summary"].(string), "$values.A.Value", "$value"), name)
		}
	}
	assert.Empty(t, want, "rules of Prometheus that Grafana does not have")
}

// expand replaces recording rules in an expression of comparisons and operators.
func expand(e parser.Expr, recorded map[string]parser.Expr) parser.Expr {
	switch e := e.(type) {
	case *parser.BinaryExpr:
		e.LHS, e.RHS = expand(e.LHS, recorded), expand(e.RHS, recorded)
	case *parser.ParenExpr:
		return expand(e.Expr, recorded)
	case *parser.VectorSelector:
		if r, ok := recorded[e.Name]; ok {
			return r
		}
	}
	return e
}

// bare removes parentheses.
func bare(e parser.Expr) parser.Expr { return expand(e, nil) }
