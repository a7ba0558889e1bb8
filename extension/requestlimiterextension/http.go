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

// firstRead is how much of a body is read at first, if its length is not known.
const firstRead = 64 << 10

// GetHTTPHandler returns the middleware of an HTTP server. It runs after
// decompression, so it reads what the receiver would read.
func (l *limiter) GetHTTPHandler(context.Context) (extensionmiddleware.WrapHTTPHandlerFunc, error) {
	return func(_ context.Context, next http.Handler) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { l.serve(w, r, next) }), nil
	}, nil
}

func (l *limiter) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	a := &admission{limiter: l}
	defer a.release()
	body, err := a.read(r)
	if err == nil {
		err = a.decode(r.Context(), cost(r, body))
	}
	var tooLong *http.MaxBytesError
	switch {
	case err == nil:
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
		next.ServeHTTP(w, r)
	case errors.Is(err, errBusy):
		l.reject(r.Context(), err)
		w.Header().Set("Retry-After", "1")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	case errors.Is(err, errLarge):
		l.reject(r.Context(), err)
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
	case errors.As(err, &tooLong):
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
	default:
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// read reads the body of a request. Memory is reserved before it is allocated:
// twice the body, for the receiver copies it.
func (a *admission) read(r *http.Request) ([]byte, error) {
	size := firstRead
	if n := r.ContentLength; n >= 0 {
		size = int(min(n, a.limiter.half)) + 1
	}
	if err := a.grow(r.Context(), 2*size); err != nil {
		return nil, err
	}
	body := make([]byte, 0, size)
	for {
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			return body, nil
		}
		if err != nil {
			return nil, err
		}
		if len(body) == cap(body) {
			if err := a.grow(r.Context(), 4*cap(body)); err != nil {
				return nil, err
			}
			body = append(make([]byte, 0, 2*cap(body)), body...)
		}
	}
}

// cost is about how much memory a request takes when it is decoded.
func cost(r *http.Request, body []byte) int {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/json" {
		return otlp.CostJSON(body)
	}
	// A path that was configured otherwise has the cost of the most expensive kind.
	return otlp.Cost(kinds[strings.TrimPrefix(r.URL.Path, "/v1/")], body)
}

var kinds = map[string]otlp.Request{"logs": otlp.Logs, "metrics": otlp.Metrics, "traces": otlp.Traces}
