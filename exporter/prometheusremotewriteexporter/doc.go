// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package prometheusremotewriteexporter writes metrics to Prometheus and other servers of remote
// write 1.0 or 2.0. A batch becomes one or a few requests of bounded size, sent in sequence.
// Permanently rejected data goes to the dead letter. Retryable errors are retried.
package prometheusremotewriteexporter
