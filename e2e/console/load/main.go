// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Program load measures the console under load: it seeds a collector with series and
// incidents through OTLP, keeps sending, opens streams as live pages do, and measures
// the API and the first paint of each view. It needs Linux, the built collector,
// Debian's Chromium, and Node 20: `make e2e-console-load` runs it.
//
// It prints a table, and exits with 1 if a limit is exceeded.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/auspex-otel/auspex/e2e/clients"
	"github.com/auspex-otel/auspex/internal/peertest"
)

var (
	series   = flag.Int("series", 100_000, "series; each service has 100")
	rounds   = flag.Int("rounds", 120, "points of each series before the faults")
	streams  = flag.Int("streams", 50, "live pages")
	requests = flag.Int("requests", 40, "requests of each view")
	modules  = flag.String("modules", "extension/consoleextension/web/node_modules", "folder with Playwright")
)

const (
	// mostPaint and mostAnswer are the limits of the first paint, and of the 95th percentile of the API.
	mostPaint, mostAnswer = time.Second, 100 * time.Millisecond
	// faulty is the number of points of each service that are off before the measurement.
	faulty = 5
	// off is their distance from the level, in standard deviations of 10.
	off = 1000
	// perService is the number of series of a service.
	perService = 100
)

func main() {
	flag.Parse()
	within := false
	err := peertest.Protect(func(b peertest.TB) (err error) {
		within, err = measure(b)
		return err
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || !within {
		os.Exit(1)
	}
}

// measure reports whether all limits hold.
func measure(b peertest.TB) (bool, error) {
	without, err := memoryWithoutConsole(b)
	if err != nil {
		return false, err
	}
	c, load, err := seed(b, "anomaly_engine, anomaly_console")
	if err != nil {
		return false, err
	}
	defer load.Close()
	var found figures
	if err := c.Ask(context.Background(), "/api/v1/status", &found); err != nil {
		return false, err
	}
	fmt.Fprintf(os.Stderr, "%d series, %d of them learning, %d incidents are open\n", found.Series, found.Warming, found.Open)
	ids, err := examples(c)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- ingest(load, stop) }()
	live, err := openStreams(ctx, "http://"+c.Console, *streams)
	if err != nil {
		return false, err
	}
	if found.answers, err = measureAPI(ctx, "http://"+c.Console, ids); err != nil {
		return false, err
	}
	if found.paints, err = measurePaint(ctx, "http://"+c.Console, ids); err != nil {
		return false, err
	}
	found.events = live.events()
	with, err := c.Memory(ctx)
	if err != nil {
		return false, err
	}
	close(stop)
	if err := <-ended; err != nil {
		return false, fmt.Errorf("ingestion during the measurement: %w", err)
	}
	found.addedMiB = with.Heap - without.Heap
	return found.report(), nil
}

// figures holds the measurements, and the status of the engine after seeding.
type figures struct {
	Series  int `json:"series"`
	Warming int `json:"warming"`
	Open    int `json:"open_incidents"`

	answers, paints map[string]time.Duration // by view
	events          int64                    // that each page received at least
	addedMiB        float64
}

// memoryWithoutConsole returns the memory of a collector with the same load and no console.
func memoryWithoutConsole(b peertest.TB) (peertest.Memory, error) {
	c, load, err := seed(b, "anomaly_engine")
	if err != nil {
		return peertest.Memory{}, err
	}
	defer load.Close()
	m, err := c.Memory(context.Background())
	c.Stop()
	return m, err
}

// seed starts a collector with the given extensions, and sends history and then a fault of each service.
func seed(b peertest.TB, extensions string) (*peertest.Collector, *clients.Points, error) {
	c := peertest.StartCollector(b, peertest.CollectorOptions{Config: fmt.Sprintf(config, extensions)})
	load, err := clients.NewPoints(c.OTLP, *series)
	if err != nil {
		return nil, nil, err
	}
	began := time.Now()
	for range *rounds {
		if err := load.Send(load.Series()); err != nil {
			return nil, nil, err
		}
	}
	load.Raised = off
	if err := load.Send(faulty * load.Series()); err != nil {
		return nil, nil, err
	}
	fmt.Fprintf(os.Stderr, "%d points seeded in %v, with %s\n", load.Sent(), time.Since(began).Round(time.Second), extensions)
	return c, load, nil
}

// ingest sends a tenth of the series each second, as series with a point each ten seconds do.
func ingest(load *clients.Points, stop <-chan struct{}) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return nil
		case <-tick.C:
			if err := load.Send(load.Series() / 10); err != nil {
				return err
			}
		}
	}
}

// report prints the tables, and reports whether all limits hold.
func (f *figures) report() bool {
	good := true
	must := func(ok bool) string {
		if ok {
			return ""
		}
		good = false
		return "  over the limit"
	}
	incidents := *series / perService
	fmt.Printf("%d series (%d still learning), %d open incidents, %d live pages, %d points/s meanwhile\n\n", f.Series, f.Warming, f.Open, *streams, *series/10)
	fmt.Printf("%-14s %12s %14s\n", "view", "API p95", "first paint")
	for _, v := range views {
		fmt.Printf("%-14s %9.1f ms %11d ms%s\n", v.name, f.answers[v.name].Seconds()*1e3, f.paints[v.name].Milliseconds(),
			must(f.answers[v.name] <= mostAnswer && f.paints[v.name] <= mostPaint))
	}
	fmt.Printf("\nlimits: API p95 %v, first paint %v\n", mostAnswer, mostPaint)
	fmt.Printf("series seeded: %d of %d%s\n", f.Series, *series, must(f.Series >= *series))
	fmt.Printf("incidents open: %d of %d%s\n", f.Open, incidents, must(f.Open >= incidents))
	fmt.Printf("memory added by the console with its chart history and %d pages: %.0f MiB\n", *streams, f.addedMiB)
	fmt.Printf("events received by each page: at least %d%s\n", f.events, must(f.events >= 2))
	return good
}

// config is a collector that observes OTLP and drops it, with the given extensions besides.
const config = `
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: ${env:E2E_OTLP}
processors:
  memory_limiter:
    check_interval: 1s
    limit_mib: 4096
  anomaly:
exporters:
  nop:
extensions:
  health_check:
    endpoint: ${env:E2E_HEALTH}
  pprof:
    endpoint: ${env:E2E_PPROF}
  anomaly_console:
    endpoint: ${env:E2E_CONSOLE}
    max_clients: 60 # the pages whose first paint is measured are live, too
  anomaly_engine:
    max_series: 200000 # the engine derives some of each service
    max_memory: 3GiB
service:
  extensions: [health_check, pprof, %s]
  telemetry:
    metrics:
      readers:
        - pull:
            exporter:
              prometheus:
                host: ${env:E2E_METRICS_HOST}
                port: ${env:E2E_METRICS_PORT}
  pipelines:
    metrics:
      receivers: [otlp]
      processors: [memory_limiter, anomaly]
      exporters: [nop]
`

var errNoExample = errors.New("the collector has no incident, or no series: were faults found?")
