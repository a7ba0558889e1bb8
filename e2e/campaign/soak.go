// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/auspex-otel/auspex/e2e/clients"
	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	soakSeries = 8000
	// soakWindows is the number of windows. The first is the warm-up.
	soakWindows = 6
	// windowSamples is the number of memory readings per window.
	windowSamples = 60
	mostGrowth    = 0.02
	// pointStep is the event time between two points of a series of clients.Points.
	pointStep = 10 * time.Second
	// budgetPerDay is the default number of false alarms of metrics per day: half of five.
	budgetPerDay = 2.5
)

//go:embed testdata/soak.yaml
var soakConfiguration string

// soak sends at half the maximum rate of the collector and prints the drift of memory and false alarms.
func soak(t peertest.TB, long time.Duration) error {
	c := peertest.StartCollector(t, peertest.CollectorOptions{Base: "auspex:default", Config: soakConfiguration, Env: peertest.Shipped(t, "AUSPEX_MEMORY=1024")})
	points, err := clients.NewPoints(c.OTLP, soakSeries)
	if err != nil {
		return err
	}
	defer points.Close()
	began := time.Now()
	if err := points.Send(150 * points.Series()); err != nil { // models warm up in 100 points
		return err
	}
	rate := float64(points.Sent()) / time.Since(began).Seconds() / 2
	fmt.Printf("half load: %.0f points/s of %d series and 1000 log records/s\n", rate, points.Series())
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go sendLogs(ctx, clients.New(t, "otlp/grpc", c.OTLP))
	s := soaking{c: c, points: points, rate: rate}
	return s.measure(ctx, long)
}

// sendLogs sends 1,000 log records of 50 templates a second until ctx ends.
func sendLogs(ctx context.Context, send clients.Client) {
	for n := 0; ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
		b := clients.Batch{Service: "soak"}
		for range 100 {
			b.Logs = append(b.Logs, clients.Log{Time: time.Now(), Text: fmt.Sprintf("%s handled request %d", word(1000+n%50), n)})
			n++
		}
		_ = send(ctx, b) // a rejected batch is not sent again
	}
}

// soaking is a collector under a steady load.
type soaking struct {
	c      *peertest.Collector
	points *clients.Points
	rate   float64 // points per second
}

// window holds one row of the table.
type window struct {
	memory peertest.Memory // mean
	opened int             // anomalies
	days   float64         // of event time
}

// measure prints a row for each window, and returns an error if memory grew too much between the second and the last.
func (s *soaking) measure(ctx context.Context, long time.Duration) error {
	fmt.Println("minutes | heap MiB | in use MiB | resident MiB | event days | opened | per budget")
	var all []window
	for i := range soakWindows {
		w, err := s.window(ctx, long/soakWindows)
		if err != nil {
			return err
		}
		all = append(all, w)
		fmt.Printf("%7.1f | %8.1f | %10.1f | %12.1f | %10.2f | %6d | %10.2f\n", (long / soakWindows * time.Duration(i+1)).Minutes(),
			w.memory.Heap, w.memory.InUse, w.memory.Resident, w.days, w.opened, w.perBudget())
	}
	first, last := all[1], all[len(all)-1]
	heap, inUse := last.memory.Heap/first.memory.Heap-1, last.memory.InUse/first.memory.InUse-1
	fmt.Printf("memory growth after the first window: heap %+.1f %%, in use %+.1f %%; false alarms: %.2f of the budget, then %.2f\n",
		100*heap, 100*inUse, first.perBudget(), last.perBudget())
	if max(heap, inUse) > mostGrowth {
		return fmt.Errorf("FAILED\nmemory grew by more than %.0f %%", 100*mostGrowth)
	}
	return nil
}

// perBudget returns the ratio of opened anomalies to the number that the budget allows.
func (w window) perBudget() float64 { return float64(w.opened) / (w.days * budgetPerDay) }

// window sends for the given time and reads memory meanwhile.
func (s *soaking) window(ctx context.Context, long time.Duration) (w window, err error) {
	sent, opened, err := s.state(ctx)
	if err != nil {
		return w, err
	}
	for range windowSamples {
		if err := s.load(long / windowSamples); err != nil {
			return w, err
		}
		m, err := s.c.Memory(ctx)
		if err != nil {
			return w, err
		}
		w.memory.Heap += m.Heap / windowSamples
		w.memory.InUse += m.InUse / windowSamples
		w.memory.Resident += m.Resident / windowSamples
	}
	sentAfter, openedAfter, err := s.state(ctx)
	w.opened = openedAfter - opened
	w.days = float64((sentAfter-sent)/s.points.Series()) * pointStep.Hours() / 24
	return w, err
}

func (s *soaking) state(ctx context.Context) (sent, opened int, err error) {
	var status struct {
		Opened int `json:"anomalies_opened"`
	}
	err = s.c.Ask(ctx, "/api/v1/status", &status)
	return s.points.Sent(), status.Opened, err
}

// load sends at the rate for the given time.
func (s *soaking) load(long time.Duration) error {
	const pieces = 100 * time.Millisecond
	for due, end := time.Now(), time.Now().Add(long); time.Now().Before(end); time.Sleep(time.Until(due)) {
		if err := s.points.Send(int(s.rate * pieces.Seconds())); err != nil {
			return err
		}
		due = due.Add(pieces)
	}
	return nil
}
