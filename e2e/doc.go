// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e holds the end-to-end tests. They start the built collector, send to it with the OpenTelemetry Go SDK,
// and query a real Prometheus and the collector's API. See README.md.
package e2e
