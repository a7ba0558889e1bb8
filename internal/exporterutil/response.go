// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package exporterutil

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/auspex-otel/auspex/internal/excerpt"
	"github.com/auspex-otel/auspex/internal/mask"
)

// Outcome is the result of one request.
type Outcome string

// The outcomes. Their text is the value of an attribute of the exporters' own telemetry.
const (
	Accepted Outcome = "accepted"
	Refused  Outcome = "refused" // permanent: the same request would be rejected again
	Failed   Outcome = "failed"  // retryable
)

// maxRetryAfter bounds the wait that a server may ask for.
const maxRetryAfter = 24 * time.Hour

// passing are the client errors that say nothing about the data: a secret that has
// expired or an address that is wrong can be corrected, and then the data is accepted.
var passing = []int{
	http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
	http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusTooManyRequests,
}

// Judge returns the outcome that follows from the status of a response. A redirect is
// a retryable error.
func Judge(status int) Outcome {
	switch {
	case status/100 == 2:
		return Accepted
	case status/100 == 4 && !slices.Contains(passing, status):
		return Refused
	default:
		return Failed
	}
}

// Explain describes a response whose body begins with text. For a redirect it states
// the address that the configuration should have.
func Explain(res *http.Response, text []byte) string {
	said := excerpt.Of(text)
	if to := res.Header.Get("Location"); res.StatusCode/100 == 3 && to != "" {
		said = "redirects are not followed: set endpoint to " + mask.Addresses(to)
	}
	if said == "" {
		return res.Status
	}
	return res.Status + ": " + said
}

// RetryAfter returns the wait that a Retry-After header asks for, in seconds or as a
// date: at most a day, and 0 for a header that is absent or cannot be read.
func RetryAfter(value string, now time.Time) time.Duration {
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// RefuseRedirects makes a client return redirects as they are. A POST would become a
// GET, or the data and the credentials would go to the host that the response names.
func RefuseRedirects(c *http.Client) {
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
}
