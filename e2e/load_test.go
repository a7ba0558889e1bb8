// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	loadSeries   = 200
	loadServices = 5
	loadMetric   = "e2e.load"
	loadPause    = 5 * time.Millisecond
	brokenPoints = 3   // of a series that breaks; then it stops
	brokenAbove  = 300 // only broken series exceed it
)

// load sends one point of every series, waits for the acknowledgement, and continues with the next second of event
// time. It resends rejected points.
type load struct {
	client pmetricotlp.GRPCClient
	random *rand.Rand
	start  time.Time
	stop   chan struct{}
	done   chan struct{}

	mu     sync.Mutex // held while a step is in flight
	steps  int        // acknowledged
	points int        // acknowledged
	next   []byte     // the step in flight, until it is acknowledged
	size   int        // points of next
	broken map[int]int
}

func startLoad(t *testing.T, endpoint string, random *rand.Rand) *load {
	t.Helper()
	conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1, MaxDelay: 20 * time.Millisecond}}))
	require.NoError(t, err)
	l := &load{
		client: pmetricotlp.NewGRPCClient(conn), random: random, start: time.Now().Add(-6 * time.Hour).Truncate(time.Second),
		stop: make(chan struct{}), done: make(chan struct{}), broken: map[int]int{},
	}
	go l.run()
	t.Cleanup(func() {
		close(l.stop)
		<-l.done
		_ = conn.Close()
	})
	return l
}

func (l *load) run() {
	defer close(l.done)
	for {
		select {
		case <-l.stop:
			return
		case <-time.After(loadPause):
		}
		l.step()
	}
}

// step sends the next step, or resends the unacknowledged one, once.
func (l *load) step() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		l.next, l.size = l.build()
	}
	request := pmetricotlp.NewExportRequest()
	if request.UnmarshalProto(l.next) != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if _, err := l.client.Export(ctx, request); err != nil {
		return
	}
	l.steps++
	l.points += l.size
	l.next = nil
}

// build returns the points of the next step.
func (l *load) build() (request []byte, points int) {
	md := pmetric.NewMetrics()
	at := pcommon.NewTimestampFromTime(l.start.Add(time.Duration(l.steps) * time.Second))
	for s := range loadServices {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", "load-"+strconv.Itoa(s))
		m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		m.SetName(loadMetric)
		dps := m.SetEmptyGauge().DataPoints()
		for i := s; i < loadSeries; i += loadServices {
			n, isBroken := l.broken[i]
			if isBroken && n == 0 {
				continue
			}
			v := 50 + 3*l.random.NormFloat64()
			if isBroken {
				v += 500
				l.broken[i]--
			}
			dp := dps.AppendEmpty()
			dp.SetTimestamp(at)
			dp.SetDoubleValue(v)
			dp.Attributes().PutInt("n", int64(i))
			points++
		}
	}
	request, _ = pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	return request, points
}

// breakSeries shifts a series for a few points and then stops it, so that its anomaly stays open.
func (l *load) breakSeries(i int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken[i] = brokenPoints
}

// acknowledged returns the number of acknowledged points.
func (l *load) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.points
}

// hold stops the load after the step in flight, until release is called. It returns the number of acknowledged
// points, and the number of points of an unanswered step.
func (l *load) hold() (acknowledged, unanswered int, release func()) {
	l.mu.Lock()
	if l.next != nil {
		unanswered = l.size
	}
	return l.points, unanswered, l.mu.Unlock
}
