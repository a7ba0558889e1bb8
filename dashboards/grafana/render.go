// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package grafana

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Files returns the dashboards as JSON by the names of their files.
func Files() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, d := range []*dashboard.DashboardBuilder{overview(), incident(), series(), templates(), services(), self()} {
		built, err := d.Build()
		if err != nil {
			return nil, fmt.Errorf("dashboard: %w", err)
		}
		name := strings.TrimPrefix(*built.Uid, tag+"-") + ".json"
		if files[name], err = render(&built); err != nil {
			return nil, fmt.Errorf("dashboard %s: %w", name, err)
		}
	}
	return files, nil
}

// render numbers the panels and returns the dashboard as Grafana loads it. It adds the field of an annotation's text,
// which the SDK has no setting for: Grafana reads it beside the query.
func render(d *dashboard.Dashboard) ([]byte, error) {
	for i := range d.Panels {
		d.Panels[i].Panel.Id = new(uint32(i + 1))
	}
	plain, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(plain, &tree); err != nil {
		return nil, err
	}
	for _, a := range tree["annotations"].(map[string]any)["list"].([]any) {
		if a := a.(map[string]any); a["name"] == annotationEvents {
			a["textField"], a["timeField"] = bodyField, timeField
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(tree)
	return b.Bytes(), err
}
