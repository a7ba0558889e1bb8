// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package grafana

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// overview shows which services are anomalous, and the incidents.
func overview() *dashboard.DashboardBuilder {
	open, score := Prometheus(vocabulary.MetricOpen), Prometheus(vocabulary.MetricMaxScore)
	rate, incident := Prometheus(vocabulary.MetricRate), Prometheus(vocabulary.MetricIncidentOpen)
	perService := "max by (" + service + ") (%s)"
	legend := "{{" + service + "}}"
	toSeries := to("Series of ${__field.labels."+service+"}", boardOf(uidSeries, varService, "${__field.labels."+service+"}"))
	toLogs := to("Log templates of ${__field.labels."+service+"}", boardOf(uidTemplates, varService, "${__field.labels."+service+"}"))
	toConsole := to("Console", "${"+varConsole+"}/series?service=${__field.labels."+service+"}")

	return board(uidOverview, "overview", "Open incidents and anomalies. A score of 1 is the threshold that the false-alarm budget sets.").
		WithPanel(number("Services in an incident", "Services that an open incident includes.", last("count("+incident+" > 0) or vector(0)", "services")).
			Height(6).Thresholds(warn()).ColorScheme(byThreshold())).
		WithPanel(number("Open anomalies", "Series, templates, and operations that are anomalous now.", last("sum("+open+")", "open")).
			Height(6).Thresholds(warn()).ColorScheme(byThreshold())).
		WithPanel(number("Longest open incident", "Age of the oldest open incident.", last("max("+Prometheus(vocabulary.MetricIncidentDuration)+"_seconds)", "age")).
			Height(6).Unit("s")).
		WithPanel(bars(12, "Worst services", "Highest score of each service in the time range.",
			last(fmt.Sprintf("topk(5, max by (%s) (max_over_time(%s[$__range])))", service, score), legend)).Height(6)).
		WithPanel(incidents(24, 8, events(vocabulary.EventIncident, ""))).
		WithPanel(limit(curves(12, "Highest score by service", "Highest score of any series of the service since the previous report, every 15 seconds. 1 is the threshold.",
			over("A", fmt.Sprintf(perService, score), legend))).Height(8).DataLinks(linksOf(toSeries, toLogs, toConsole))).
		WithPanel(curves(12, "Open anomalies by service", "", over("A", fmt.Sprintf("sum by (%s) (%s)", service, open), legend)).
			Height(8).DataLinks(linksOf(toSeries, toLogs, toConsole))).
		WithPanel(states(12, "Open incidents by service", "", over("A", fmt.Sprintf(perService, incident), legend)).Height(8)).
		WithPanel(curves(12, "Share of series above the threshold", "", over("A", fmt.Sprintf(perService, rate), legend)).Unit("percentunit").Height(8))
}
