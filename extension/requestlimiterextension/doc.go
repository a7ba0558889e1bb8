// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package requestlimiterextension bounds the memory of OTLP requests before they are decoded. It
// is a middleware of confighttp and configgrpc. The memory limiter of a pipeline acts too late
// for a request that decodes to gigabytes.
package requestlimiterextension
