// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package requestlimiterextension

import (
	"context"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/tap"

	"github.com/auspex-otel/auspex/internal/shutdown"
)

// Ready does nothing.
func (*limiter) Ready() error { return nil }

// NotReady bounds the requests in progress. The collector calls it before receivers stop, because
// core's OTLP receiver waits for its requests without bound. Clients send unanswered requests
// again.
func (l *limiter) NotReady() error {
	l.cutoff.After(shutdown.Drain)
	return nil
}

// bounded makes the cutoff end a request: its context, and the reading of its body.
func (l *limiter) bounded(w http.ResponseWriter, r *http.Request) (*http.Request, context.CancelFunc) {
	ctx, cancel := l.cutoff.Context(r.Context())
	stop := context.AfterFunc(ctx, func() {
		// A server without this function has no body to wait for.
		_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
	})
	return r.WithContext(ctx), func() {
		stop()
		cancel()
	}
}

// boundedStreams does the same for the streams of a gRPC server, from their first header.
func (l *limiter) boundedStreams() grpc.ServerOption {
	return grpc.InTapHandle(func(ctx context.Context, _ *tap.Info) (context.Context, error) {
		bound, cancel := l.cutoff.Context(ctx)
		context.AfterFunc(ctx, cancel)
		return bound, nil
	})
}
