// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package kibana

import (
	"bytes"
	"encoding/json"
)

// Bodies returns the dashboards in the form of the dashboards API of Kibana 9.5, by their ids: the JSON bodies of
// PUT /api/dashboards/{id}. They refer to the data views of Objects.
func Bodies() (map[string][]byte, error) {
	bodies := map[string][]byte{}
	for _, d := range Dashboards() {
		body, err := indented(d.body())
		if err != nil {
			return nil, err
		}
		bodies[d.ID] = body
	}
	return bodies, nil
}

// indented returns a value as JSON for a file.
func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

func (d Dashboard) body() object {
	panels := []object{}
	for i, at := range d.places() {
		p := d.Panels[i]
		panels = append(panels, object{
			"type": "vis", "id": panelID(i), "config": p.config(),
			"grid": object{"x": at.x, "y": at.y, "w": p.width, "h": p.height},
		})
	}
	return object{"title": d.Title, "description": d.about, "time_range": object{"from": timeFrom, "to": timeTo}, "panels": panels}
}

// config returns the settings of a panel. Charts with axes have the data in a layer, other charts beside their type.
func (p Panel) config() object {
	source := object{"type": "data_view_reference", "ref_id": p.view.id}
	c := object{"title": p.Title}
	if p.query != "" {
		c["query"] = object{"language": "lucene", "expression": p.query}
	}
	switch p.kind {
	case number:
		c["type"], c["data_source"], c["metrics"] = "metric", source, []object{p.value(object{"type": "primary"})}
		return c
	case table:
		c["type"], c["data_source"], c["metrics"], c["rows"] = "data_table", source, []object{p.value(object{})}, []object{p.terms()}
		return c
	}
	drawn := object{"type": string(p.kind), "data_source": source, "x": p.terms(), "y": []object{p.value(object{})}}
	c["type"], c["layers"], c["legend"] = "xy", []object{drawn}, object{"visibility": "hidden"}
	if p.kind == curves {
		drawn["x"], drawn["breakdown_by"] = object{"operation": "date_histogram", "field": timeField}, p.terms()
		c["legend"] = object{"visibility": "visible", "position": "bottom", "layout": object{"type": "list"}}
	}
	return c
}

// value adds the measure of the panel to an object.
func (p Panel) value(into object) object {
	into["operation"], into["label"] = p.measure.operation, p.Title
	if p.measure != documents {
		into["field"] = p.measure.field
	}
	return into
}

// terms returns the groups of the panel, those with the highest value first.
func (p Panel) terms() object {
	return object{
		"operation": "terms", "fields": []string{p.by}, "limit": p.size, "label": p.by,
		"rank_by": object{"type": "metric", "metric_index": 0, "direction": "desc"},
	}
}
