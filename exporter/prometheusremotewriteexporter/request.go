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
	"strconv"
	"time"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/auspex-otel/auspex/internal/exporterutil"
	"github.com/auspex-otel/auspex/internal/mask"
)

const maxAnswer = 64 << 10 // maximum number of bytes read of a response

// verdict is the result of one request.
type verdict struct {
	outcome outcome
	status  int           // of HTTP, 0 if there was no answer
	reason  string        // error text, unless accepted
	wait    time.Duration // time that the server requests before the next try
	written int           // samples and histograms that the server reports as written, -1 if unknown
}

type outcome = exporterutil.Outcome

const (
	accepted = exporterutil.Accepted
	refused  = exporterutil.Refused
	failed   = exporterutil.Failed
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

// judge returns the verdict for a status.
func judge(res *http.Response, text []byte) verdict {
	v := verdict{status: res.StatusCode, outcome: exporterutil.Judge(res.StatusCode), written: writtenCount(res.Header), reason: exporterutil.Explain(res, text)}
	if v.outcome == failed {
		v.wait = exporterutil.RetryAfter(res.Header.Get("Retry-After"), time.Now())
	}
	return v
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
