// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// demoOverlay adds to the default configuration a pipeline that sends the engine's findings to Elasticsearch.
const demoOverlay = `
exporters:
  elasticsearch:
    endpoint: %s
service:
  pipelines:
    metrics/findings:
      exporters: [elasticsearch]
    logs/findings:
      exporters: [elasticsearch]
`

// demoScript replaces the collector that the demo starts. Its state outlives the demo.
const demoScript = `#!/bin/sh
export AUSPEX_STATE_DIR='%s'
exec '%s' --config=auspex:default --config='%s'
`

// sight is one observation of an incident's document.
type sight struct {
	state     string
	version   int64
	updated   string
	anomalies float64
}

// incidents holds all observations of every document of the index, by its id.
type incidents map[string][]sight

// TestDemoIncident runs the demo with the default configuration and Elasticsearch. It reads the incident of the
// broken service by its id and verifies that one document opens and changes. The demo ends before the fault does. The
// test then replays the same shop without the fault into the same state, and verifies that the incident closes.
func TestDemoIncident(t *testing.T) {
	needPeers(t)
	program := filepath.Join(peertest.Root(t), "bin", "auspex-demo")
	require.FileExists(t, program, "run make bin/auspex-demo")
	es := peertest.StartElasticsearch(t, 8)
	folder := t.TempDir()
	overlay, script := filepath.Join(folder, "overlay.yaml"), filepath.Join(folder, "collector")
	require.NoError(t, os.WriteFile(overlay, fmt.Appendf(nil, demoOverlay, es.URL), 0o600))
	require.NoError(t, os.WriteFile(script, fmt.Appendf(nil, demoScript, filepath.Join(folder, "state"), peertest.CollectorProgram(t), overlay), 0o700))
	play := func(fault string, seen incidents, enough func() bool) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		defer cancel()
		demo := peertest.Program{
			Name: "the demo", Path: program, Args: []string{"-collector", script}, Log: filepath.Join(t.TempDir(), "demo.log"),
			Env: []string{"CI=true", fmt.Sprintf("SEED=%d", number(t, "AUSPEX_E2E_SEED", 1)), "FAULT=" + fault},
		}.Start(t)
		for demo.Running() && ctx.Err() == nil && !enough() {
			time.Sleep(200 * time.Millisecond)
			seen.look(t, es)
		}
		if demo.Running() {
			demo.Stop()
		}
		seen.look(t, es)
		return demo.Log(), demo.Wait(ctx)
	}

	seen := incidents{}
	output, err := play("", seen, func() bool { return false })
	require.NoError(t, err, "the demo:\n%s", output)
	lines := strings.Split(strings.TrimSpace(output), "\n")
	var answer struct{ Broken string }
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &answer))
	t.Logf("last line of the demo: %s", lines[len(lines)-1])
	id := newestOf(t, es, answer.Broken)
	t.Logf("at the end of the demo, of %d incidents:\n%s", len(seen), read(t, es, id))
	require.NotEmpty(t, seen[id])
	last := func() sight { return seen[id][len(seen[id])-1] }
	assert.Equal(t, "open", last().state)

	output, _ = play("none", seen, func() bool { return last().state == "closed" })
	t.Logf("without the fault:\n%s\noutput of the demo:\n%s", read(t, es, id), output)
	var sights strings.Builder
	for _, s := range seen[id] {
		fmt.Fprintf(&sights, "\n%s at %s, version %d, anomalies %v", s.state, s.updated, s.version, s.anomalies)
	}
	t.Logf("observations of incident %s:%s", id, sights.String())
	assert.Equal(t, "closed", last().state, "the demo without a fault:\n%s", output)
	assert.Greater(t, len(seen[id]), 1, "number of observations of the incident")
	same, err := es.Search(t.Context(), "*", fmt.Sprintf(`{"bool":{"filter":[{"term":{"attributes.incident.id":%q}},{"term":{"event_name":"auspex.incident"}}]}}`, id))
	require.NoError(t, err)
	assert.Len(t, same, 1, "number of documents of the incident")
	all, err := es.Search(t.Context(), "auspex-incidents", "")
	require.NoError(t, err)
	for _, h := range all {
		assert.Equal(t, h.ID, h.Source["attributes"].(map[string]any)["incident.id"])
	}
	t.Logf("%d incidents, a document each, all under their own ids", len(all))
}

// newestOf returns the id of the most recently updated incident that suspects a service.
func newestOf(t *testing.T, es *peertest.Elasticsearch, service string) string {
	t.Helper()
	hits, err := es.Search(t.Context(), "auspex-incidents", fmt.Sprintf(`{"term":{"attributes.incident.suspects":%q}}`, service))
	require.NoError(t, err)
	require.NotEmpty(t, hits, "no incident names %s", service)
	newest := hits[0]
	for _, h := range hits {
		if fmt.Sprint(h.Source["@timestamp"]) > fmt.Sprint(newest.Source["@timestamp"]) {
			newest = h
		}
	}
	return newest.ID
}

// read returns an incident's document in Elasticsearch's response format.
func read(t *testing.T, es *peertest.Elasticsearch, id string) string {
	t.Helper()
	path := "/auspex-incidents/_doc/" + id
	text, err := es.Do(t.Context(), http.MethodGet, path, "")
	require.NoError(t, err)
	return "GET " + path + "\n" + string(text)
}

// look adds the changes since the last call.
func (seen incidents) look(t *testing.T, es *peertest.Elasticsearch) {
	t.Helper()
	text, err := es.Do(t.Context(), http.MethodPost, "/auspex-incidents/_refresh?ignore_unavailable=true", "")
	require.NoError(t, err, "%s", text)
	text, err = es.Do(t.Context(), http.MethodPost, "/auspex-incidents/_search?ignore_unavailable=true", `{"version":true,"size":1000}`)
	require.NoError(t, err)
	var answer struct {
		Hits struct {
			Hits []struct {
				peertest.Hit
				Version int64 `json:"_version"`
			} `json:"hits"`
		} `json:"hits"`
	}
	require.NoError(t, json.Unmarshal(text, &answer))
	for _, h := range answer.Hits.Hits {
		attributes := h.Source["attributes"].(map[string]any)
		anomalies, _ := attributes["incident.anomalies"].(float64)
		s := sight{fmt.Sprint(attributes["incident.state"]), h.Version, fmt.Sprint(h.Source["@timestamp"]), anomalies}
		if before := seen[h.ID]; len(before) == 0 || before[len(before)-1] != s {
			seen[h.ID] = append(before, s)
		}
	}
}
