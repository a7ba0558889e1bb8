// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package requestlimiterextension

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/auspex-otel/auspex/internal/wire/otlp"
)

// GetGRPCServerOptions returns a codec and an interceptor. Only the codec of a gRPC server sees a
// message before it is decoded, and only the interceptor can answer.
func (l *limiter) GetGRPCServerOptions(context.Context) ([]grpc.ServerOption, error) {
	return []grpc.ServerOption{
		grpc.ForceServerCodecV2(codec{encoding.GetCodecV2("proto"), l}),
		grpc.ChainUnaryInterceptor(l.intercept),
		l.boundedStreams(),
	}, nil
}

type codec struct {
	encoding.CodecV2
	limiter *limiter
}

// messages maps the names of pdata's types, which pdata does not export, to OTLP requests. Other
// messages pass unchanged.
var messages = map[string]otlp.Request{
	"*internal.ExportLogsServiceRequest":    otlp.Logs,
	"*internal.ExportMetricsServiceRequest": otlp.Metrics,
	"*internal.ExportTraceServiceRequest":   otlp.Traces,
}

// rejection is the answer of the interceptor for a message that was not decoded.
type rejection struct{ err error }

// Unmarshal decodes a message if memory is available. Otherwise the message stays empty and the
// interceptor rejects it, because an error of the codec would be permanent.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	kind, ok := messages[fmt.Sprintf("%T", v)]
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	l, a := c.limiter, c.limiter.newAdmission()
	if err := a.admit(data, kind); err != nil {
		a.release()
		l.admitted.Store(v, rejection{err})
		return nil //nolint:nilerr // the interceptor returns it
	}
	if err := c.CodecV2.Unmarshal(data, v); err != nil {
		a.release()
		return err
	}
	l.admitted.Store(v, a)
	return nil
}

func (a *admission) admit(data mem.BufferSlice, kind otlp.Request) error {
	if err := reserved(a.reading.Reserve(data.Len())); err != nil {
		return err
	}
	// If the message is one buffer, as below a megabyte, this does not copy.
	buffer := data.MaterializeToBuffer(mem.DefaultBufferPool())
	cost := otlp.Cost(kind, buffer.ReadOnlyData(), a.limiter.most)
	buffer.Free()
	return a.decode(context.Background(), cost)
}

func (l *limiter) intercept(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	known, _ := l.admitted.LoadAndDelete(req)
	switch known := known.(type) {
	case *admission:
		defer known.release()
	case rejection:
		l.reject(ctx, known.err)
		if errors.Is(known.err, errBusy) {
			return nil, status.Error(codes.Unavailable, known.err.Error())
		}
		return nil, status.Error(codes.ResourceExhausted, known.err.Error())
	}
	return next(ctx, req)
}
