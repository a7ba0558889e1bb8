// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package logutil limits how often a component logs messages of one kind, because a peer that makes a mistake repeats
// it with every request.
package logutil

import (
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// interval is the time between two log lines of one kind.
const interval = time.Minute

// Limiter logs the first message of each kind and then at most one a minute.
// It is safe for concurrent use.
type Limiter struct {
	logger *zap.Logger

	mu    sync.Mutex
	kinds map[string]*kind
}

type kind struct {
	logged time.Time
	count  int // occurrences since then
}

// NewLimiter returns a limiter that writes to logger.
func NewLimiter(logger *zap.Logger) *Limiter {
	return &Limiter{logger: logger, kinds: map[string]*kind{}}
}

// Warn logs a message about n occurrences at level warn. The field count tells
// how many occurred since the last line of this kind. A message that comes too
// early is logged at level debug. The name of a kind must be a constant, never
// data: the limiter keeps every kind.
func (l *Limiter) Warn(kind string, n int, message string, fields ...zap.Field) {
	l.log(zapcore.WarnLevel, kind, n, message, fields)
}

// Error does the same as Warn, at level error.
func (l *Limiter) Error(kind string, n int, message string, fields ...zap.Field) {
	l.log(zapcore.ErrorLevel, kind, n, message, fields)
}

func (l *Limiter) log(level zapcore.Level, name string, n int, message string, fields []zap.Field) {
	count, due := l.add(name, n)
	if !due {
		l.logger.Debug(message, fields...)
		return
	}
	l.logger.Log(level, message, append(fields, zap.Int("count", count))...)
}

// add counts n occurrences, and returns the count if a line is due.
func (l *Limiter) add(name string, n int) (count int, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.kinds[name]
	if k == nil {
		k = &kind{}
		l.kinds[name] = k
	}
	k.count += n
	now := time.Now()
	if !k.logged.IsZero() && now.Sub(k.logged) < interval {
		return 0, false
	}
	count, k.logged, k.count = k.count, now, 0
	return count, true
}
