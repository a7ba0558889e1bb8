// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package warmup teaches an engine the history that a Prometheus has, before
// the first live point comes.
//
// Raw samples are read by range selectors, window after window in the order of
// time, made into data points again, and learned at once in a study of the
// engine: what is kept is what was learned, never the samples. A live stream is
// found again by the translation that the remote-write exporter uses: its data
// point is translated into the series that it would become, and these lead to
// what was learned of them.
package warmup
