// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package dashboards holds the rendered dashboards and the files around them.
package dashboards

import "embed"

// Files holds the files as they are in this folder: grafana/provisioning, grafana/mixin.libsonnet, and
// kibana/auspex.ndjson.
//
//go:embed grafana/provisioning grafana/mixin.libsonnet kibana/auspex.ndjson
var Files embed.FS

// Grafana is the folder of the Grafana dashboards in Files.
const Grafana = "grafana/provisioning/dashboards/auspex"

// Kibana is the file of Kibana's saved objects in Files.
const Kibana = "kibana/auspex.ndjson"
