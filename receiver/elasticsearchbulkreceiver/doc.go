// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package elasticsearchbulkreceiver receives documents from clients of Elasticsearch: Beats,
// Logstash, log shippers, and the client libraries. It acknowledges an item after the next
// consumer has accepted it, and never earlier.
package elasticsearchbulkreceiver
