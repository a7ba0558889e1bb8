// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package requestlimiterextension

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/extension/requestlimiterextension/internal/metadata"
	"github.com/auspex-otel/auspex/internal/logutil"
	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/internal/shutdown"
	"github.com/auspex-otel/auspex/internal/wire/otlp"
)

const (
	// share is the divisor of the limit for requests that are being read, and again for those
	// being decoded and processed. The rest is for one large request, the pipelines, the engine,
	// and uncollected garbage.
	share = 8
	// maxDecoded bounds one decoded request in bytes. Typical requests of 8 MiB are
	// estimated at up to 88 MiB.
	maxDecoded = 90 << 20
	// collectAt is the garbage collector's soft limit in percent of the limit, as the
	// documentation of the memory_limiter processor recommends.
	collectAt = 80
	// programSize is the memory in bytes that the program itself needs besides Go's heap. It
	// is more than the rest of a small limit.
	programSize = 96 << 20
	// patience is the time that a request waits, after it was read, for others to end.
	patience = 5 * time.Second
)

// Errors of requests that are not admitted.
var (
	errBusy = errors.New("the requests in progress use all memory for requests: send this one again later")
	errLong = errors.New("the request has more bytes than a 32nd of limit_mib: send smaller requests or increase limit_mib")
	errCost = errors.New("the decoded request would exceed the memory limit of one request: send smaller requests or increase limit_mib")
	errDeep = fmt.Errorf("the request has values that are nested more than %d levels deep: reduce the nesting", otlp.MaxDepth)
)

// limiter holds the shared budget for the requests of all receivers that use it.
type limiter struct {
	log       *logutil.Limiter
	telemetry *metadata.TelemetryBuilder
	limit     int64 // bytes of the process
	before    int64 // the runtime's limit before Start
	reading   *receiverutil.Memory
	decoding  *receiverutil.Memory
	large     chan struct{} // held by the single request that needs more memory than decoding provides
	most      int           // maximum memory of that request in bytes
	patience  time.Duration

	admitted sync.Map // maps decoded gRPC messages to their *admission
	cutoff   shutdown.Cutoff
}

var (
	_ extension.Extension                   = (*limiter)(nil)
	_ extensioncapabilities.PipelineWatcher = (*limiter)(nil)
	_ extensionmiddleware.HTTPServer        = (*limiter)(nil)
	_ extensionmiddleware.GRPCServer        = (*limiter)(nil)
)

func newLimiter(cfg *Config, set extension.Settings) (*limiter, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	limit := cfg.LimitMiB << 20
	return &limiter{
		log: logutil.NewLimiter(set.Logger), telemetry: telemetry, limit: int64(limit), before: -1, most: min(limit/2, maxDecoded), patience: patience,
		reading: receiverutil.NewMemory(limit / share), decoding: receiverutil.NewMemory(limit / share), large: make(chan struct{}, 1),
	}, nil
}

// Start sets the garbage collector's limit, unless GOMEMLIMIT is set: garbage of past requests
// counts as much as the memory of current ones.
func (l *limiter) Start(context.Context, component.Host) error {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		l.before = debug.SetMemoryLimit(softLimit(l.limit))
	}
	return nil
}

// softLimit returns the garbage collector's limit for the limit of a process, in bytes.
func softLimit(limit int64) int64 {
	return max(limit/2, min(limit/100*collectAt, limit-programSize))
}

// Shutdown restores the garbage collector's limit.
func (l *limiter) Shutdown(context.Context) error {
	debug.SetMemoryLimit(l.before)
	l.telemetry.Shutdown()
	return nil
}

// admission is the part of the budget that one request holds.
type admission struct {
	limiter           *limiter
	reading, decoding receiverutil.Reservation
	large             bool
}

func (l *limiter) newAdmission() *admission {
	return &admission{limiter: l, reading: l.reading.Reservation(), decoding: l.decoding.Reservation()}
}

// reserved returns the error for the sender after a failed reservation.
func reserved(err error) error {
	switch {
	case errors.Is(err, receiverutil.ErrMemory):
		return errBusy
	case errors.Is(err, receiverutil.ErrTooLarge):
		return errLong
	default:
		return err
	}
}

// decode reserves memory for the decoded request. A small request does not wait
// behind a large one.
func (a *admission) decode(ctx context.Context, cost int) error {
	l := a.limiter
	switch {
	case cost >= otlp.TooDeep:
		return errDeep
	case cost > l.most:
		return errCost
	}
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	err := a.decoding.ReserveWithin(ctx, cost)
	if !errors.Is(err, receiverutil.ErrTooLarge) {
		return reserved(err)
	}
	select {
	case l.large <- struct{}{}:
		a.large = true
		return nil
	case <-ctx.Done():
		return errBusy
	}
}

// release returns the memory of the request.
func (a *admission) release() {
	a.reading.ReleaseAll()
	a.decoding.ReleaseAll()
	if a.large {
		a.large = false
		<-a.limiter.large
	}
}

// reject counts and logs a rejected request.
func (l *limiter) reject(ctx context.Context, err error) {
	reason := "too_large"
	if errors.Is(err, errBusy) {
		reason = "busy"
	}
	l.telemetry.ExtensionRequestLimiterRejected.Add(ctx, 1, metric.WithAttributes(attribute.String("reason", reason)))
	l.log.Warn(reason, 1, "Request rejected because of its memory", zap.Error(err))
}
