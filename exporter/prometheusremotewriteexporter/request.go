// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/auspex-otel/auspex/internal/excerpt"
	"github.com/auspex-otel/auspex/internal/mask"
)

const (
	maxAnswer     = 64 << 10 // maximum number of bytes read of a response
	maxRetryAfter = 24 * time.Hour
)

// verdict is the result of one request.
type verdict struct {
	outcome outcome
	status  int           // of HTTP, 0 if there was no answer
	reason  string        // error text, unless accepted
	wait    time.Duration // time that the server requests before the next try
	written int           // samples and histograms that the server reports as written, -1 if unknown
}

type outcome string

const (
	accepted outcome = "accepted" // done
	refused  outcome = "refused"  // permanent: the same request would be rejected again
	failed   outcome = "failed"   // retryable
)

// err returns the retryable error of the request.
func (v verdict) err() error {
	err := errors.New("remote write: " + v.reason)
	if v.wait > 0 {
		return exporterhelper.NewThrottleRetry(err, v.wait)
	}
	return err
}

// divisible reports whether the rejection may concern only a part of the request.
func (v verdict) divisible() bool {
	switch v.status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	default:
		return false
	}
}

// post sends one compressed body.
func (w *writer) post(ctx context.Context, body []byte) verdict {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.cfg.Client.Endpoint, bytes.NewReader(body))
	if err != nil {
		return verdict{outcome: failed, reason: mask.Addresses(err.Error())}
	}
	req.Header.Set("Content-Encoding", "snappy")
	req.Header.Set("Content-Type", w.wire.contentType())
	req.Header.Set("User-Agent", w.userAgent)
	req.Header.Set("X-Prometheus-Remote-Write-Version", w.wire.version())
	sender := client.FromContext(ctx).Metadata
	for _, key := range w.cfg.IncludeMetadataKeys {
		for _, value := range sender.Get(key) {
			req.Header.Add(key, value)
		}
	}
	res, err := w.client.Do(req)
	if err != nil {
		return verdict{outcome: failed, reason: mask.Addresses(err.Error())}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil && res.StatusCode/100 != 2 {
		return verdict{outcome: failed, status: res.StatusCode, reason: fmt.Sprintf("%s, but its body could not be read: %v", res.Status, err)}
	}
	return judge(res, text)
}

// passing lists the rejections that do not concern the data, such as an expired secret or a wrong
// address. After a correction the server accepts all data.
var passing = []int{
	http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
	http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusTooManyRequests,
}

// judge returns the verdict for a status. Redirects are not followed: a POST would become a GET,
// or the credentials would go to another host.
func judge(res *http.Response, text []byte) verdict {
	v := verdict{status: res.StatusCode, written: writtenCount(res.Header), reason: explain(res, text)}
	switch {
	case res.StatusCode/100 == 2:
		v.outcome = accepted
	case res.StatusCode/100 == 4 && !slices.Contains(passing, res.StatusCode):
		v.outcome = refused
	default:
		v.outcome = failed
		v.wait = retryAfter(res.Header.Get("Retry-After"), time.Now())
	}
	return v
}

func explain(res *http.Response, text []byte) string {
	said := excerpt.Of(text)
	if to := res.Header.Get("Location"); res.StatusCode/100 == 3 && to != "" {
		said = "redirects are not followed: set endpoint to " + mask.Addresses(to)
	}
	if said == "" {
		return res.Status
	}
	return res.Status + ": " + said
}

// writtenCount returns the samples and histograms that a 2.0 server reports as written, or -1 if
// it does not report them.
func writtenCount(h http.Header) int {
	total, known := 0, false
	for _, kind := range []string{"Samples", "Histograms"} {
		n, err := strconv.Atoi(h.Get("X-Prometheus-Remote-Write-" + kind + "-Written"))
		if err == nil && n >= 0 {
			total, known = total+n, true
		}
	}
	if !known {
		return -1
	}
	return total
}

// retryAfter parses seconds or a date. It returns 0 for other values.
func retryAfter(value string, now time.Time) time.Duration {
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
