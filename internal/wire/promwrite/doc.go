// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package promwrite parses the requests of Prometheus remote write, versions 1.0 and 2.0. It
// parses the decompressed bytes of a request and calls back with series, metadata, and faults. It
// uses neither HTTP nor a clock.
//
//	1.0 prometheus.WriteRequest           2.0 io.prometheus.write.v2.Request
//	┌ 1 timeseries ─────────────────┐     ┌ 4 symbols: text, text, … ─────────┐
//	│ 1 labels (1 name, 2 value)    │     ├ 5 timeseries ─────────────────────┤
//	│ 2 samples (1 value, 2 time)   │     │ 1 labels: pairs of symbol numbers │
//	│ 3 exemplars                   │     │ 2 samples (… 3 start time)        │
//	│ 4 native histograms           │     │ 3 native histograms               │
//	├ 3 metadata ───────────────────┤     │ 4 exemplars                       │
//	│ 1 type 2 family 4 help 5 unit │     │ 5 metadata (1 type 3 help 4 unit) │
//	└───────────────────────────────┘     └───────────────────────────────────┘
//
// A fault of one series, sample, histogram, or exemplar is a [Fault], and the rest of the request
// is read. A fault of the whole request is an [Error]. All sizes that a peer controls are checked
// against [Limits], and memory grows with the received bytes.
package promwrite
