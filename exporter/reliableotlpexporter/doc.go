// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package reliableotlpexporter sends OTLP without losing data that the next hop rejects. It wraps
// core's OTLP exporters, contrib's load-balancing exporter, and contrib's Kafka exporter. It splits
// batches by size before it sends them. Records above the limit and permanently rejected data go to the dead letter.
package reliableotlpexporter

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
