// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package tap shows the next few records that pass a component, with secrets hidden.
//
// A component asks its host for a Point when it starts and hands every batch to it.
// A Point without an open tap costs one atomic load. A tap takes a bounded number of
// records and bytes and then closes by itself. Records are rendered as text while
// the batch passes; the batch is neither kept nor changed.
package tap
