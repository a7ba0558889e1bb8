// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e holds the end-to-end tests: they start the built collector, send
// to it with the OpenTelemetry Go SDK, and ask a real Prometheus and the
// collector's own API what became of it. See README.md.
package e2e
