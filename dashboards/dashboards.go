// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package dashboards holds the rendered dashboards and the files around them.
package dashboards

import "embed"

// Files holds the files as they are in this folder: grafana/provisioning and grafana/mixin.libsonnet.
//
//go:embed grafana/provisioning grafana/mixin.libsonnet
var Files embed.FS

// Grafana is the folder of the Grafana dashboards in Files.
const Grafana = "grafana/provisioning/dashboards/auspex"
