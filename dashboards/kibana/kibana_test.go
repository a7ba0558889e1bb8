// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package kibana

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCommittedFilesAreCurrent(t *testing.T) {
	want := map[string][]byte{}
	var err error
	want["auspex.ndjson"], err = Objects()
	require.NoError(t, err)
	for folder, generate := range map[string]func() (map[string][]byte, error){"dashboards": Bodies, "rules": RuleBodies} {
		bodies, err := generate()
		require.NoError(t, err)
		for id, body := range bodies {
			want[filepath.Join(folder, id+".json")] = body
		}
		names, err := filepath.Glob(filepath.Join(folder, "*"))
		require.NoError(t, err)
		assert.Len(t, names, len(bodies), "files that no program generates")
	}
	for name, text := range want {
		got, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.Equal(t, string(text), string(got), "%s is out of date: go run ./dashboards/generate", name)
	}
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
