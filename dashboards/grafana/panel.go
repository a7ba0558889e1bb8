// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package grafana

import (
	"net/url"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	figures "github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// property is one setting of an override.
type property = dashboard.DynamicConfigValue

// number shows one value.
func number(title, about string, q query) *figures.PanelBuilder {
	return figures.NewPanelBuilder().Title(title).Description(about).Span(4).Datasource(metricsSource).WithTarget(q).
		ReduceOptions(lastValue()).ColorMode(common.BigValueColorModeValue).GraphMode(common.BigValueGraphModeNone).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdFixed).FixedColor("text"))
}

// bars shows one bar for each result.
func bars(width uint32, title, about string, q query) *bargauge.PanelBuilder {
	return bargauge.NewPanelBuilder().Title(title).Description(about).Span(width).Datasource(metricsSource).WithTarget(q).
		ReduceOptions(lastValue()).Orientation(common.VizOrientationHorizontal).DisplayMode(common.BarGaugeDisplayModeBasic).
		Min(0).Decimals(1).Thresholds(warn()).ColorScheme(byThreshold())
}

// curves shows values over time.
func curves(width uint32, title, about string, queries ...query) *timeseries.PanelBuilder {
	p := timeseries.NewPanelBuilder().Title(title).Description(about).Span(width).Datasource(metricsSource).Min(0).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdPaletteClassic)).LineWidth(1).FillOpacity(0).ShowPoints(common.VisibilityModeAuto).
		Legend(common.NewVizLegendOptionsBuilder().ShowLegend(true).DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom)).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
	for _, q := range queries {
		p.WithTarget(q)
	}
	return p
}

// limit draws a line at a score of 1.
func limit(p *timeseries.PanelBuilder) *timeseries.PanelBuilder {
	return p.Thresholds(warn()).ThresholdsStyle(common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeLine))
}

// share shows fractions as percentages.
func share(p *timeseries.PanelBuilder) *timeseries.PanelBuilder { return p.Unit("percentunit").Max(1) }

// column is a field of a table: its name in the result, its title, its width (0: automatic), and further settings.
type column struct {
	field, title string
	width        int
	more         []property
}

// grid shows one row for each document or group, with the columns in their order.
func grid(width uint32, title, about string, from common.DataSourceRef, q query, columns ...column) *table.PanelBuilder {
	names, titles, order := []string{}, map[string]string{}, map[string]int{}
	for i, c := range columns {
		names, titles[c.field], order[c.field] = append(names, c.field), c.title, i
	}
	p := table.NewPanelBuilder().Title(title).Description(about).Span(width).Datasource(from).WithTarget(q).
		Footer(common.NewTableFooterOptionsBuilder().Show(false).Reducer([]string{})).
		WithTransformation(transformation("filterFieldsByName", map[string]any{"include": map[string]any{"names": names}})).
		WithTransformation(transformation("organize", map[string]any{"excludeByName": map[string]bool{}, "indexByName": order, "renameByName": titles}))
	for _, c := range columns {
		var settings []property
		if c.width > 0 {
			settings = append(settings, property{Id: "custom.width", Value: c.width})
		}
		if settings = append(settings, c.more...); len(settings) > 0 {
			p.OverrideByName(c.title, settings)
		}
	}
	return p
}

func transformation(id string, options any) dashboard.DataTransformerConfig {
	return dashboard.DataTransformerConfig{Id: id, Options: options}
}

// look returns the color and width of a line.
func look(hue string, width int, more ...property) []property {
	return append([]property{{Id: "color", Value: map[string]any{"mode": "fixed", "fixedColor": hue}}, {Id: "custom.lineWidth", Value: width}}, more...)
}

// links returns the override that gives values of a field links.
func links(list ...map[string]any) property { return property{Id: "links", Value: list} }

func link(title, address string) map[string]any {
	return map[string]any{"title": title, "url": address, "targetBlank": false}
}

// to returns a link of a panel.
func to(title, address string) cog.Builder[dashboard.DashboardLink] {
	return dashboard.NewDashboardLinkBuilder(title).Type(dashboard.DashboardLinkTypeLink).Url(address)
}

// boardOf returns the address of a dashboard for the same time range and data sources, with values of variables,
// which may refer to the clicked value. Names and values alternate.
func boardOf(uid string, variables ...string) string {
	var address strings.Builder
	address.WriteString("/d/" + uid + "?${__url_time_range}&${" + varMetrics + ":queryparam}&${" + varEvents + ":queryparam}")
	for i := 0; i+1 < len(variables); i += 2 {
		address.WriteString("&var-" + variables[i] + "=" + variables[i+1])
	}
	return address.String()
}

// traceOf returns the address that opens the clicked trace id in Explore.
func traceOf() string {
	pane := `{"t":{"datasource":"${` + varTraces + `}","queries":[{"refId":"A","queryType":"traceql","query":"${__value.raw}"}],"range":{"from":"${__from}","to":"${__to}"}}}`
	escaped := url.QueryEscape(pane)
	for _, name := range []string{varTraces, "__value.raw", "__from", "__to"} {
		escaped = strings.ReplaceAll(escaped, url.QueryEscape("${"+name+"}"), "${"+name+"}")
	}
	return "/explore?schemaVersion=1&panes=" + escaped
}

func lastValue() cog.Builder[common.ReduceDataOptions] {
	return common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"}).Values(false)
}

func byThreshold() cog.Builder[dashboard.FieldColor] {
	return dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdThresholds)
}

// warn is green below 1 and red from 1.
func warn() cog.Builder[dashboard.ThresholdsConfig] {
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).
		Steps([]dashboard.Threshold{{Color: "green"}, {Color: "red", Value: new(1.0)}})
}
