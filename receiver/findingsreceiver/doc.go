// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package findingsreceiver is the engine's second exit: it sends what has no
// batch to travel in, as metrics (gauges per service, the ends of series that
// fell silent) and as logs (the events auspex.anomaly and auspex.incident).
package findingsreceiver

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
