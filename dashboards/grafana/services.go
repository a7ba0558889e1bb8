// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package grafana

import (
	"fmt"
	"maps"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/nodegraph"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Series of contrib's connector servicegraph, as Prometheus names them.
const (
	graphCalls   = "traces_service_graph_request_total"
	graphFailed  = "traces_service_graph_request_failed_total"
	graphLatency = "traces_service_graph_request_server_seconds_bucket"
)

// services shows the service graph with the score of each service, and calls between services.
func services() *dashboard.DashboardBuilder {
	calls := "sum by (client, server) (rate(" + graphCalls + "[$__rate_interval]))"
	failed := "sum by (client, server) (rate(" + graphFailed + "[$__rate_interval]))"
	pair := "{{client}} → {{server}}"
	return board(uidServices, "services", "The service graph. It needs the series of the connector servicegraph in Prometheus.").
		WithPanel(graph(24, calls).Height(14)).
		WithPanel(curves(8, "Calls per second", "", over("A", calls, pair)).Unit("reqps").Height(9)).
		WithPanel(share(curves(8, "Share of failed calls", "", over("A", failed+" / "+calls, pair))).Height(9)).
		WithPanel(curves(8, "Duration at p95", "Of calls, as the called service measures them. Points are exemplars: select one to open its trace.",
			over("A", "histogram_quantile(0.95, sum by (le, server) (rate("+graphLatency+"[$__rate_interval])))", "{{server}}").Exemplar(true)).Unit("s").Height(9))
}

// graph shows services as nodes, red from a score of 1, and calls per second on the edges between them.
// Grafana recognizes the two tables by their refIds and by the names of their fields.
func graph(width uint32, calls string) *nodegraph.PanelBuilder {
	end := func(label string) string {
		return fmt.Sprintf(`label_replace(%s, "id", "$1", %q, "(.+)")`, calls, label)
	}
	nodes := fmt.Sprintf(`label_replace(max by (id) (label_replace(%s, "id", "$1", %q, "(.+)")) or 0 * max by (id) (%s or %s), "title", "$1", "id", "(.+)")`,
		Prometheus(vocabulary.MetricMaxScore), service, end("server"), end("client"))
	edges := fmt.Sprintf(`sum by (id, source, target) (label_join(label_replace(label_replace(%s, "source", "$1", "client", "(.+)"), "target", "$1", "server", "(.+)"), "id", " → ", "client", "server"))`, calls)
	only := func(ref, id string, options map[string]any) dashboard.DataTransformerConfig {
		t := transformation(id, maps.Clone(options))
		t.Filter = &dashboard.MatcherConfig{Id: "byRefId", Options: ref}
		return t
	}
	return nodegraph.NewPanelBuilder().Title("Service graph").Description("Nodes show the highest score of a service, edges show calls per second.").
		Span(width).Datasource(metricsSource).WithTarget(rows("nodes", nodes)).WithTarget(rows("edges", edges)).
		WithTransformation(only("nodes", "calculateField", map[string]any{
			"mode": "reduceRow", "alias": "color", "reduce": map[string]any{"reducer": "max", "include": []string{"Value #nodes"}},
		})).
		WithTransformation(only("nodes", "organize", map[string]any{
			"excludeByName": map[string]bool{"Time": true}, "indexByName": map[string]int{}, "renameByName": map[string]string{"Value #nodes": "mainstat"},
		})).
		WithTransformation(only("edges", "organize", map[string]any{
			"excludeByName": map[string]bool{"Time": true}, "indexByName": map[string]int{}, "renameByName": map[string]string{"Value #edges": "mainstat"},
		})).
		Thresholds(warn()).ColorScheme(byThreshold()).Decimals(2).
		Edges(nodegraph.NewEdgeOptionsBuilder().MainStatUnit("reqps")).
		OverrideByName("title", []property{links(
			link("Series", boardOf(uidSeries, varService, "${__value.text}")), link("Log templates", boardOf(uidTemplates, varService, "${__value.text}")),
			link("Console", "${"+varConsole+"}/series?service=${__value.text}"),
		)})
}
