// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/dashboards/kibana"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/peertest"
)

// answer is the result of a panel of Kibana: its value, or its values by group.
type answer struct {
	total  float64
	groups map[string]float64
}

// bucket is one group of a response. Its value is the measure, or the number of documents.
type bucket struct {
	Key     any     `json:"key"`
	Count   float64 `json:"doc_count"`
	Measure *struct{ Value float64 }
	Times   *struct{ Buckets []json.RawMessage }
}

// ask sends a _search request to a node.
func ask(t *testing.T, es *peertest.Elasticsearch, index string, query map[string]any) json.RawMessage {
	t.Helper()
	text, err := es.Do(t.Context(), http.MethodPost, "/"+index+"/_search", string(marshal(t, query)))
	require.NoError(t, err)
	return text
}

func read(t *testing.T, text []byte) answer {
	t.Helper()
	var body struct {
		Hits         struct{ Total struct{ Value float64 } }
		Aggregations struct {
			Measure *struct{ Value float64 }
			Groups  *struct{ Buckets []bucket }
		}
	}
	require.NoError(t, json.Unmarshal(text, &body))
	a := answer{total: body.Hits.Total.Value, groups: map[string]float64{}}
	require.Positive(t, a.total, "the response shows nothing")
	if m := body.Aggregations.Measure; m != nil {
		a.total = m.Value
	}
	if body.Aggregations.Groups == nil {
		return a
	}
	require.NotEmpty(t, body.Aggregations.Groups.Buckets, "the response shows nothing")
	for _, b := range body.Aggregations.Groups.Buckets {
		v := b.Count
		if b.Measure != nil {
			v = b.Measure.Value
		}
		if b.Times != nil {
			assert.NotEmpty(t, b.Times.Buckets, b.Key)
		}
		a.groups[fmt.Sprint(b.Key)] = v
	}
	return a
}

// drawnPanel is a panel in the form of the dashboards API, with the response to its body.
type drawnPanel struct {
	Panel    json.RawMessage `json:"panel"`
	Response json.RawMessage `json:"response"`
}

// kibana runs the body of every panel and of every alert rule on a node, and draws the panels.
func (f *facts) kibana(t *testing.T, es *peertest.Elasticsearch, b *backends) {
	t.Helper()
	want := f.ofKibana()
	bodies, err := kibana.Bodies()
	require.NoError(t, err)
	for _, d := range kibana.Dashboards() {
		var body struct{ Panels []json.RawMessage }
		require.NoError(t, json.Unmarshal(bodies[d.ID], &body))
		var drawn []drawnPanel
		for i, p := range d.Panels {
			check, ok := want[p.Title]
			require.True(t, ok, "%s has no expected value: add one to ofKibana", p.Title)
			delete(want, p.Title)
			response := ask(t, es, p.Index(), p.Search(b.start, b.end))
			drawn = append(drawn, drawnPanel{body.Panels[i], response})
			t.Run(p.Title, func(t *testing.T) { check(t, read(t, response)) })
		}
		draw(t, "kibana.html", "kibana-"+strings.TrimPrefix(d.ID, "auspex-"), d.Title, b, drawn)
	}
	assert.Empty(t, want, "expected values without a panel")
	for _, r := range kibana.Rules() {
		t.Run(r.Name, func(t *testing.T) { f.fires(t, r, read(t, ask(t, es, r.Index(), r.Search(b.end)))) })
	}
}

// fires checks that a rule opens an alert for each incident or anomaly that the console shows as open, and for no other.
func (f *facts) fires(t *testing.T, r kibana.Rule, a answer) {
	t.Helper()
	var open, alerts []string
	switch r.Name {
	case "Auspex: open incident":
		for _, i := range f.incidents {
			if i.State == incident.StateOpen {
				open = append(open, i.ID)
			}
		}
	case "Auspex: open anomaly":
		for _, o := range f.open {
			open = append(open, o.ID)
		}
		assert.Len(t, a.groups, int(f.status.AnomaliesOpened))
		assert.Greater(t, len(a.groups), len(open), "no anomaly has closed, so the test cannot show that the rule is quiet then")
	}
	require.NotEmpty(t, open, "the rule has no expected value: add one to fires")
	for id, value := range a.groups {
		if r.Fires(value) {
			alerts = append(alerts, id)
		}
	}
	assert.ElementsMatch(t, open, alerts)
}

// ofKibana has the expected values of the panels by their titles.
func (f *facts) ofKibana() map[string]func(*testing.T, answer) {
	open, top := 0.0, 0.0
	causes, affected, suspects, scores := map[string]float64{}, map[string]float64{}, map[string]float64{}, map[string]float64{}
	for _, i := range f.incidents {
		if i.State == incident.StateOpen {
			open++
		}
		top = max(top, i.MaxScore)
		scores[i.ID] = i.MaxScore
		causes[i.Suspects[0].Service]++
		for _, s := range i.Services {
			affected[s]++
		}
		for _, s := range i.Suspects {
			suspects[s.Service]++
		}
	}
	severities, services := map[string]float64{}, map[string]float64{}
	for service, counts := range f.sent.severities {
		for severity, n := range counts {
			severities[severity] += n
			services[service] += n
		}
	}
	total := func(v float64) func(*testing.T, answer) {
		return func(t *testing.T, a answer) {
			t.Helper()
			assert.InDelta(t, v, a.total, 1e-9)
		}
	}
	groups := func(m map[string]float64) func(*testing.T, answer) {
		return func(t *testing.T, a answer) {
			t.Helper()
			assert.InDeltaMapValues(t, m, a.groups, 1e-9)
		}
	}
	sum := func(v float64) func(*testing.T, answer) {
		return func(t *testing.T, a answer) {
			t.Helper()
			got := 0.0
			for _, n := range a.groups {
				got += n
			}
			assert.InDelta(t, v, got, 1e-9, "%v", a.groups)
		}
	}
	// A score that rises a little is not an event, so the document can have a lower score than the console.
	near := func(t *testing.T, want, got float64) {
		t.Helper()
		assert.InEpsilon(t, want, got, .25)
		assert.LessOrEqual(t, got, want+1e-9)
	}
	highest := func(t *testing.T, a answer) {
		t.Helper()
		near(t, top, slices.Max(slices.Collect(maps.Values(a.groups))))
	}
	opened := float64(f.status.AnomaliesOpened)
	return map[string]func(*testing.T, answer){
		"Open incidents": total(open), "Incidents": total(float64(len(f.incidents))), "Anomalies": total(opened),
		"Highest score": func(t *testing.T, a answer) {
			t.Helper()
			near(t, top, a.total)
		},
		"Incidents by likely cause": groups(causes), "Highest score by service": highest, "Anomalies over time": sum(opened),
		"Incidents by score": func(t *testing.T, a answer) {
			t.Helper()
			assert.Len(t, a.groups, len(scores))
			for id, score := range scores {
				near(t, score, a.groups[id])
			}
		},
		"Affected services": groups(affected), "Suspects": groups(suspects),
		"Evidence": func(t *testing.T, a answer) {
			t.Helper()
			assert.LessOrEqual(t, len(f.incidents), len(a.groups))
		},
		"Anomalies by metric": sum(opened), "Scores over time": highest,
		"Records over time": func(t *testing.T, a answer) {
			t.Helper()
			for name, n := range a.groups {
				assert.InDelta(t, f.everywhere[name], n, 0, name)
			}
		},
		"Templates": func(t *testing.T, a answer) {
			t.Helper()
			assert.Len(t, a.groups, min(100, len(f.everywhere)))
			for name, n := range a.groups {
				assert.InDelta(t, f.everywhere[name], n, 0, name)
			}
		},
		"Records by severity": groups(severities), "Records by service": groups(services),
		"Anomalies in logs": func(t *testing.T, a answer) {
			t.Helper()
			assert.Positive(t, a.groups[f.service])
		},
	}
}
