// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package snapshot

// Tags of the records of a snapshot. Each package writes and reads the records that it owns.
const (
	TagEngine     byte = 1  // judge: everything that is not kept by resource or stream
	TagResource   byte = 2  // judge
	TagStream     byte = 3  // judge
	TagCompanions byte = 4  // judge
	TagBudget     byte = 5  // judge
	TagMiner      byte = 6  // logs: templates, and what is new in all services
	TagLogs       byte = 7  // logs: one service
	TagSpans      byte = 8  // spans: one service
	TagCauses     byte = 9  // causes
	TagFeedback   byte = 10 // judge
	TagTransient  byte = 11 // engine: the remaining state of a complete snapshot
)
