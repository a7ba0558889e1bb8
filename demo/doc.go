// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Command auspex-demo demonstrates Auspex. It starts the default collector, sends it the telemetry of a small
// simulated shop, injects one fault into one service, and prints the result of the collector's API.
//
// The collector has no knowledge of the demo. It runs with its built-in configuration, and receives only OTLP from
// eight services: metrics, traces, and logs.
package main
