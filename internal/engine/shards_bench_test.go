// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine/shards"
)

const (
	shardServices = 16
	shardPoints   = 1600 // of a round
)

// crowd sends batches of gauges to engines, one batch of each sender in a round. All senders send at the same time.
type crowd struct {
	engines []*Engine
	batches []pmetric.Metrics
	random  *rand.Rand
	step    int
}

// newCrowd returns senders that share the services, each of which sends to one of the engines.
func newCrowd(engines, senders, services int) *crowd {
	c := &crowd{random: rand.New(rand.NewPCG(1, 1))}
	for range engines {
		c.engines = append(c.engines, newEngine())
	}
	for s := range senders {
		md := pmetric.NewMetrics()
		for i := s; i < services; i += senders {
			addService(md, fmt.Sprint("service-", i), gauge("load", 0, make([]float64, shardPoints/services)...))
		}
		c.batches = append(c.batches, md)
	}
	return c
}

// observe sends a round, each batch through the given number of pipelines, and returns the time that it took.
func (c *crowd) observe(pipelines int) time.Duration {
	for _, e := range c.engines {
		e.Tick(at(float64(c.step * cadence)))
	}
	for _, md := range c.batches {
		for _, rm := range md.ResourceMetrics().All() {
			for _, dp := range rm.ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().All() {
				dp.SetTimestamp(stamp(float64(c.step * cadence)))
				dp.SetDoubleValue(100 + c.random.Float64())
			}
		}
	}
	c.step++
	var wait sync.WaitGroup
	began := time.Now()
	for i, md := range c.batches {
		for range pipelines {
			wait.Go(func() { c.engines[i%len(c.engines)].ObserveMetrics(md, shownWhereAnomalous) })
		}
	}
	wait.Wait()
	return time.Since(began)
}

// BenchmarkShards observes rounds of 1,600 points with one core and with two in turn. It reports the points per second
// of the fastest round of each, because other load on the machine only slows rounds down. Engines that share nothing
// show what the machine can reach.
func BenchmarkShards(b *testing.B) {
	for _, c := range []struct {
		name                                  string
		engines, senders, services, pipelines int
	}{
		{"16-services/16-senders", 1, shardServices, shardServices, 1},
		{"16-services/4-senders", 1, 4, shardServices, 1},
		{"16-services/1-sender", 1, 1, shardServices, 1},
		{"16-services/4-senders/2-pipelines", 1, 4, shardServices, 2},
		{"1-service/1-sender", 1, 1, 1, 1},
		{"nothing-shared", 2, 2, shardServices, 1},
	} {
		b.Run(c.name, func(b *testing.B) {
			crowd := newCrowd(c.engines, c.senders, c.services)
			for range 150 {
				crowd.observe(c.pipelines)
			}
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
			least := [2]time.Duration{time.Hour, time.Hour}
			for b.Loop() {
				for i := range least {
					for _, e := range crowd.engines {
						e.cores = shards.NewCores(max(1, (i+1)/c.engines))
					}
					runtime.GOMAXPROCS(i + 1)
					least[i] = min(least[i], crowd.observe(c.pipelines))
				}
			}
			for i, d := range least {
				b.ReportMetric(shardPoints/d.Seconds(), fmt.Sprintf("points/s-%d-core", i+1))
			}
			b.ReportMetric(least[0].Seconds()/least[1].Seconds(), "ratio")
		})
	}
}
