// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package telemetry instruments the simulated shop with the OpenTelemetry Go SDK
// and sends what it measures over OTLP/gRPC.
//
// Every service has providers and a resource of its own, as if it were a process of
// its own. The metric SDK stamps the wall clock, while the shop lives in event time;
// so metrics are read by a manual reader and restamped before the exporter gets them,
// the past and the present alike. Spans and log records are given their times outright.
package telemetry
