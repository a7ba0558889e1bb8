// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package requestlimiterextension

import (
	"context"
	"errors"
	"math"
	"runtime/debug"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"

	"github.com/auspex-otel/auspex/extension/requestlimiterextension/internal/metadata"
	"github.com/auspex-otel/auspex/internal/logutil"
)

const (
	// share of the limit that requests may take, in two halves: the rest is for the
	// pipelines behind them, the engine, and garbage that is not collected yet.
	share = 4
	// patience is how long a request waits for others to end.
	patience = 5 * time.Second
)

// Errors of requests that are not admitted.
var (
	errBusy  = errors.New("too many bytes of requests are in flight, send this one again later")
	errLarge = errors.New("the request would take more than half of limit_mib when it is decoded, or is nested too deep: send it in parts")
)

// limiter has one budget for the requests of all receivers that use it. Half of it
// is for requests that are being read, the other half for those that are being
// decoded and processed. One that is processed waits for no one, so requests that
// were read make progress.
type limiter struct {
	log       *logutil.Limiter
	telemetry *metadata.TelemetryBuilder
	limit     int64 // bytes of the process
	before    int64 // the runtime's own limit, before Start set it
	most      int64 // bytes of one decoded request
	half      int64 // bytes of each half of the budget
	reading   *semaphore.Weighted
	decoding  *semaphore.Weighted
	patience  time.Duration

	admitted sync.Map // from messages of gRPC that are decoded to their *admission
}

var (
	_ extension.Extension            = (*limiter)(nil)
	_ extensionmiddleware.HTTPServer = (*limiter)(nil)
	_ extensionmiddleware.GRPCServer = (*limiter)(nil)
)

func newLimiter(cfg *Config, set extension.Settings) (*limiter, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	limit := int64(cfg.LimitMiB) << 20
	half := limit / share / 2
	return &limiter{
		log: logutil.NewLimiter(set.Logger), telemetry: telemetry, limit: limit, before: -1, most: limit / 2, half: half, patience: patience,
		reading: semaphore.NewWeighted(half), decoding: semaphore.NewWeighted(half),
	}, nil
}

// Start has the garbage collector keep to the limit, unless GOMEMLIMIT is set: what a
// request leaves behind counts as much as what it holds.
func (l *limiter) Start(context.Context, component.Host) error {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		l.before = debug.SetMemoryLimit(l.limit)
	}
	return nil
}

// Shutdown restores the garbage collector's limit.
func (l *limiter) Shutdown(context.Context) error {
	debug.SetMemoryLimit(l.before)
	l.telemetry.Shutdown()
	return nil
}

// admission is what one request holds of the budget.
type admission struct {
	limiter           *limiter
	reading, decoding int64
}

// grow reserves memory for the body of a request up to a size. The first
// reservation waits; one that holds memory must not, or two would wait for each other.
func (a *admission) grow(ctx context.Context, size int) error {
	l, more := a.limiter, int64(size)-a.reading
	switch {
	case more <= 0:
		return nil
	case int64(size) > l.half:
		return errLarge
	case a.reading > 0:
		if !l.reading.TryAcquire(more) {
			return errBusy
		}
	default:
		ctx, cancel := context.WithTimeout(ctx, l.patience)
		defer cancel()
		if l.reading.Acquire(ctx, more) != nil {
			return errBusy
		}
	}
	a.reading += more
	return nil
}

// decode reserves memory for the decoded request. One that needs more than half of
// the budget is processed alone, if the process has room for it.
func (a *admission) decode(ctx context.Context, cost int) error {
	l := a.limiter
	if int64(cost) > l.most {
		return errLarge
	}
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	need := min(int64(cost), l.half)
	if l.decoding.Acquire(ctx, need) != nil {
		return errBusy
	}
	a.decoding = need
	return nil
}

// release returns all that the request holds.
func (a *admission) release() {
	a.limiter.reading.Release(a.reading)
	a.limiter.decoding.Release(a.decoding)
	a.reading, a.decoding = 0, 0
}

// reject counts and logs a request that is not admitted.
func (l *limiter) reject(ctx context.Context, err error) {
	reason := "busy"
	if errors.Is(err, errLarge) {
		reason = "too_large"
	}
	l.telemetry.RequestLimiterRejected.Add(ctx, 1, metric.WithAttributes(attribute.String("reason", reason)))
	l.log.Warn(reason, 1, "A request was rejected because of its memory", zap.Error(err))
}
