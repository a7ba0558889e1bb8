// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package promwrite

import "fmt"

// Reason is the kind of a fault, usable as a metric attribute.
type Reason string

// Reasons why no part of a request can be used.
const (
	ReasonMalformed Reason = "malformed" // it is not a valid protobuf message of its version
	ReasonPoints    Reason = "points"    // too many samples, histograms, exemplars, labels, or symbols
)

// Reasons why a part of a request cannot be used.
const (
	ReasonNoName         Reason = "no_name"         // a series without a name
	ReasonLabelName      Reason = "label_name"      // an empty label name
	ReasonDuplicateLabel Reason = "duplicate_label" // a duplicate label name
	ReasonUTF8           Reason = "utf8"            // a label that is not UTF-8
	ReasonSymbol         Reason = "symbol"          // a reference to a missing symbol, or an incomplete pair
	ReasonLabels         Reason = "labels"          // too many labels
	ReasonLabelSize      Reason = "label_size"      // a label that is too large
	ReasonTimestamp      Reason = "timestamp"       // a time before 1970, or after 2262
	ReasonHistogram      Reason = "histogram"       // a histogram that is inconsistent or too large
	ReasonExemplar       Reason = "exemplar"        // an exemplar with invalid labels or time
)

// Error describes the fault that makes a whole request unreadable.
type Error struct {
	Reason Reason
	// Offset is the approximate position, in bytes after decompression.
	Offset int
	// Detail describes the fault.
	Detail string
}

// Error returns all fields in one line.
func (e *Error) Error() string {
	return fmt.Sprintf("remote write %s: %s (near byte %d)", e.Reason, e.Detail, e.Offset)
}

// Fault describes the fault of a part of a request, and counts the rejected items.
type Fault struct {
	Reason Reason
	// Detail describes the fault, and quotes the faulty text, shortened.
	Detail string
	// Samples, Histograms, and Exemplars are the numbers of rejected items.
	Samples, Histograms, Exemplars int
}

// Error returns the reason and the detail in one line.
func (f Fault) Error() string { return fmt.Sprintf("%s: %s", f.Reason, f.Detail) }
