// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package reliableotlpexporter sends OTLP without losing what the next hop cannot
// take. It wraps core's OTLP exporters and contrib's load-balancing exporter:
// batches are split by bytes before they are sent, and single records above the
// limit and data that the next hop rejects permanently go to the dead letter.
package reliableotlpexporter

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
