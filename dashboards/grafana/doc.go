// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package grafana describes the Grafana dashboards of Auspex in Go: their
// queries, which the end-to-end test runs against a real Prometheus, and their
// panels, which the program in dashboards/ writes as JSON.
//
// The queries expect metrics that the collector sent by remote write with
// resource_to_telemetry_conversion, so that service.name is the label service_name.
package grafana
