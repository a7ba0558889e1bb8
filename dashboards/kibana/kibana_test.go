// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package kibana

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCommittedFileIsCurrent(t *testing.T) {
	want, err := Objects()
	require.NoError(t, err)
	got, err := os.ReadFile("auspex.ndjson")
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "auspex.ndjson is out of date: go run ./dashboards/generate")
}

func objects(t *testing.T) []object {
	t.Helper()
	text, err := Objects()
	require.NoError(t, err)
	var list []object
	for line := range bytes.Lines(text) {
		var o object
		require.NoError(t, json.Unmarshal(line, &o))
		list = append(list, o)
	}
	return list
}

// TestReferencesLeadToObjects checks that each reference leads to an object of the file, and that each panel finds its data view.
func TestReferencesLeadToObjects(t *testing.T) {
	known := map[string]bool{}
	for _, o := range objects(t) {
		key := o["type"].(string) + "/" + o["id"].(string)
		assert.False(t, known[key], "%s exists twice", key)
		known[key] = true
	}
	assert.Len(t, known, len(views)+1+len(Dashboards()))
	for _, o := range objects(t) {
		names := map[string]bool{}
		for _, r := range o["references"].([]any) {
			r := r.(object)
			assert.True(t, known[r["type"].(string)+"/"+r["id"].(string)], "%v", r)
			names[r["name"].(string)] = true
		}
		if o["type"] != "dashboard" {
			continue
		}
		var panels []object
		require.NoError(t, json.Unmarshal([]byte(o["attributes"].(object)["panelsJSON"].(string)), &panels))
		for _, p := range panels {
			assert.True(t, names[p["panelIndex"].(string)+":indexpattern-datasource-layer-"+layer], "%v", p["title"])
		}
		assert.Len(t, names, len(panels))
	}
}

func TestPanelsHaveTheirOwnPlace(t *testing.T) {
	for _, o := range objects(t) {
		if o["type"] != "dashboard" {
			continue
		}
		var panels []struct {
			Title    string
			GridData struct{ X, Y, W, H int }
		}
		require.NoError(t, json.Unmarshal([]byte(o["attributes"].(object)["panelsJSON"].(string)), &panels))
		cells := map[[2]int]string{}
		for _, p := range panels {
			g := p.GridData
			assert.LessOrEqual(t, g.X+g.W, columnsOfGrid, p.Title)
			for x := range g.W {
				for y := range g.H {
					at := [2]int{g.X + x, g.Y + y}
					assert.Empty(t, cells[at], "%s overlaps %s", p.Title, cells[at])
					cells[at] = p.Title
				}
			}
		}
	}
}

// TestShapeOfKibanasOwnPanels compares the names of settings with panels that Kibana's own builder generated.
// KIBANA_LENS is a folder with such panels; it is not part of the repository.
func TestShapeOfKibanasOwnPanels(t *testing.T) {
	folder := os.Getenv("KIBANA_LENS")
	if folder == "" {
		t.Skip("KIBANA_LENS is not set: state a folder with *-dataview.json panels of Kibana's builder")
	}
	for kind, file := range map[kind]string{number: "metric-basic", table: "datatable-multi-column", curves: "xy-chart", bars: "xy-chart-bar-stacked"} {
		text, err := os.ReadFile(filepath.Join(folder, file+"-dataview.json"))
		require.NoError(t, err)
		var theirs object
		require.NoError(t, json.Unmarshal(text, &theirs))
		n := 0
		for _, d := range Dashboards() {
			for _, p := range d.Panels {
				if p.kind != kind {
					continue
				}
				n++
				plain, err := json.Marshal(p.lens(object{}))
				require.NoError(t, err)
				var ours object
				require.NoError(t, json.Unmarshal(plain, &ours))
				assert.Equal(t, theirs["visualizationType"], ours["visualizationType"], p.Title)
				state, want := ours["state"].(object), theirs["state"].(object)
				for name := range want {
					assert.Contains(t, state, name, p.Title)
				}
				layers := state["visualization"].(object)["layers"]
				if layers == nil {
					assert.Subset(t, append(keys(want["visualization"].(object)), "columns"), keys(state["visualization"].(object)), p.Title)
					continue
				}
				theirLayer := want["visualization"].(object)["layers"].([]any)[0].(object)
				assert.Subset(t, append(keys(theirLayer), "splitAccessor"), keys(layers.([]any)[0].(object)), p.Title)
			}
		}
		assert.Positive(t, n, kind)
	}
}

func keys(m object) []string { return slices.Collect(maps.Keys(m)) }
