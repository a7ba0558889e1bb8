// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package kibana

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "write the fixture of Lens panels")

// lensFixture lists the settings of Lens panels that Kibana 9.2.2's own builder generated: kind, path, and type, one per line.
const lensFixture = "testdata/lens-9.2.2.txt"

// builderPanels are the names of the builder's panels by the kinds of ours.
var builderPanels = map[kind]string{number: "metric-basic", table: "datatable-multi-column", curves: "xy-chart", bars: "xy-chart-bar-stacked"}

// omitted are settings of the builder's panels that ours do not have.
var omitted = []string{
	"state.adHocDataViews.*",                  // ours refer to saved data views
	"state.internalReferences.[]",             // of ad-hoc data views
	visualization + "layers.[].splitAccessor", // bars are not split
	// What follows has defaults in Kibana.
	visualization + "axisTitlesVisibilitySettings", visualization + "tickLabelsVisibilitySettings",
	visualization + "gridlinesVisibilitySettings", visualization + "labelsOrientation",
	visualization + "emphasizeFitting", visualization + "hideEndzones", visualization + "yLeftExtent",
	visualization + "layers.[].yConfig",
	layers + "columns.terms.params.orderBy.fallback", // of alphabetical order
}

// unproven are settings of ours that none of the builder's panels have. Only an import into Kibana can confirm them.
var unproven = []string{
	"type", // of the saved object
	"references.[]",
	layers + "incompleteColumns",
	layers + "columns.count", layers + "columns.unique_count", layers + "columns.max",
	layers + "columns.terms.customLabel", layers + "columns.terms.params.orderBy.columnId",
	layers + "columns.date_histogram.params.includeEmptyRows", layers + "columns.date_histogram.params.dropPartials",
}

const (
	layers        = "state.datasourceStates.formBased.layers.*."
	visualization = "state.visualization."
)

// paths returns the types of all settings by their paths. A layer is *, a column is its operation, and an element of a list is [].
func paths(v any) map[string]string {
	m := map[string]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		join := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
		switch v := v.(type) {
		case object:
			m[path] = "object"
			for name, inner := range v {
				if strings.HasSuffix(path, ".layers") || path == "state.adHocDataViews" {
					name = "*"
				}
				if column, ok := inner.(object); ok && strings.HasSuffix(path, ".columns") {
					name = column["operationType"].(string)
				}
				walk(join(name), inner)
			}
		case []any:
			m[path] = "list"
			for _, inner := range v {
				walk(join("[]"), inner)
			}
		case float64:
			m[path] = "number"
		default:
			m[path] = fmt.Sprintf("%T", v) // string or bool
		}
	}
	walk("", v)
	delete(m, "")
	return m
}

// decodedLens returns the attributes of a panel as Kibana reads them.
func decodedLens(t *testing.T, p Panel) any {
	t.Helper()
	text, err := json.Marshal(p.lens(object{"type": "index-pattern", "id": p.view.id, "name": "indexpattern-datasource-layer-" + layer}))
	require.NoError(t, err)
	var v any
	require.NoError(t, json.Unmarshal(text, &v))
	return v
}

// readLens returns the fixture: types by paths by kinds.
func readLens(t *testing.T) map[kind]map[string]string {
	t.Helper()
	text, err := os.ReadFile(lensFixture)
	require.NoError(t, err)
	m := map[kind]map[string]string{}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && !strings.HasPrefix(line, "#") {
			if m[kind(fields[0])] == nil {
				m[kind(fields[0])] = map[string]string{}
			}
			m[kind(fields[0])][fields[1]] = fields[2]
		}
	}
	require.Len(t, m, len(builderPanels))
	return m
}

func within(path string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return path == p || strings.HasPrefix(path, p+".") })
}

// TestShapeOfKibanasOwnPanels compares the names and types of settings with those of panels that Kibana's own builder generated.
func TestShapeOfKibanasOwnPanels(t *testing.T) {
	fixture := readLens(t)
	known := map[string]string{}
	for _, m := range fixture {
		maps.Copy(known, m)
	}
	used := map[string]bool{}
	seen := map[kind]bool{}
	for _, d := range Dashboards() {
		for _, p := range d.Panels {
			seen[p.kind] = true
			ours := paths(decodedLens(t, p))
			for path, want := range fixture[p.kind] {
				if !within(path, omitted) && hasColumn(ours, path) {
					assert.Equal(t, want, ours[path], "%s: %s", p.Title, path)
				}
			}
			for path, kind := range ours {
				if within(path, unproven) {
					used[path] = true
					assert.NotContains(t, known, path, "a builder's panel has it, so it is not unproven")
					continue
				}
				assert.Equal(t, known[path], kind, "%s: %s is in no builder's panel: add it to unproven and to the guide", p.Title, path)
			}
		}
	}
	assert.Len(t, seen, len(builderPanels))
	for _, u := range unproven {
		assert.True(t, used[u], "no panel has %s", u)
	}
}

// hasColumn reports whether a panel has the column that a path leads into. Formulas of the builder's panels, for example, are
// other operations in ours.
func hasColumn(panel map[string]string, path string) bool {
	_, inner, ok := strings.Cut(path, layers+"columns.")
	operation, _, _ := strings.Cut(inner, ".")
	return !ok || panel[layers+"columns."+operation] != ""
}

// TestLensFixture derives the fixture from the builder's panels. KIBANA_LENS is a folder with them, which is no part of the
// repository; with -rewrite, the test writes the fixture.
func TestLensFixture(t *testing.T) {
	folder := os.Getenv("KIBANA_LENS")
	if folder == "" {
		t.Skip("KIBANA_LENS is not set: state a folder with *-dataview.json panels of Kibana's builder")
	}
	var lines []string
	for kind, name := range builderPanels {
		text, err := os.ReadFile(filepath.Join(folder, name+"-dataview.json"))
		require.NoError(t, err)
		var panel any
		require.NoError(t, json.Unmarshal(text, &panel))
		for path, kindOfValue := range paths(panel) {
			lines = append(lines, fmt.Sprintf("%s %s %s\n", kind, path, kindOfValue))
		}
	}
	slices.Sort(lines)
	text, err := os.ReadFile(lensFixture)
	require.NoError(t, err)
	head, _, _ := strings.Cut(string(text), "\n\n")
	want := head + "\n\n" + strings.Join(lines, "")
	if *rewrite {
		require.NoError(t, os.WriteFile(lensFixture, []byte(want), 0o600))
		return
	}
	assert.Equal(t, want, string(text))
}
