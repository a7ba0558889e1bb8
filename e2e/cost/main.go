// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Program cost measures the cost of detection: the processor time of a pipeline with and without the anomaly
// processor under the same load, the memory of watched series, and what a second core gains. It starts the built
// collector on the loopback interface, takes about two minutes, and prints tables. It fails if two cores judge fewer
// than 1.6 times as many points per second as one.
//
//	go run ./e2e/cost
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/auspex-otel/auspex/e2e/clients"
	"github.com/auspex-otel/auspex/internal/peertest"
)

var (
	rounds     = flag.Int("rounds", 5, "measurements of each pipeline")
	points     = flag.Int("points", 1_000_000, "data points of one measurement")
	cpuSeries  = flag.Int("cpu-series", 4000, "series while processor time is measured")
	coreRounds = flag.Int("core-rounds", 1000, "rounds with one core and with two")
	memSeries  = flag.Int("mem-series", 20_000, "series while memory is measured")
)

func main() {
	flag.Parse()
	began := time.Now()
	err := peertest.Protect(func(b peertest.TB) error {
		if err := measureCPU(b); err != nil {
			return err
		}
		if err := measureMemory(b); err != nil {
			return err
		}
		return measureCores()
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("\ntook %v\n", time.Since(began).Round(time.Second))
}

// pipelines holds the two pipelines that are compared.
var pipelines = [...]struct{ name, config string }{
	{"OTLP, memory_limiter, nop", pipeline("[memory_limiter]")},
	{"the same with anomaly", pipeline("[memory_limiter, anomaly]")},
}

// measureCPU runs both pipelines alternately, so that a slow period of the machine affects both.
func measureCPU(b peertest.TB) error {
	var loads [len(pipelines)]*clients.Points
	var collectors [len(pipelines)]*peertest.Collector
	for i, p := range pipelines {
		collectors[i] = peertest.StartCollector(b, peertest.CollectorOptions{Config: p.config})
		l, err := clients.NewPoints(collectors[i].OTLP, *cpuSeries)
		if err != nil {
			return err
		}
		defer l.Close()
		if err := l.Send(150 * *cpuSeries); err != nil { // models warm up in 100 points
			return err
		}
		loads[i] = l
	}
	var cost [len(pipelines)][]float64
	for range *rounds {
		for i := range pipelines {
			seconds, err := cpuOf(collectors[i].Process, func() error { return loads[i].Send(*points) })
			if err != nil {
				return err
			}
			cost[i] = append(cost[i], seconds/float64(*points)*1e6)
		}
	}
	if err := judgedAll(collectors[1], loads[1].Sent()); err != nil {
		return err
	}
	fmt.Printf("CPU-seconds per million data points, %d series, gauges, %d million points each time\n", *cpuSeries, *points/1_000_000)
	fmt.Printf("  %-28s %8s %8s %8s\n", "pipeline", "least", "median", "most")
	for i, p := range pipelines {
		least, median, most := spread(cost[i])
		fmt.Printf("  %-28s %8.2f %8.2f %8.2f\n", p.name, least, median, most)
	}
	_, bare, _ := spread(cost[0])
	_, with, _ := spread(cost[1])
	fmt.Printf("  ratio of the medians %.2f; the processor alone %.2f\n", with/bare, with-bare)
	for _, c := range collectors {
		c.Stop()
	}
	return nil
}

// measureMemory compares the memory of a collector before and after it has warm models of many series.
func measureMemory(b peertest.TB) error {
	c := peertest.StartCollector(b, peertest.CollectorOptions{Config: pipelines[1].config})
	before, err := c.Memory(context.Background())
	if err != nil {
		return err
	}
	l, err := clients.NewPoints(c.OTLP, *memSeries)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.Send(120 * *memSeries); err != nil {
		return err
	}
	if err := judgedAll(c, l.Sent()); err != nil {
		return err
	}
	after, err := c.Memory(context.Background())
	if err != nil {
		return err
	}
	thousands := float64(l.Series()) / 1000
	fmt.Printf("\nMemory, %d warm series, after a forced collection of garbage\n", l.Series())
	fmt.Printf("  %-28s %8s %8s %18s\n", "MiB", "before", "after", "per 1,000 series")
	fmt.Printf("  %-28s %8.1f %8.1f %18.2f\n", "heap in use", before.Heap, after.Heap, (after.Heap-before.Heap)/thousands)
	fmt.Printf("  %-28s %8.1f %8.1f %18.2f\n", "resident, garbage included", before.Resident, after.Resident, (after.Resident-before.Resident)/thousands)
	c.Stop()
	return nil
}
