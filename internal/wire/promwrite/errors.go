// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package promwrite

import "fmt"

// Reason names what is wrong, in a word fit for a metric attribute.
type Reason string

// What may be wrong with a request: nothing of it can be used.
const (
	ReasonMalformed Reason = "malformed" // it is not the protobuf message that it should be
	ReasonPoints    Reason = "points"    // more samples, histograms, exemplars, labels or symbols than allowed
)

// What may be wrong with a part of a request.
const (
	ReasonNoName         Reason = "no_name"         // a series without a name
	ReasonLabelName      Reason = "label_name"      // an empty label name
	ReasonDuplicateLabel Reason = "duplicate_label" // a label name twice
	ReasonUTF8           Reason = "utf8"            // a label that is not UTF-8
	ReasonSymbol         Reason = "symbol"          // a reference to a symbol that is not there, or half a pair
	ReasonLabels         Reason = "labels"          // more labels than allowed
	ReasonLabelSize      Reason = "label_size"      // a label larger than allowed
	ReasonTimestamp      Reason = "timestamp"       // a time before 1970, or after 2262
	ReasonHistogram      Reason = "histogram"       // a histogram that contradicts itself or is larger than allowed
	ReasonExemplar       Reason = "exemplar"        // an exemplar whose labels or time are wrong
)

// Error describes the fault that makes a whole request unreadable.
type Error struct {
	Reason Reason
	// Offset is about where, in bytes after decompression.
	Offset int
	// Detail describes the fault in words.
	Detail string
}

// Error puts it into one line.
func (e *Error) Error() string {
	return fmt.Sprintf("remote write %s: %s (near byte %d)", e.Reason, e.Detail, e.Offset)
}

// Fault describes the fault of a part of a request, and counts the rejected items.
type Fault struct {
	Reason Reason
	// Detail describes the fault in words, and quotes the faulty text, shortened.
	Detail string
	// Samples, Histograms, and Exemplars are the numbers of rejected items.
	Samples, Histograms, Exemplars int
}

// Error puts it into one line.
func (f Fault) Error() string { return fmt.Sprintf("%s: %s", f.Reason, f.Detail) }
