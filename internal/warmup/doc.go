// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package warmup teaches an engine the history in a Prometheus before the first live point.
//
// It reads raw samples with range selectors, window by window in order of time, converts them to
// data points, and passes them to a study of the engine. Only what was learned is kept, not the
// samples. To find the history of a live stream, it translates a data point with the remote-write
// exporter's translation. The resulting series identify the learned stream.
package warmup
