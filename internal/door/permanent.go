// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package door

import (
	"errors"
	"slices"

	"go.opentelemetry.io/collector/consumer/consumererror"
)

// Permanent tells whether an error is permanent for every consumer that failed.
// consumererror.IsPermanent is content with one, but what another one refused for now must come again.
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
