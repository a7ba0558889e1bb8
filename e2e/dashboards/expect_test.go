// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/incident"
)

// facts are the sources of expected values: what was sent, the console's API, and the documents themselves.
type facts struct {
	sent       sent
	status     engine.Status
	incidents  []incident.Incident
	open       []incident.Anomaly
	series     []engine.SeriesView
	service    string
	incident   incident.Incident
	metric     string // of the selected series
	statistic  string
	templates  map[string]float64 // records of the service by template
	everywhere map[string]float64 // records of all services by template
	memory     float64            // bytes, as the kernel reports them
	planned    float64
}

// check tests the responses of one panel, by their refIds.
type check func(t *testing.T, r map[string]response)

// checks has the expected values of every panel, by the dashboard's uid and the panel's title.
func (f *facts) checks() map[string]check {
	all := map[string]check{}
	for _, m := range []map[string]check{f.overview(), f.ofIncident(), f.ofSeries(), f.ofTemplates(), f.services(), f.self()} {
		maps.Copy(all, m)
	}
	return all
}

// equal expects one value.
func equal(v float64) check {
	return func(t *testing.T, r map[string]response) {
		t.Helper()
		assert.InDelta(t, v, r["A"].only(t), 1e-9*math.Abs(v))
	}
}

// byLabel expects the last value for each value of a label.
func byLabel(label string, want map[string]float64) check {
	return func(t *testing.T, r map[string]response) {
		t.Helper()
		assert.InDeltaMapValues(t, want, r["A"].values(t, label), 1e-9)
	}
}

// within expects values for the keys, all of them between two limits.
func within(label string, keys []string, least, most float64) check {
	return func(t *testing.T, r map[string]response) {
		t.Helper()
		got := r["A"].values(t, label)
		for _, k := range keys {
			assert.Contains(t, got, k)
		}
		require.NotEmpty(t, got)
		for k, v := range got {
			assert.GreaterOrEqual(t, v, least, k)
			assert.LessOrEqual(t, v, most, k)
		}
	}
}

// names expects the values of a field of all documents, each at least once and no others.
func names(field string, want []string) check {
	return func(t *testing.T, r map[string]response) {
		t.Helper()
		got := map[string]bool{}
		for _, h := range r["A"].hits(t) {
			got[h[field].(string)] = true
		}
		assert.ElementsMatch(t, want, slices.Collect(maps.Keys(got)))
	}
}

func (f *facts) overview() map[string]check {
	open, inIncident := map[string]float64{}, map[string]float64{}
	for s := range f.sent.services {
		open[s], inIncident[s] = 0, 0
	}
	for _, a := range f.open {
		open[a.Service]++
	}
	oldest, ids := f.sent.end, []string{}
	for _, i := range f.incidents {
		ids = append(ids, i.ID)
		if i.State != incident.StateOpen {
			continue
		}
		for _, s := range i.Services {
			inIncident[s]++
		}
		if i.Opened.Before(oldest) {
			oldest = i.Opened
		}
	}
	involved := 0.0
	for _, n := range inIncident {
		if n > 0 {
			involved++
		}
	}
	all := slices.Collect(maps.Keys(f.sent.services))
	return map[string]check{
		"auspex-overview/Services in an incident": equal(involved),
		"auspex-overview/Open anomalies":          equal(float64(len(f.open))),
		"auspex-overview/Longest open incident": func(t *testing.T, r map[string]response) {
			t.Helper()
			assert.InDelta(t, f.sent.end.Sub(oldest).Seconds(), r["A"].only(t), time.Minute.Seconds())
		},
		"auspex-overview/Worst services": func(t *testing.T, r map[string]response) {
			t.Helper()
			got := r["A"].values(t, "service_name")
			assert.GreaterOrEqual(t, got[f.service], f.incident.MaxScore-1e-9)
			assert.LessOrEqual(t, len(got), 5)
		},
		"auspex-overview/Incidents":                           names("attributes.incident.id", ids),
		"auspex-overview/Highest score by service":            within("service_name", all, 0, math.MaxFloat64),
		"auspex-overview/Open anomalies by service":           byLabel("service_name", open),
		"auspex-overview/Open incidents by service":           byLabel("service_name", inIncident),
		"auspex-overview/Share of series above the threshold": within("service_name", all, 0, 1),
	}
}

func (f *facts) ofIncident() map[string]check {
	var suspects, anomalies []string
	for _, s := range f.incident.Suspects {
		suspects = append(suspects, s.Service)
	}
	for _, a := range f.open {
		if a.Incident == f.incident.ID {
			anomalies = append(anomalies, a.ID)
		}
	}
	return map[string]check{
		"auspex-incident/Incidents": names("attributes.incident.id", []string{f.incident.ID}),
		"auspex-incident/Evidence": func(t *testing.T, r map[string]response) {
			t.Helper()
			hits := r["A"].hits(t)
			require.Len(t, hits, 1)
			var got []string
			for _, s := range hits[0]["attributes.incident.suspects"].([]any) {
				got = append(got, s.(string))
			}
			assert.Equal(t, suspects, got)
			assert.NotEmpty(t, hits[0]["attributes.incident.evidence"])
		},
		"auspex-incident/Anomalies": func(t *testing.T, r map[string]response) {
			t.Helper()
			open := map[string]bool{} // the newest state of each anomaly comes first
			seen := map[string]bool{}
			for _, h := range r["A"].hits(t) {
				id := h["attributes.anomaly.id"].(string)
				if !seen[id] && h["attributes.anomaly.state"] == "open" {
					open[id] = true
				}
				seen[id] = true
			}
			assert.ElementsMatch(t, anomalies, slices.Collect(maps.Keys(open)))
		},
		"auspex-incident/Highest score of each affected service": within("service_name", f.incident.Services, 0, math.MaxFloat64),
		"auspex-incident/Log records of the affected services": func(t *testing.T, r map[string]response) {
			t.Helper()
			hits := r["A"].hits(t)
			require.NotEmpty(t, hits)
			for _, h := range hits {
				assert.Contains(t, f.incident.Services, h["resource.attributes.service.name"])
				assert.True(t, h["severity_number"].(float64) >= 17 || h["attributes.anomaly.score"] != nil, "%v", h)
			}
		},
	}
}

func (f *facts) ofSeries() map[string]check {
	anomalies := func(t *testing.T, r map[string]response) {
		t.Helper()
		got := map[string]bool{}
		for _, h := range r["A"].hits(t) {
			assert.Equal(t, f.service, h["resource.attributes.service.name"])
			got[h["attributes.anomaly.id"].(string)] = true
		}
		for _, a := range f.open {
			if a.Service == f.service {
				assert.True(t, got[a.ID], "anomaly %s", a.ID)
			}
		}
	}
	return map[string]check{
		"auspex-series/Observed and expected": func(t *testing.T, r map[string]response) {
			t.Helper()
			observed, expected, lower, upper := r["observed"].only(t), r["expected"].only(t), r["lower"].only(t), r["upper"].only(t)
			assert.True(t, slices.ContainsFunc(f.series, func(v engine.SeriesView) bool {
				return v.Expected != nil && v.Observed == observed && *v.Expected == expected && *v.Lower == lower && *v.Upper == upper
			}), "no series of the console has the values %v, %v, %v, %v: %+v", observed, expected, lower, upper, f.series)
		},
		"auspex-series/Scores of all selected series": func(t *testing.T, r map[string]response) {
			t.Helper()
			got := r["A"].values(t, "service_instance_id")
			require.NotEmpty(t, got)
			for k, score := range got {
				assert.True(t, slices.ContainsFunc(f.series, func(v engine.SeriesView) bool { return v.Score == score }), "%s: %v", k, score)
			}
		},
		"auspex-series/Anomalies of the service": anomalies,
	}
}

func (f *facts) ofTemplates() map[string]check {
	total := 0.0
	for _, n := range f.sent.severities[f.service] {
		total += n
	}
	return map[string]check{
		"auspex-log-templates/Records by template": func(t *testing.T, r map[string]response) {
			t.Helper()
			got := r["A"].buckets(t)
			assert.Len(t, got, min(8, len(f.templates)))
			for k, n := range got {
				assert.InDelta(t, f.templates[k], n, 0, k)
			}
		},
		"auspex-log-templates/Records by severity": func(t *testing.T, r map[string]response) {
			t.Helper()
			assert.Equal(t, f.sent.severities[f.service], r["A"].buckets(t))
		},
		"auspex-log-templates/Templates": func(t *testing.T, r map[string]response) {
			t.Helper()
			assert.Equal(t, f.templates, r["A"].buckets(t))
		},
		"auspex-log-templates/Anomalies in logs": func(t *testing.T, r map[string]response) {
			t.Helper()
			hits := r["A"].hits(t)
			require.NotEmpty(t, hits)
			for _, h := range hits {
				assert.Contains(t, h["attributes.anomaly.metric"], "auspex.log.")
			}
		},
		"auspex-log-templates/Log records": func(t *testing.T, r map[string]response) {
			t.Helper()
			assert.Len(t, r["A"].hits(t), int(min(200, total)))
		},
	}
}

func (f *facts) services() map[string]check {
	return map[string]check{
		"auspex-services/Service graph": func(t *testing.T, r map[string]response) {
			t.Helper()
			nodes, edges := r["nodes"].values(t, "id"), r["edges"].values(t, "id")
			for s := range f.sent.services {
				assert.Contains(t, nodes, s)
			}
			for c := range f.sent.calls {
				assert.Positive(t, edges[c[0]+" → "+c[1]], "%v", c)
			}
			for _, end := range []string{"source", "target"} {
				for name := range r["edges"].values(t, end) {
					assert.Contains(t, nodes, name, "an edge without a node")
				}
			}
		},
		"auspex-services/Calls per second":      within("server", f.called(), 0, math.MaxFloat64),
		"auspex-services/Share of failed calls": within("server", nil, 0, 1),
		"auspex-services/Duration at p95":       within("server", f.called(), 0, time.Minute.Seconds()),
	}
}

// called lists the services that others call.
func (f *facts) called() []string {
	names := map[string]bool{}
	for c := range f.sent.calls {
		names[c[1]] = true
	}
	return slices.Collect(maps.Keys(names))
}

func (f *facts) self() map[string]check {
	alphas, refused := map[string]float64{}, map[string]float64{}
	for signal, spent := range f.status.Signals {
		alphas[signal.String()] = spent.Alpha
	}
	for reason, n := range f.status.Refused {
		refused[reason] = float64(n)
	}
	tracked := float64(f.status.Series)
	near := func(v float64) check {
		return func(t *testing.T, r map[string]response) {
			t.Helper()
			assert.InEpsilon(t, v, r["A"].only(t), .5)
		}
	}
	return map[string]check{
		"auspex-self/Series":            equal(tracked),
		"auspex-self/Points per second": within("", nil, 1, math.MaxFloat64),
		"auspex-self/Memory":            near(f.memory),
		"auspex-self/CPU":               within("", nil, 1e-3, 64),
		"auspex-self/Planned memory":    near(f.memory + 14_890*(f.planned-tracked)),
		"auspex-self/Planned CPU":       within("", nil, 1e-3, math.MaxFloat64),
		"auspex-self/Series over time": func(t *testing.T, r map[string]response) {
			t.Helper()
			assert.InDelta(t, tracked, r["A"].only(t), 0)
			assert.InDelta(t, 0, r["B"].only(t), 0)
		},
		"auspex-self/Memory over time": func(t *testing.T, r map[string]response) {
			t.Helper()
			assert.InEpsilon(t, f.memory, r["A"].only(t), .5)
			assert.Less(t, r["B"].only(t), r["A"].only(t))
		},
		"auspex-self/CPU over time": within("", nil, 1e-3, 64),
		"auspex-self/α":             byLabel("signal", alphas),
		"auspex-self/Anomalies": func(t *testing.T, r map[string]response) {
			t.Helper()
			assert.InDelta(t, float64(f.status.AnomaliesOpened), r["A"].only(t), 0)
			assert.InDelta(t, float64(len(f.open)), r["B"].only(t), 0)
		},
		"auspex-self/Data points that were not observed": byLabel("reason", refused),
		"auspex-self/Fill level of queues":               within("exporter", []string{"elasticsearch"}, 0, 1),
		"auspex-self/Items per second that exporters sent": func(t *testing.T, r map[string]response) {
			t.Helper()
			assert.Contains(t, r["A"].values(t, "exporter"), "prometheus_remote_write")
			assert.Contains(t, r["B"].values(t, "exporter"), "elasticsearch")
			assert.Contains(t, r["C"].values(t, "exporter"), "elasticsearch")
		},
	}
}
