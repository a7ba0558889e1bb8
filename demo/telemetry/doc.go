// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package telemetry converts the activity of the simulated shop into OTLP: metrics, spans, and log records as
// instrumentation of the services and agents in the cluster send them.
//
// Timestamps are event time, because the shop simulates a day within seconds. Names follow OpenTelemetry's semantic
// conventions. Ids come from the simulation, so that a seed always produces the same bytes.
package telemetry
