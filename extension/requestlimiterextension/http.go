// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package requestlimiterextension

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"go.opentelemetry.io/collector/extension/extensionmiddleware"

	"github.com/auspex-otel/auspex/internal/wire/otlp"
)

// GetHTTPHandler returns the middleware of an HTTP server. It runs after decompression, so it
// reads the same bytes as the receiver.
func (l *limiter) GetHTTPHandler(context.Context) (extensionmiddleware.WrapHTTPHandlerFunc, error) {
	return func(_ context.Context, next http.Handler) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { l.serve(w, r, next) }), nil
	}, nil
}

func (l *limiter) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	r, cancel := l.bounded(w, r)
	defer cancel()
	a := l.newAdmission()
	defer a.release()
	var body bytes.Buffer
	err := reserved(a.reading.ReadAll(&body, r.Body))
	if err == nil {
		err = a.decode(r.Context(), cost(r, body.Bytes(), l.most))
	}
	var tooLong *http.MaxBytesError
	switch {
	case err == nil:
		r.Body = io.NopCloser(&body)
		r.ContentLength = int64(body.Len())
		next.ServeHTTP(w, r)
	case l.cutoff.Canceled():
		// The client sends it again. This may be the last response of the process.
		http.Error(w, "the collector is shutting down, send the request again", http.StatusServiceUnavailable)
	case r.Context().Err() != nil: // the server cancels it if it cannot read the body
		http.Error(w, "the body of the request did not arrive completely or in time, send the request again", http.StatusServiceUnavailable)
	case errors.Is(err, errBusy):
		l.reject(r.Context(), err)
		w.Header().Set("Retry-After", "1")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	case errors.Is(err, errLong), errors.Is(err, errCost), errors.Is(err, errDeep):
		l.reject(r.Context(), err)
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
	case errors.As(err, &tooLong):
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
	default:
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// cost returns the approximate memory of the decoded request in bytes, at most most.
func cost(r *http.Request, body []byte, most int) int {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/json" {
		return otlp.CostJSON(body)
	}
	// A custom path has the cost of the most expensive kind.
	return otlp.Cost(kinds[strings.TrimPrefix(r.URL.Path, "/v1/")], body, most)
}

var kinds = map[string]otlp.Request{"logs": otlp.Logs, "metrics": otlp.Metrics, "traces": otlp.Traces}
