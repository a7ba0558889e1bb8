// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package grafana

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// varPlan is the variable with the number of series to plan for.
const varPlan = "planned"

// Costs of series and points, from docs/guide/cost.md.
const (
	seriesBytes  = 2 * 7.1 * 1024 * 1024 / 1000
	pointSeconds = 3.6e-6
)

// self shows Auspex itself, from the collector's internal metrics, and what more series would cost.
func self() *dashboard.DashboardBuilder {
	memory, cpu := "sum("+process("process_memory_rss")+")", "sum(rate("+process("process_cpu_seconds")+"[$__rate_interval]))"
	tracked := "sum(" + engine("series") + ")"
	points := "sum(rate(" + engine("points") + "[$__rate_interval]))"
	return board(uidSelf, "Auspex itself", "The collector's own health and size. It needs the collector's internal metrics (port 8888) in Prometheus.",
		dashboard.NewTextBoxVariableBuilder(varPlan).Label("Planned series").DefaultValue(text("100000"))).
		WithPanel(number("Series", "Series in the table of the engine.", last(tracked, "series")).Height(5)).
		WithPanel(number("Points per second", "Points that the engine observes.", last(points, "points")).Height(5).Decimals(1)).
		WithPanel(number("Memory", "Resident memory of the collector.", last(memory, "memory")).Height(5).Unit("bytes")).
		WithPanel(number("CPU", "Cores that the collector uses.", last(cpu, "cores")).Height(5).Decimals(2)).
		WithPanel(number("Planned memory", "Memory now, and 14.2 MiB for each 1,000 series more: their heap, twice because of garbage collection (docs/guide/cost.md).",
			last(fmt.Sprintf("%s + %g * clamp_min($%s - %s, 0)", memory, seriesBytes, varPlan, tracked), "memory")).Height(5).Unit("bytes")).
		WithPanel(number("Planned CPU", "Cores now, and 3.6 CPU-seconds per million points of the series more, at the present number of points per series (docs/guide/cost.md).",
			last(fmt.Sprintf("%s + %g * %s / %s * clamp_min($%s - %s, 0)", cpu, pointSeconds, points, tracked, varPlan, tracked), "cores")).Height(5).Decimals(2)).
		WithPanel(curves(8, "Series over time", "", over("A", tracked, "series"), over("B", "sum(rate("+engine("series_evicted")+"[$__rate_interval]))", "evicted per second")).Height(8)).
		WithPanel(curves(8, "Memory over time", "", over("A", memory, "resident"), over("B", "sum("+process("process_runtime_heap_alloc_bytes")+")", "heap")).Unit("bytes").Height(8)).
		WithPanel(curves(8, "CPU over time", "", over("A", cpu, "cores")).Height(8)).
		WithPanel(curves(8, "α", "Accepted false-alarm probability per decision. It follows from the share of each signal in the false-alarm budget.",
			over("A", "max by (signal) ("+engine("alpha")+")", "{{signal}}")).Height(8).Unit("sci").Decimals(1)).
		WithPanel(curves(8, "Anomalies", "Since the first start that the state remembers.",
			over("A", "sum("+engine("anomalies")+")", "opened"), over("B", "sum("+engine("open_anomalies")+")", "open")).Height(8)).
		WithPanel(curves(8, "Data points that were not observed", "They pass through the pipeline unchanged.",
			over("A", "sum by (reason) ("+engine("refused_points")+")", "{{reason}}")).Height(8)).
		WithPanel(share(curves(12, "Fill level of queues", "", over("A",
			process("exporter_queue_size")+" / ignoring (__name__) "+process("exporter_queue_capacity"), "{{exporter}} {{data_type}}"))).Height(8)).
		WithPanel(curves(12, "Items per second that exporters sent", "",
			over("A", itemsSent("metric_points"), "{{exporter}}: points"), over("B", itemsSent("log_records"), "{{exporter}}: log records"),
			over("C", itemsSent("spans"), "{{exporter}}: spans")).Height(8))
}

// itemsSent returns the rate of items of one kind that each exporter sent.
func itemsSent(kind string) string {
	return "sum by (exporter) (rate(" + process("exporter_sent_"+kind) + "[$__rate_interval]))"
}
