// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package kibana

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Ids within a Lens panel.
const (
	layer     = "layer"
	xColumn   = "x"
	byColumn  = "by"
	valColumn = "value"
)

// Versions of the forms of saved objects in Kibana 8.19. Newer versions migrate them.
const (
	coreVersion      = "8.8.0"
	viewVersion      = "8.0.0"
	dashboardVersion = "10.2.0"
	searchVersion    = "10.5.0"
)

// columnsOfGrid is the width of Kibana's grid.
const columnsOfGrid = 48

// The time range of dashboards.
const (
	timeFrom = "now-1h"
	timeTo   = "now"
)

type object = map[string]any

// Objects returns the data views, the Discover session, and the dashboards as saved objects, one JSON object per line.
func Objects() ([]byte, error) {
	var all []object
	for _, v := range views {
		all = append(all, saved("index-pattern", v.id, viewVersion, object{"title": v.title, "name": v.name, "timeFieldName": timeField}, []object{}))
	}
	session, err := discover()
	if err != nil {
		return nil, err
	}
	all = append(all, session)
	for _, d := range Dashboards() {
		o, err := d.object()
		if err != nil {
			return nil, fmt.Errorf("dashboard %s: %w", d.ID, err)
		}
		all = append(all, o)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, o := range all {
		if err := e.Encode(o); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func saved(kind, id, version string, attributes object, references []object) object {
	return object{"type": kind, "id": id, "attributes": attributes, "references": references, "coreMigrationVersion": coreVersion, "typeMigrationVersion": version}
}

// discover returns the Discover session of incidents.
func discover() (object, error) {
	name := "kibanaSavedObjectMeta.searchSourceJSON.index"
	source, err := text(object{"query": object{"query": "", "language": "kuery"}, "filter": []any{}, "indexRefName": name})
	return saved("search", "auspex-incidents-session", searchVersion, object{
		"title": "Auspex: incidents", "description": "One document for each incident, the newest first.",
		"columns": []string{attribute(vocabulary.AttrIncState), attribute(vocabulary.AttrSuspect), bodyField, attribute(vocabulary.AttrIncidentID)},
		"sort":    [][]string{{timeField, "desc"}}, "grid": object{}, "hideChart": false, "isTextBasedQuery": false,
		"kibanaSavedObjectMeta": object{"searchSourceJSON": source},
	}, []object{{"type": "index-pattern", "id": incidentsView.id, "name": name}}), err
}

// text returns a value as JSON, as saved objects hold it within strings.
func text(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// place is the position of a panel in Kibana's grid.
type place struct{ x, y int }

// places returns the positions of the panels, in rows from left to right.
func (d Dashboard) places() []place {
	var list []place
	x, y, height := 0, 0, 0
	for _, p := range d.Panels {
		if x+p.width > columnsOfGrid {
			x, y, height = 0, y+height, 0
		}
		list = append(list, place{x, y})
		x, height = x+p.width, max(height, p.height)
	}
	return list
}

// panelID returns the id of a panel within its dashboard.
func panelID(i int) string { return fmt.Sprintf("panel-%d", i+1) }

// object returns the dashboard as a saved object.
func (d Dashboard) object() (object, error) {
	var panels, references []object
	for i, at := range d.places() {
		p, index := d.Panels[i], panelID(i)
		reference := object{"type": "index-pattern", "id": p.view.id, "name": "indexpattern-datasource-layer-" + layer}
		panels = append(panels, object{
			"type": "lens", "panelIndex": index, "title": p.Title,
			"gridData":         object{"x": at.x, "y": at.y, "w": p.width, "h": p.height, "i": index},
			"embeddableConfig": object{"enhancements": object{}, "attributes": p.lens(reference)},
		})
		references = append(references, object{"type": "index-pattern", "id": p.view.id, "name": index + ":" + reference["name"].(string)})
	}
	list, err := text(panels)
	if err != nil {
		return nil, err
	}
	options, err := text(object{"useMargins": true, "syncColors": false, "syncCursor": true, "syncTooltips": false, "hidePanelTitles": false})
	if err != nil {
		return nil, err
	}
	source, err := text(object{"query": object{"query": "", "language": "kuery"}, "filter": []any{}})
	return saved("dashboard", d.ID, dashboardVersion, object{
		"title": d.Title, "description": d.about, "timeRestore": true, "timeFrom": timeFrom, "timeTo": timeTo,
		"panelsJSON": list, "optionsJSON": options, "kibanaSavedObjectMeta": object{"searchSourceJSON": source},
	}, references), err
}

// lens returns the attributes of a Lens visualization on a data view.
func (p Panel) lens(reference object) object {
	kind := string(p.kind)
	if p.kind == bars || p.kind == curves {
		kind = "lnsXY"
	}
	columns, order := p.columns()
	return object{
		"title": p.Title, "type": "lens", "visualizationType": kind, "references": []object{reference},
		"state": object{
			"datasourceStates": object{"formBased": object{"layers": object{layer: object{"columns": columns, "columnOrder": order, "incompleteColumns": object{}}}}},
			"visualization":    p.visualization(), "query": object{"language": "lucene", "query": p.query}, "filters": []any{},
			"internalReferences": []any{}, "adHocDataViews": object{},
		},
	}
}

// columns returns the operations of a panel: groups, then times, then the value.
func (p Panel) columns() (columns object, order []string) {
	columns = object{valColumn: object{
		"label": p.Title, "customLabel": true, "dataType": "number", "operationType": p.measure.operation,
		"sourceField": p.measure.field, "isBucketed": false, "scale": "ratio", "params": object{"emptyAsNull": false},
	}}
	if p.by != "" {
		order = append(order, byColumn)
		columns[byColumn] = object{
			"label": p.by, "customLabel": true, "dataType": "string", "operationType": "terms", "sourceField": p.by, "isBucketed": true, "scale": "ordinal",
			"params": object{
				"size": p.size, "orderBy": object{"type": "column", "columnId": valColumn}, "orderDirection": "desc", "otherBucket": false, "missingBucket": false,
				"parentFormat": object{"id": "terms"}, "include": []any{}, "exclude": []any{}, "includeIsRegex": false, "excludeIsRegex": false,
			},
		}
	}
	if p.kind == curves {
		order = append(order, xColumn)
		columns[xColumn] = object{
			"label": timeField, "dataType": "date", "operationType": "date_histogram", "sourceField": timeField, "isBucketed": true, "scale": "interval",
			"params": object{"interval": "auto", "includeEmptyRows": true, "dropPartials": false},
		}
	}
	return columns, append(order, valColumn)
}

func (p Panel) visualization() object {
	switch p.kind {
	case number:
		return object{"layerId": layer, "layerType": "data", "metricAccessor": valColumn, "showBar": false}
	case table:
		return object{"layerId": layer, "layerType": "data", "columns": []object{{"columnId": byColumn}, {"columnId": valColumn}}}
	}
	drawn := object{"layerId": layer, "layerType": "data", "seriesType": string(p.kind), "xAccessor": byColumn, "accessors": []string{valColumn}}
	if p.kind == curves {
		drawn["xAccessor"], drawn["splitAccessor"] = xColumn, byColumn
	}
	return object{
		"legend": object{"isVisible": p.kind == curves, "position": "bottom"}, "valueLabels": "hide", "fittingFunction": "None",
		"preferredSeriesType": string(p.kind), "layers": []object{drawn},
	}
}
