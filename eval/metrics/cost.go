// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/auspex-otel/auspex/internal/engine"
)

const (
	costTarget   = 2000.0 // nanoseconds per point
	memoryTarget = 8192.0 // bytes per series
	// allocationTarget is above the allocations per point that result from a batch or tick as a whole, and far below
	// one per point.
	allocationTarget = 0.01
	timedPasses      = 10 // one point per series each
)

// warmPoints returns the number of points of each series before the measurement. Models with fewer than 512 points
// are fitted more often.
func (o options) warmPoints() int {
	if o.quick {
		return 151
	}
	return 520
}

// cost holds the cost of points. Times are process times including garbage collection, so that other processes do not
// count.
type cost struct {
	points      int
	passes      []time.Duration
	allocations uint64
}

// perPoint returns the nanoseconds per point of the median pass.
func (c cost) perPoint() float64 {
	return float64(median(c.passes).Nanoseconds()) * float64(len(c.passes)) / float64(c.points)
}
func (c cost) allocationsPerPoint() float64 { return float64(c.allocations) / float64(c.points) }

// pass gives the fleet its next values and measures the engine's work on them, including the tick. The order of the
// batches differs in every pass.
func (c *cost) pass(w *observer, f *fleet, t time.Time, random *rand.Rand) error {
	f.step(t)
	random.Shuffle(len(f.batches), func(i, j int) { f.batches[i], f.batches[j] = f.batches[j], f.batches[i] })
	var before, after runtime.MemStats
	runtime.GC() // exclude the garbage of the new values
	runtime.ReadMemStats(&before)
	start, err := processTime()
	if err != nil {
		return err
	}
	w.Tick(t)
	for _, md := range f.batches {
		w.ObserveMetrics(md, byDefault)
	}
	end, err := processTime()
	if err != nil {
		return err
	}
	runtime.ReadMemStats(&after)
	c.passes = append(c.passes, end-start)
	c.points += len(f.points)
	c.allocations += after.Mallocs - before.Mallocs
	w.opened()
	return nil
}

// processTime returns the processor time of this process on all cores.
func processTime() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}

// shuffledGroups returns a random order of n series in which those of one service and family stay together in random
// order.
func shuffledGroups(n int, random *rand.Rand) []int {
	groups := make([][]int, 0, n/perService*len(families))
	for from := 0; from < n; from += perService {
		for k := range families {
			var g []int
			for i := from; i < min(from+perService, n); i++ {
				if i%len(families) == k {
					g = append(g, i)
				}
			}
			random.Shuffle(len(g), func(i, j int) { g[i], g[j] = g[j], g[i] })
			groups = append(groups, g)
		}
	}
	random.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	return slices.Concat(groups...)
}

// costs prints time and allocations per point, and memory per series, on one core.
func (r *report) costs() error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	n := 100_000
	if r.quick {
		n = 2000
	}
	random := rand.New(rand.NewPCG(1, 1))
	f := newFleet("fleet", n, families, 1, 0)
	met, strewn := arrange("fleet", families, random.Perm(n)), arrange("fleet", families, random.Perm(n))
	grouped := arrange("fleet", families, shuffledGroups(n, random))
	cfg := engine.DefaultConfig()
	cfg.MaxSeries = max(cfg.MaxSeries, n+n/perService) // the engine adds a series for each service
	now := epoch
	measure := func(w *observer, l layout, passes int) (c cost, err error) {
		f.layout = l
		for range passes {
			now = now.Add(cadence)
			if err := c.pass(w, f, now, random); err != nil {
				return c, err
			}
			r.progressf("\rcost: pass %d of %d  ", int(now.Sub(epoch)/cadence), r.warmPoints()+2*timedPasses)
		}
		return c, nil
	}
	before, err := residentBytes()
	if err != nil {
		return err
	}
	w := watch(r.engine(cfg))
	if _, err := measure(w, met, 1); err != nil { // in an order that is not repeated
		return err
	}
	if _, err := measure(w, grouped, r.warmPoints()-1); err != nil {
		return err
	}
	together, err := measure(w, grouped, timedPasses)
	if err != nil {
		return err
	}
	apart, err := measure(w, strewn, timedPasses)
	if err != nil {
		return err
	}
	r.progressf("\n")
	after, err := residentBytes()
	if err != nil {
		return err
	}
	runtime.KeepAlive(w)
	runtime.KeepAlive(f)
	runtime.KeepAlive([]layout{met, strewn, grouped})
	r.printCosts(n, together, apart, float64(after-before)/float64(n))
	return nil
}

func (r *report) printCosts(n int, together, apart cost, bytesPerSeries float64) {
	r.printf(`
Cost: %d series on one core, %d points each before the %d that are timed; the core's time of the median one of these,
ticks included. Shuffled: the points of one service and metric (%d to %d) are together, else all is in random order.
Strewn: all points are in random order, each under a resource of its own. Both are other orders than that in which the
engine met the series. Targets: shuffled at most %.0f ns per point and fewer allocations than %g; at most %.0f bytes of
resident memory per series, after a garbage collection.

`, n, r.warmPoints(), timedPasses, perService/len(families), perService/len(families)+1, costTarget, allocationTarget, memoryTarget)
	r.printf("%-9s %8.0f ns/point  %s\n", "shuffled", together.perPoint(), r.verdict(together.perPoint() <= costTarget))
	r.printf("%-9s %8.3f allocations/point  %s\n", "", together.allocationsPerPoint(), r.verdict(together.allocationsPerPoint() < allocationTarget))
	r.printf("%-9s %8.0f ns/point\n%-9s %8.3f allocations/point\n", "strewn", apart.perPoint(), "", apart.allocationsPerPoint())
	r.printf("%-9s %8.0f bytes/series  %s\n", "memory", bytesPerSeries, r.verdict(bytesPerSeries <= memoryTarget))
}

// residentBytes returns the resident memory of this process after a garbage collection and after returning free
// memory.
func residentBytes() (int64, error) {
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0, errors.New("cannot parse /proc/self/statm: no second field")
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err
}
