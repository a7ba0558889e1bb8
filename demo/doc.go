// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Command auspex-demo shows Auspex at work: it starts the default collector, feeds it
// the telemetry of a small simulated shop, breaks one thing in one service, and
// prints what the collector's API says about it.
//
// The collector knows nothing of the demo. It runs with its built-in configuration, and
// all it gets is OTLP from eight services: metrics, traces and logs.
package main
