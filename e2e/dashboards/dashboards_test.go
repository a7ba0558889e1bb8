// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/elasticsearch"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/dashboards"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/peertest"
)

// overlay adds to auspex:gateway what the dashboards show: logs, traces, and events in Elasticsearch, and the service graph.
const overlay = `
receivers:
  findings:
    gauge_interval: 1s
processors:
  anomaly:
    output:
      select: all
connectors:
  service_graph:
    metrics_flush_interval: 2s
    store: {ttl: 2s, max_items: 10000}
exporters:
  elasticsearch: &elasticsearch
    endpoint: %s
    sending_queue:
      storage: file_storage/engine
    retry_on_failure:
      max_elapsed_time: 0s
  elasticsearch/9:
    <<: *elasticsearch
    endpoint: %s
service:
  pipelines:
    logs:
      exporters: [elasticsearch, elasticsearch/9]
    traces:
      exporters: [elasticsearch, service_graph]
    metrics/graph:
      receivers: [service_graph]
      exporters: [prometheus_remote_write]
    logs/findings:
      exporters: [elasticsearch, elasticsearch/9]
`

// The run of the demo: it deploys a version that writes new log lines and ends requests early.
const (
	seed  = "7"
	fault = "deployment"
	quiet = "1h30m"
)

// planned is the number of series in the dashboard of Auspex itself.
const planned = 100_000

func out(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(peertest.Root(t), "e2e", "out", "dashboards")
	require.NoError(t, os.MkdirAll(dir, 0o750))
	return dir
}

// TestDashboards runs and draws every panel of the Grafana dashboards, and runs every panel of the Kibana dashboards.
func TestDashboards(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Elasticsearch, Node, and Chromium: run make e2e-dashboards, which installs what it needs")
	}
	page := filepath.Join(out(t), "page", "page.js")
	require.FileExists(t, page, "run make e2e-dashboards, which builds the page")
	f, b := start(t)
	boards := decode(t)
	checks := f.checks()
	for name, d := range boards {
		t.Run(name, func(t *testing.T) {
			var panels []drawing
			for _, p := range d.Panels {
				p := p.Panel
				key := *d.Uid + "/" + *p.Title
				check, ok := checks[key]
				require.True(t, ok, "panel %s has no expected value: add one to checks", key)
				delete(checks, key)
				responses := map[string]response{}
				drawn := drawing{Panel: p}
				for _, target := range p.Targets {
					r := b.run(t, target)
					responses[r.RefID], drawn.Responses = r, append(drawn.Responses, r)
				}
				t.Run(*p.Title, func(t *testing.T) { check(t, responses) })
				panels = append(panels, drawn)
			}
			draw(t, "index.html", name, *d.Title, b, panels)
		})
	}
	assert.Empty(t, checks, "expected values without a panel")
	t.Run("Kibana 8", func(t *testing.T) { f.kibana(t, b.elastic, b) })
	t.Run("Kibana 9", func(t *testing.T) { f.kibana(t, b.elastic9, b) })
	t.Run("annotations", func(t *testing.T) { b.annotations(t, boards, f) })
	t.Run("variables", func(t *testing.T) { b.choices(t, boards) })
}

// drawing is a panel with the responses to its queries.
type drawing struct {
	Panel     *dashboard.Panel `json:"panel"`
	Responses []response       `json:"responses"`
}

// decode reads the shipped dashboards strictly.
func decode(t *testing.T) map[string]dashboard.Dashboard {
	t.Helper()
	plugins.RegisterDefaultPlugins()
	boards := map[string]dashboard.Dashboard{}
	names, err := fs.Glob(dashboards.Files, dashboards.Grafana+"/*.json")
	require.NoError(t, err)
	for _, name := range names {
		text, err := dashboards.Files.ReadFile(name)
		require.NoError(t, err)
		var d dashboard.Dashboard
		require.NoError(t, json.Unmarshal(text, &d), name)
		var raw struct{ Panels []json.RawMessage }
		require.NoError(t, json.Unmarshal(text, &raw))
		for _, panel := range raw.Panels {
			err := new(dashboard.Panel).UnmarshalJSONStrict(panel)
			errs, ok := errors.AsType[cog.BuildErrors](err)
			require.True(t, err == nil || ok && len(errs) == 0, "%s: %v", name, err)
		}
		boards[strings.TrimSuffix(filepath.Base(name), ".json")] = d
	}
	return boards
}

// start plays the demo into the collector and collects the facts. The backends run until the test ends.
func start(t *testing.T) (*facts, *backends) {
	t.Helper()
	root := peertest.Root(t)
	folder := filepath.Join(t.TempDir(), "shop")
	demo := exec.CommandContext(t.Context(), filepath.Join(root, "bin", "auspex-demo"), "-write", folder, "-before", quiet)
	demo.Env = append(os.Environ(), "SEED="+seed, "FAULT="+fault)
	output, err := demo.CombinedOutput()
	require.NoError(t, err, "%s", output)

	es, es9 := peertest.StartElasticsearch(t, 8), peertest.StartElasticsearch(t, 9)
	collector := peertest.NewCollector(t, peertest.CollectorOptions{
		Base: "auspex:gateway", Config: fmt.Sprintf(overlay, es.URL, es9.URL), Env: []string{
			"AUSPEX_OTLP_GRPC=$E2E_OTLP", "AUSPEX_OTLP_HTTP=$E2E_OTLP2", "AUSPEX_CONSOLE=$E2E_CONSOLE", "AUSPEX_INSECURE_LISTEN=true",
			"AUSPEX_HEALTH=$E2E_HEALTH", "AUSPEX_METRICS=$E2E_METRICS_PORT", "AUSPEX_STATE_DIR=$E2E_STATE",
		},
	})
	prom := peertest.StartPrometheus(t, peertest.PrometheusOptions{OutOfOrder: 4 * time.Hour, Scrape: []string{collector.Metrics}})
	collector.Setenv("AUSPEX_REMOTE_WRITE", prom.WriteURL())
	collector.Start()

	began := time.Now()
	f := &facts{sent: play(t, folder, collector.OTLP), planned: planned}
	t.Logf("played %v of the shop in %v", f.sent.end.Sub(f.sent.start), time.Since(began).Round(time.Second))
	f.settle(t, collector, prom, es, es9)
	f.choose(t)
	end := time.Now().Add(time.Second)
	begin := end.Add(-end.Sub(f.sent.start).Truncate(step) - step) // the last step is at the end
	b := &backends{prometheus: prom, elastic: es, elastic9: es9, start: begin, end: end, variables: map[string][]string{
		"__range": {duration(time.Since(f.sent.start))}, "__rate_interval": {"1m"}, "console": {"http://" + collector.Console}, "planned": {strconv.Itoa(planned)},
		"service": {f.service}, "metric": {f.metric}, "statistic": {f.statistic}, "incident": {f.incident.ID}, "template": {"*"},
	}}
	return f, b
}

func duration(d time.Duration) string { return strconv.Itoa(int(d.Seconds())+1) + "s" }

// settle waits until the backends have everything, and reads the console.
func (f *facts) settle(t *testing.T, c *peertest.Collector, prom *peertest.Prometheus, es, es9 *peertest.Elasticsearch) {
	t.Helper()
	want := 0.0
	for _, severities := range f.sent.severities {
		for _, n := range severities {
			want += n
		}
	}
	for _, node := range []*peertest.Elasticsearch{es, es9} {
		peertest.Eventually(t, 2*time.Minute, "all log records in Elasticsearch at "+node.URL, func() error {
			n, err := count(t, node, `{"query":{"bool":{"must_not":{"exists":{"field":"event_name"}},"filter":{"exists":{"field":"severity_text"}}}}}`)
			if err == nil && n != want {
				err = fmt.Errorf("%v of %v", n, want)
			}
			return err
		})
	}
	f.ask(t, c)
	peertest.Eventually(t, 30*time.Second, "a scrape of the present state", func() error {
		f.ask(t, c)
		for query, want := range map[string]float64{
			`{__name__=~"otelcol_extension_anomaly_engine_points.*"}`: float64(f.status.Points), "sum(anomaly_open)": float64(len(f.open)),
			`{__name__=~"otelcol_extension_anomaly_engine_open_anomalies.*"}`: float64(len(f.open)),
		} {
			a, err := prom.Query(t.Context(), query, time.Now())
			if err != nil {
				return err
			}
			if len(a.Series) != 1 || a.Series[0].Samples[0].Value != want {
				return fmt.Errorf("%s is %s, not %v", query, a.Raw, want)
			}
		}
		return nil
	})
	memory, err := c.OwnMemory()
	require.NoError(t, err)
	f.memory = float64(memory)
	f.countTemplates(t, es)
}

func count(t *testing.T, es *peertest.Elasticsearch, query string) (float64, error) {
	t.Helper()
	if _, err := es.Do(t.Context(), "POST", "/logs-*,auspex-incidents/_refresh?ignore_unavailable=true", ""); err != nil {
		return 0, err
	}
	text, err := es.Do(t.Context(), "POST", "/logs-*/_count", query)
	if err != nil {
		return 0, err
	}
	var answer struct{ Count float64 }
	return answer.Count, json.Unmarshal(text, &answer)
}

// ask reads the console's API.
func (f *facts) ask(t *testing.T, c *peertest.Collector) {
	t.Helper()
	var incidents struct{ Incidents []incident.Incident }
	var anomalies struct{ Anomalies []incident.Anomaly }
	require.NoError(t, c.Ask(t.Context(), "/api/v1/status", &f.status))
	require.NoError(t, c.Ask(t.Context(), "/api/v1/incidents?state=all", &incidents))
	require.NoError(t, c.Ask(t.Context(), "/api/v1/anomalies", &anomalies))
	f.incidents, f.open = incidents.Incidents, anomalies.Anomalies
	var list struct{ Series []engine.SeriesView }
	require.NoError(t, c.Ask(t.Context(), "/api/v1/series?limit=10000", &list))
	f.series = list.Series
}

// choose selects the incident of the broken service with the highest score, and the series of a metric with the highest score.
func (f *facts) choose(t *testing.T) {
	t.Helper()
	f.service = f.sent.truth.Culprits[0]
	for _, i := range f.incidents {
		if i.State == incident.StateOpen && i.Service == f.service && i.MaxScore > f.incident.MaxScore {
			f.incident = i
		}
	}
	require.NotEmpty(t, f.incident.ID, "no incident of %s: %+v", f.service, f.incidents)
	best := -1.0
	for _, v := range f.series {
		if v.Service == f.service && v.Expected != nil && v.Score > best && !strings.HasPrefix(v.Metric, "auspex.") {
			best, f.metric, f.statistic = v.Score, v.Metric, v.Statistic
		}
	}
	require.NotEmpty(t, f.metric, "no series of %s", f.service)
	t.Logf("incident %s of %s, series %s %s", f.incident.ID, f.service, f.metric, f.statistic)
}

// countTemplates counts the records by template, of the broken service and of all, from the documents themselves.
func (f *facts) countTemplates(t *testing.T, es *peertest.Elasticsearch) {
	t.Helper()
	f.templates, f.everywhere = map[string]float64{}, map[string]float64{}
	query := `"query":{"bool":{"must_not":{"exists":{"field":"event_name"}},"filter":{"exists":{"field":"attributes.log.record.template.id"}}}},"_source":["attributes","resource"]`
	require.NoError(t, es.Scan(t.Context(), "logs-*", query, func(h peertest.Hit) {
		flat := map[string]any{}
		flatten("", h.Source, flat)
		name := flat["attributes.log.record.template"].(string)
		f.everywhere[name]++
		if flat["resource.attributes.service.name"] == f.sent.truth.Culprits[0] {
			f.templates[name]++
		}
	}))
}

// run runs one query.
func (b *backends) run(t *testing.T, target any) response {
	t.Helper()
	switch q := target.(type) {
	case prometheus.Dataquery:
		return b.promql(t, &q)
	case *prometheus.Dataquery:
		return b.promql(t, q)
	case elasticsearch.Dataquery:
		return b.search(t, &q)
	case *elasticsearch.Dataquery:
		return b.search(t, q)
	default:
		require.Fail(t, "a query of an unknown type", "%T", target)
		return response{}
	}
}

// annotations checks that incidents appear as annotations, from each backend that runs here.
func (b *backends) annotations(t *testing.T, boards map[string]dashboard.Dashboard, f *facts) {
	t.Helper()
	for name, d := range boards {
		for _, a := range d.Annotations.List {
			switch {
			case a.Target != nil:
				r := b.run(t, a.Target)
				assert.Len(t, r.hits(t), len(f.incidents), "%s: %s", name, a.Name)
			case a.Expr != nil && *a.Datasource.Type == "prometheus":
				q := prometheus.Dataquery{Expr: *a.Expr, RefId: new("A"), Range: new(true)}
				assert.Contains(t, b.run(t, q).values(t, "service_name"), f.service, "%s: %s", name, a.Name)
			default:
				assert.Equal(t, "loki", *a.Datasource.Type, "%s: %s", name, a.Name)
			}
		}
	}
}

// choices checks that the selected values are among those that the variables offer.
func (b *backends) choices(t *testing.T, boards map[string]dashboard.Dashboard) {
	t.Helper()
	for name, d := range boards {
		for _, v := range d.Templating.List {
			if v.Type != dashboard.VariableTypeQuery {
				continue
			}
			var got []string
			if v.Query.Map != nil {
				expr := strings.TrimSuffix(strings.TrimPrefix(v.Query.Map["query"].(string), "query_result("), ")")
				q := prometheus.Dataquery{Expr: expr, RefId: new("A"), Instant: new(true)}
				label, _, _ := strings.Cut(strings.TrimPrefix(*v.Regex, "/"), "=")
				for value := range b.run(t, q).values(t, label) {
					got = append(got, value)
				}
			} else {
				got = b.terms(t, *v.Query.String)
			}
			for _, want := range b.variables[v.Name] {
				if want != "*" {
					assert.Contains(t, got, want, "%s: $%s", name, v.Name)
				}
			}
			assert.NotEmpty(t, got, "%s: $%s", name, v.Name)
		}
	}
}

// terms returns the values of a variable of Elasticsearch.
func (b *backends) terms(t *testing.T, definition string) []string {
	t.Helper()
	var find struct {
		Field, Query string
		Size         int
	}
	require.NoError(t, json.Unmarshal([]byte(definition), &find))
	q := elasticsearch.Dataquery{
		RefId: new("A"), TimeField: new("@timestamp"), Query: &find.Query,
		Metrics: []elasticsearch.MetricAggregation{{Count: &elasticsearch.Count{Id: "1"}}},
		BucketAggs: []elasticsearch.BucketAggregation{{Terms: &elasticsearch.Terms{Id: "2", Field: &find.Field, Settings: &elasticsearch.ElasticsearchTermsSettings{
			Size: new(strconv.Itoa(find.Size)), OrderBy: new("_key"), Order: new(elasticsearch.TermsOrderAsc),
		}}}},
	}
	var got []string
	for value := range b.run(t, q).buckets(t) {
		got = append(got, value)
	}
	return got
}

// draw writes the panels of a dashboard with their responses, and draws them on a page.
func draw(t *testing.T, page, name, title string, b *backends, panels any) {
	t.Helper()
	file := filepath.Join(out(t), name+".json")
	text, err := json.Marshal(map[string]any{"title": title, "from": b.start.UnixMilli(), "to": b.end.UnixMilli(), "panels": panels})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, text, 0o600))
	node := exec.CommandContext(t.Context(), "node", "draw.mjs", filepath.Join(out(t), "page", page), file, filepath.Join(out(t), name+".png"))
	node.Dir = "render"
	output, err := node.CombinedOutput()
	t.Logf("%s", output)
	require.NoError(t, err, "%s", name)
}
