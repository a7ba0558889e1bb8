// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package dashboards holds the rendered dashboards and the files around them.
package dashboards

import "embed"

// Files holds the generated files and those around them, as they are in this folder.
//
//go:embed grafana/provisioning grafana/mixin.libsonnet kibana/auspex.ndjson kibana/dashboards kibana/rules
var Files embed.FS

// Grafana is the folder of the Grafana dashboards in Files.
const Grafana = "grafana/provisioning/dashboards/auspex"

// Files of Kibana.
const (
	// Kibana has data views, a Discover session, and dashboards as saved objects, one JSON object per line.
	Kibana = "kibana/auspex.ndjson"
	// KibanaDashboards has a file ID.json for each dashboard: the body of PUT /api/dashboards/ID.
	KibanaDashboards = "kibana/dashboards"
	// KibanaRules has a file ID.json for each alert rule: the body of POST /api/alerting/rule/ID.
	KibanaRules = "kibana/rules"
)
