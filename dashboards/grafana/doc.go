// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package grafana builds the Grafana dashboards of Auspex with the Grafana Foundation SDK, as
// classic JSON, which Grafana 11 to 13 load.
//
// The queries of metrics expect that the collector writes to Prometheus with
// resource_to_telemetry_conversion, so that service.name is the label service_name. The queries of
// events and log records expect documents of the exporter elasticsearch in mode otel.
package grafana
