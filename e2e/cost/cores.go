// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/processor/anomalyprocessor"
)

const (
	// leastSpeedup is the required ratio of the points per second of two cores to those of one.
	leastSpeedup = 1.6
	// senderPoints is the number of points of each batch, of senderServices services.
	senderPoints, senderServices = 1000, 10
	// warmRounds is the number of rounds after which the models are warm.
	warmRounds = 120
	cadence    = 10 * time.Second
)

// owner is an extension that provides an engine.
type owner struct {
	component.Component
	engine *engine.Engine
}

// Engine returns the engine.
func (o owner) Engine() *engine.Engine { return o.engine }

// ownerHost is a host with one extension.
type ownerHost struct {
	component.Host
	owner owner
}

// GetExtensions returns the extension.
func (h ownerHost) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("anomaly_engine"): h.owner}
}

// load describes a round: each sender sends one batch through several pipelines at the same time. The senders are
// divided among engines.
type load struct {
	name                        string
	senders, pipelines, engines int
	least                       float64 // required ratio
}

// cores judges a load on a number of cores.
type cores struct {
	load       load
	number     int
	engines    []*engine.Engine
	processors []processor.Metrics // those of the first engine, of the second, and so on
	batches    []pmetric.Metrics   // of each sender
	random     *rand.Rand
	now        time.Time
}

// newCores starts the processors of a load.
func newCores(number int, of load) (*cores, error) {
	runtime.GOMAXPROCS(number) // the engine asks for it
	c := &cores{load: of, number: number, random: rand.New(rand.NewPCG(1, 2)), now: time.Now().Add(-30 * 24 * time.Hour)}
	factory := anomalyprocessor.NewFactory()
	for range of.engines {
		e := engine.New(engine.DefaultConfig(), zap.NewNop())
		c.engines = append(c.engines, e)
		for range of.pipelines {
			p, err := factory.CreateMetrics(context.Background(), processortest.NewNopSettings(factory.Type()), factory.CreateDefaultConfig(), consumertest.NewNop())
			if err != nil {
				return nil, err
			}
			if err := p.Start(context.Background(), ownerHost{componenttest.NewNopHost(), owner{engine: e}}); err != nil {
				return nil, err
			}
			c.processors = append(c.processors, p)
		}
	}
	for s := range of.senders {
		c.batches = append(c.batches, newBatch(s))
	}
	return c, nil
}

// newBatch returns the batch of a sender.
func newBatch(sender int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for i := range senderServices {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", "service-"+strconv.Itoa(sender*senderServices+i))
		m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		m.SetName("app.metric")
		dps := m.SetEmptyGauge().DataPoints()
		for k := range senderPoints / senderServices {
			dps.AppendEmpty().Attributes().PutStr("http.route", "/api/"+strconv.Itoa(k))
		}
	}
	return md
}

// renew gives all points new times and values. It returns a copy of the batches for each pipeline.
func (c *cores) renew() (sent [][]pmetric.Metrics) {
	c.now = c.now.Add(cadence)
	for _, e := range c.engines {
		e.Tick(c.now)
	}
	sent = make([][]pmetric.Metrics, c.load.pipelines)
	for _, md := range c.batches {
		for _, rm := range md.ResourceMetrics().All() {
			for _, dp := range rm.ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().All() {
				dp.SetTimestamp(pcommon.NewTimestampFromTime(c.now))
				dp.SetDoubleValue(50 + 10*c.random.NormFloat64())
			}
		}
		for i := range sent {
			own := pmetric.NewMetrics()
			md.CopyTo(own)
			sent[i] = append(sent[i], own)
		}
	}
	return sent
}

// round sends a round, and returns how long the processors take for it.
func (c *cores) round() (time.Duration, error) {
	sent := c.renew()
	runtime.GOMAXPROCS(c.number)
	done := make(chan error, c.load.senders*c.load.pipelines)
	began := time.Now()
	for s := range c.load.senders {
		for i := range c.load.pipelines {
			p := c.processors[s%c.load.engines*c.load.pipelines+i]
			go func() { done <- p.ConsumeMetrics(context.Background(), sent[i][s]) }()
		}
	}
	var errs []error
	for range cap(done) {
		errs = append(errs, <-done)
	}
	return time.Since(began), errors.Join(errs...)
}

// measure returns the points per second of the fastest round with one core and with two, in turn.
func (l load) measure(rounds int) (speed [2]float64, err error) {
	var of [2]*cores
	for i := range of {
		if of[i], err = newCores(i+1, l); err != nil {
			return speed, err
		}
	}
	for n := range warmRounds + rounds {
		for i, c := range of {
			took, err := c.round()
			if err != nil {
				return speed, err
			}
			if n >= warmRounds {
				speed[i] = max(speed[i], float64(l.senders*senderPoints)/took.Seconds())
			}
		}
	}
	return speed, nil
}

// measureCores prints the points per second through the processor with one core and with two. It takes the fastest of
// many rounds, because everything else on the machine only slows rounds down. Engines that share nothing show what the
// machine can reach.
func measureCores() error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	fmt.Printf("\nPoints per second through the processor, batches of %d gauges of %d services\n", senderPoints, senderServices)
	fmt.Printf("  %-42s %10s %10s %6s\n", "GOMAXPROCS", "1", "2", "ratio")
	var errs []error
	for _, l := range []load{
		{"4 senders", 4, 1, 1, leastSpeedup},
		{"4 senders, each through 2 pipelines", 4, 2, 1, 0},
		{"1 sender", 1, 1, 1, 0},
		{"4 senders, 4 engines that share nothing", 4, 1, 4, 0},
	} {
		speed, err := l.measure(*coreRounds)
		if err != nil {
			return err
		}
		ratio := speed[1] / speed[0]
		fmt.Printf("  %-42s %10.0f %10.0f %6.2f\n", l.name, speed[0], speed[1], ratio)
		if ratio < l.least {
			errs = append(errs, fmt.Errorf("%s: two cores judge %.2f times as many points as one, %.1f are required: compare the last row, and stop what else uses the cores", l.name, ratio, l.least))
		}
	}
	return errors.Join(errs...)
}
