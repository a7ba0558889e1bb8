// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/auspex-otel/auspex/e2e/clients"
)

// TestPointsOfASeriesDiffer verifies that no series has two points in one millisecond, however fast a receiver
// answers. Remote write would merge them.
func TestPointsOfASeriesDiffer(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	sent := map[time.Time]int{}
	r := &row{ledger: newLedger("ab12", 0), metrics: true, paused: new(atomic.Bool), phase: new(atomic.Int32), offset: new(atomic.Int64)}
	r.send = func(_ context.Context, b clients.Batch) error {
		sent[b.Points[0].Time.Truncate(time.Millisecond)]++
		if len(sent) == 50 {
			stop()
		}
		return nil
	}
	r.work(ctx, 0, rand.New(rand.NewPCG(1, 1)))
	for at, n := range sent {
		assert.Equal(t, 1, n, "batches at %v", at)
	}
	assert.Equal(t, 50*batchRecords, r.count())
}
