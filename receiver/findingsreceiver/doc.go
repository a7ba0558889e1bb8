// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package findingsreceiver sends the findings of the engine that belong to no batch. Metrics are
// gauges per service and stale markers of series that stopped. Logs are the events auspex.anomaly
// and auspex.incident.
package findingsreceiver

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
