// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package elasticsearchexporter writes logs, metrics, traces, and the anomalies and incidents of
// Auspex to Elasticsearch 8 and 9. Every batch is sent before the call returns, in _bulk requests
// of bounded size, and the answer to every document is read. Documents with retryable errors are
// returned to be retried. Documents with permanent errors go to the dead letter.
package elasticsearchexporter

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
