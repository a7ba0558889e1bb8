// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package grafana

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Names of the lines of a series and its prediction interval.
const (
	lineUpper    = "upper"
	lineLower    = "lower"
	lineExpected = "expected"
	lineObserved = "observed"
)

// series shows the selected series with its prediction interval.
func series() *dashboard.DashboardBuilder {
	return board(uidSeries, "series", "One series with its prediction interval. Auspex writes these values for anomalous series only, unless the processor selects all.",
		serviceChoice(),
		choice(varMetric, "Metric", metric, fmt.Sprintf("count by (%s) (%s)", metric, ofService("last_over_time(%s{%s}[$__range])"))),
		choice(varStatistic, "Statistic", stat, fmt.Sprintf("count by (%s) (%s)", stat, ofService("last_over_time(%s{%s,"+metric+`="$metric"}[$__range])`))),
	).
		WithPanel(interval().Height(11)).
		WithPanel(limit(curves(24, "Scores of all selected series", "1 is the threshold.",
			over("A", selected(vocabulary.MetricScore, "%s"), "__auto"))).Height(8).
			DataLinks(linksOf(to("Console", "${"+varConsole+"}/series?service=${"+varService+"}")))).
		WithPanel(grid(24, "Anomalies of the service", "Each update of an anomaly is a row.", eventsSource,
			documents("A", events(vocabulary.EventAnomaly, serviceField+`:"$`+varService+`"`), 100),
			column{timeField, "Updated", 170, nil},
			column{attribute(vocabulary.AttrState), "State", 80, stateColors},
			column{attribute(vocabulary.AttrMetric), "Metric", 240, []property{links(
				link("This metric", boardOf(uidSeries, varService, "${"+varService+"}", varMetric, "${__value.text}")),
			)}},
			column{attribute(vocabulary.AttrStatistic), "Statistic", 90, nil},
			column{bodyField, "What happened", 0, wrapped},
			column{attribute(vocabulary.MetricScore), "Score", 70, []property{{Id: "decimals", Value: 1}}},
			column{attribute(vocabulary.AttrIncidentID), "Incident", 160, []property{links(
				link("Details", boardOf(uidIncident, varIncident, "${__value.text}")), link("Console", "${"+varConsole+"}/incidents/${__value.text}"),
			)}},
			column{attribute(vocabulary.AttrAnomalyTraces), "Trace", 180, []property{links(link("Trace", traceOf()))}},
		).Height(9))
}

// interval shows a series over its prediction interval.
func interval() *timeseries.PanelBuilder {
	p := curves(24, "Observed and expected",
		"The selected series with the highest score in the time range. Under normal conditions, 99 % of its points lie inside the prediction interval.",
		over(lineUpper, ofWorst(vocabulary.MetricUpper), lineUpper), over(lineLower, ofWorst(vocabulary.MetricLower), lineLower),
		over(lineExpected, ofWorst(vocabulary.MetricExpected), lineExpected), over(lineObserved, ofWorst(vocabulary.MetricObserved), lineObserved))
	return p.
		OverrideByName(lineUpper, look("blue", 0, property{Id: "custom.fillBelowTo", Value: lineLower}, property{Id: "custom.fillOpacity", Value: 20})).
		OverrideByName(lineLower, look("blue", 0)).
		OverrideByName(lineExpected, look("blue", 1, property{Id: "custom.lineStyle", Value: map[string]any{"fill": "dash", "dash": []int{6, 6}}})).
		OverrideByName(lineObserved, look("orange", 2))
}
