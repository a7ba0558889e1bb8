// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package kibana

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/dashboards/prometheus"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// schema has the keys of requests by their objects.
type schema map[string]map[string]key

type key struct {
	kind     string
	required bool
}

// readSchema returns the requests of Kibana's documentation.
func readSchema(t *testing.T) schema {
	t.Helper()
	text, err := os.ReadFile("testdata/api.txt")
	require.NoError(t, err)
	s := schema{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		path, kind, ok := strings.Cut(strings.TrimSpace(line), " ")
		require.True(t, ok, line)
		name, field, ok := strings.Cut(path, ".")
		require.True(t, ok, line)
		if s[name] == nil {
			s[name] = map[string]key{}
		}
		s[name][strings.TrimSuffix(field, "!")] = key{kind, strings.HasSuffix(field, "!")}
	}
	return s
}

// faults returns what is wrong with a value of a kind, by its path.
func (s schema) faults(path, kind string, v any) []string {
	switch {
	case strings.HasPrefix(kind, "["):
		list, ok := v.([]any)
		if !ok {
			return []string{path + ": not a list"}
		}
		var all []string
		for _, inner := range list {
			all = append(all, s.faults(path, strings.Trim(kind, "[]"), inner)...)
		}
		return all
	case strings.HasSuffix(kind, "/"):
		name, _ := v.(object)["type"].(string)
		return s.faults(path, kind+name, v)
	case s[kind] != nil:
		return s.ofObject(path, kind, v)
	}
	valid := false
	switch v := v.(type) {
	case string:
		valid = kind == "string" || slices.Contains(strings.Split(strings.TrimPrefix(kind, "="), "|"), v)
	case float64:
		valid = kind == "number"
	case bool:
		valid = kind == "bool"
	}
	if !valid {
		return []string{path + ": not " + kind}
	}
	return nil
}

func (s schema) ofObject(path, kind string, v any) (all []string) {
	o, ok := v.(object)
	if !ok {
		return []string{path + ": not an object"}
	}
	for name, inner := range o {
		k, ok := s[kind][name]
		if !ok {
			all = append(all, path+"."+name+": unknown")
			continue
		}
		all = append(all, s.faults(path+"."+name, k.kind, inner)...)
	}
	for name, k := range s[kind] {
		if _, ok := o[name]; k.required && !ok {
			all = append(all, path+"."+name+": missing")
		}
	}
	return all
}

// decodedBodies returns bodies as Kibana reads them.
func decodedBodies(t *testing.T, generate func() (map[string][]byte, error)) map[string]object {
	t.Helper()
	bodies, err := generate()
	require.NoError(t, err)
	decoded := map[string]object{}
	for id, body := range bodies {
		var o object
		require.NoError(t, json.Unmarshal(body, &o))
		decoded[id] = o
	}
	return decoded
}

// TestBodiesHaveTheDocumentedShape compares the requests with Kibana's documentation.
func TestBodiesHaveTheDocumentedShape(t *testing.T) {
	s := readSchema(t)
	for id, body := range decodedBodies(t, Bodies) {
		assert.Empty(t, s.faults(id, "dashboard", body))
	}
	for id, body := range decodedBodies(t, RuleBodies) {
		assert.Empty(t, s.faults(id, "rule", body))
	}
	// The comparison finds what is wrong.
	broken := object{"title": 1.0, "panels": []any{object{"type": "vis", "config": object{"type": "pie"}}}, "other": true}
	assert.ElementsMatch(t, []string{
		".title: not string", ".other: unknown", ".panels.grid: missing", ".panels.config: not chart/pie",
	}, s.faults("", "dashboard", broken))
}

// TestBothFormsOfADashboard compares the panels of the dashboards API with those of the saved objects: places, data views, and queries.
func TestBothFormsOfADashboard(t *testing.T) {
	bodies := decodedBodies(t, Bodies)
	n := 0
	for _, o := range objects(t) {
		if o["type"] != "dashboard" {
			continue
		}
		n++
		body := bodies[o["id"].(string)]
		require.NotNil(t, body, o["id"])
		attributes := o["attributes"].(object)
		assert.Equal(t, attributes["title"], body["title"])
		assert.Equal(t, attributes["description"], body["description"])
		var panels []object
		require.NoError(t, json.Unmarshal([]byte(attributes["panelsJSON"].(string)), &panels))
		require.Len(t, body["panels"], len(panels))
		for i, p := range panels {
			ours := body["panels"].([]any)[i].(object)
			config := ours["config"].(object)
			assert.Equal(t, p["title"], config["title"])
			grid := maps.Clone(p["gridData"].(object))
			assert.Equal(t, ours["id"], grid["i"])
			delete(grid, "i")
			assert.Equal(t, grid, ours["grid"])
			lens := p["embeddableConfig"].(object)["attributes"].(object)
			query, _ := config["query"].(object)
			if query == nil {
				query = object{"expression": "", "language": "lucene"}
			}
			want := lens["state"].(object)["query"]
			assert.Equal(t, want, object{"query": query["expression"], "language": query["language"]})
			if list, ok := config["layers"].([]any); ok {
				config = list[0].(object)
			}
			assert.Equal(t, lens["references"].([]any)[0].(object)["id"], config["data_source"].(object)["ref_id"])
		}
	}
	assert.Len(t, bodies, n)
}

// uuid has the form of the ids that Kibana accepts for rules.
var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// TestRulesAreComplete checks that each rule is about open anomalies or incidents and has what a rule for Prometheus has.
func TestRulesAreComplete(t *testing.T) {
	alerts, err := prometheus.Alerts()
	require.NoError(t, err)
	bodies := decodedBodies(t, RuleBodies)
	var about []string
	for _, r := range Rules() {
		body := bodies[r.ID]
		assert.Regexp(t, uuid, r.ID)
		assert.True(t, strings.HasPrefix(r.Name, "Auspex: "))
		i := slices.IndexFunc(alerts, func(a prometheus.Alert) bool { return a.Name == r.alert })
		require.GreaterOrEqual(t, i, 0)
		assert.Equal(t, []any{"auspex", "severity:" + alerts[i].Severity, "runbook:" + vocabulary.Runbook(r.alert)}, body["tags"])
		params := body["params"].(object)
		assert.Equal(t, []any{r.view.title}, params["index"])
		var query object
		require.NoError(t, json.Unmarshal([]byte(params["esQuery"].(string)), &query))
		assert.Contains(t, query, "query")
		about = append(about, r.by)
	}
	assert.Equal(t, []string{attribute(vocabulary.AttrIncidentID), attribute(vocabulary.AttrAnomalyID)}, about)
	assert.InDelta(t, 10, bodies[Rules()[1].ID]["alert_delay"].(object)["active"], 0, "for: 10m at one run per minute")
}
