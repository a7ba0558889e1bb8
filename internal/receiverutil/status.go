// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receiverutil

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/auspex-otel/auspex/internal/mask"
)

// Permanent reports whether an error is permanent for every consumer that
// failed. consumererror.IsPermanent returns true if one of several joined errors
// is permanent, but the data must be sent again for the others.
func Permanent(err error) bool {
	if !consumererror.IsPermanent(err) {
		return false
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if joined, ok := e.(interface{ Unwrap() []error }); ok {
			return !slices.ContainsFunc(joined.Unwrap(), func(part error) bool { return !Permanent(part) })
		}
	}
	return true
}

// Rejection is the answer to a client whose data the pipeline did not accept.
type Rejection struct {
	// Status is 400 if the error is permanent, and otherwise the protocol's status for data that is to be sent again.
	Status int
	// Err is the consumer's error with the consequence for the client.
	Err error
}

// Reject returns the rejection for a consumer's error, or nil for nil. retryable
// is the protocol's status for data that is to be sent again: 429 or 503.
func Reject(err error, retryable int) *Rejection {
	switch {
	case err == nil:
		return nil
	case Permanent(err):
		return &Rejection{http.StatusBadRequest, fmt.Errorf("the pipeline rejects the data permanently: %w", mask.Error(err))}
	}
	return &Rejection{retryable, fmt.Errorf("the pipeline cannot accept the data now: %w", mask.Error(err))}
}
