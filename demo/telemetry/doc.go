// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package telemetry turns what the simulated shop does into OTLP: metrics, spans and log
// records as the services' instrumentation and the cluster's agents would send them.
//
// All of it carries event time, the shop's, because the shop lives through a day in
// seconds. What is counted and traced and how it is called follows OpenTelemetry's
// semantic conventions. Ids come from the simulation, so that a seed gives the same bytes.
package telemetry
