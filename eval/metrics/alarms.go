// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/auspex-otel/auspex/internal/engine"
)

const (
	leastRatio, mostRatio = 0.5, 1.6 // range of the ratio of realized to chosen false alarms over all families
	familyFactor          = 4.0      // maximum factor between a family's ratio and 1
	firstDays             = 7        // the first week is counted separately
	smallFleet            = 100      // series
	largeFleet            = 1000
	fullFleet             = 10_000 // instead of the large one with -full
)

// alarmRun is one fleet without a fault, from one seed, in one engine.
type alarmRun struct {
	series int
	rho    float64
	seed   uint64
}

// alarmCount counts opened anomalies per family and day.
type alarmCount struct {
	first      []int   // by family, in the first week
	later      [][]int // by family, on each later day
	miscounted int     // difference between the anomalies that the engine counted and those that it reported
}

func newAlarmCount(days int) alarmCount {
	c := alarmCount{first: make([]int, len(families)), later: make([][]int, len(families))}
	for k := range c.later {
		c.later[k] = make([]int, days-firstDays)
	}
	return c
}

// measure runs a fleet for the given days and calls tick after each.
func (a alarmRun) measure(p product, days int, tick func()) alarmCount {
	c := newAlarmCount(days)
	index := map[string]int{}
	for k, f := range families {
		index[f.metric] = k
	}
	f, w := newFleet("fleet", a.series, families, a.seed, a.rho), watch(p.engine(engine.DefaultConfig()))
	for i := range days * stepsADay {
		t := epoch.Add(time.Duration(i) * cadence)
		f.step(t)
		for _, opened := range w.step(t, f.batches) {
			c.add(index[opened.Metric], i/stepsADay)
		}
		if (i+1)%stepsADay == 0 {
			tick()
		}
	}
	c.miscounted = int(w.Status().AnomaliesOpened) - len(w.seen)
	return c
}

// add counts one anomaly of a family on a day, numbered from 0.
func (c *alarmCount) add(family, day int) {
	if day < firstDays {
		c.first[family]++
		return
	}
	c.later[family][day-firstDays]++
}

// join adds the counts of another seed.
func (c *alarmCount) join(o alarmCount) {
	for k := range o.later {
		c.first[k] += o.first[k]
		c.later[k] = append(c.later[k], o.later[k]...)
	}
	c.miscounted += o.miscounted
}

// perDay returns the count over all families for each day after the first week.
func (c *alarmCount) perDay() []int {
	days := make([]int, len(c.later[0]))
	for _, family := range c.later {
		for d, n := range family {
			days[d] += n
		}
	}
	return days
}

// chosenPerDay returns the chosen false alarms per day for a family of `of` among n series: its share of the
// decisions times the whole budget, because there is no other signal. It is less if the cap on α leaves some of the
// budget unused.
func chosenPerDay(cfg engine.FalseAlarms, of, n int) float64 {
	budget := cfg.Count * float64(24*time.Hour) / float64(cfg.Per)
	return min(budget, cfg.MaxAlpha*float64(n*stepsADay)) * float64(of) / float64(n)
}

// membersOf returns the number of series of family k among n.
func membersOf(k, n int) int { return (n - k + len(families) - 1) / len(families) }

// alarmGroup holds the runs whose counts are added up: one block of the table.
type alarmGroup struct {
	series int
	rho    float64
	runs   []alarmRun
}

// alarmGroups returns the groups that the flags select.
func (o *options) alarmGroups() (groups []alarmGroup) {
	type fleetSize struct{ series, seeds int }
	sizes, correlations := []fleetSize{{smallFleet, o.seeds}, {o.series, 1}}, []float64{0, 0.5, 0.9}
	if o.full {
		sizes[1].series = fullFleet
	}
	if o.quick {
		sizes, correlations = []fleetSize{{40, 1}}, []float64{0, 0.9}
	}
	for _, size := range sizes {
		for _, rho := range correlations {
			g := alarmGroup{series: size.series, rho: rho}
			for s := range size.seeds {
				g.runs = append(g.runs, alarmRun{size.series, rho, uint64(s + 1)})
			}
			groups = append(groups, g)
		}
	}
	return groups
}

// alarms prints realized and chosen false alarms.
func (r *report) alarms() error {
	days := r.days
	if r.quick {
		days = 10
	}
	groups := r.alarmGroups()
	counts := r.measureAll(groups, days)
	cfg := engine.DefaultConfig().FalseAlarms
	r.printf(`
False alarms, realized against chosen: series without a fault, a point every %v for %d days, %g chosen in %v over all.
ρ: correlation of the innovations of two series of a family. Opened: anomalies after the first week, each once; a count n
has an error of at least √n. Chosen: the family's share of the decisions. Targets after the first week: %g to %g over all, each family within a factor of %g.
Worst day: most opened on one day. Where it is most of the count, one shock to the whole family made it.
`, cadence, days, cfg.Count, cfg.Per, leastRatio, mostRatio, familyFactor)
	for i, g := range groups {
		total := counts[i][0]
		for _, c := range counts[i][1:] {
			total.join(c)
		}
		if total.miscounted != 0 {
			return fmt.Errorf("%d series, ρ = %g: the engine opened %d anomalies more than it reported", g.series, g.rho, total.miscounted)
		}
		r.printAlarms(cfg, g, total, days)
	}
	return nil
}

// measureAll runs the groups on all cores and returns the counts of each run.
func (r *report) measureAll(groups []alarmGroup, days int) [][]alarmCount {
	counts := make([][]alarmCount, len(groups))
	type job struct{ group, run int }
	jobs, total := make(chan job), 0
	for i, g := range groups {
		counts[i] = make([]alarmCount, len(g.runs))
		total += g.series * len(g.runs) * days
	}
	var done atomic.Int64
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for j := range jobs {
				a := groups[j.group].runs[j.run]
				counts[j.group][j.run] = a.measure(r.product, days, func() {
					r.progressf("\ralarms: %d of %d series-days  ", done.Add(int64(a.series)), total)
				})
			}
		})
	}
	for i, g := range slices.Backward(groups) { // large groups first
		for k := range g.runs {
			jobs <- job{i, k}
		}
	}
	close(jobs)
	wait.Wait()
	r.progressf("\n")
	return counts
}

func (r *report) printAlarms(cfg engine.FalseAlarms, g alarmGroup, c alarmCount, days int) {
	r.printf("\n%d series, ρ = %g, seeds: %d\n%-15s %7s %7s %8s %9s %9s   %15s\n", g.series, g.rho, len(g.runs),
		"family", "series", "opened", "chosen", "realized/", "worst day", "the first week:")
	r.printf("%-15s %7s %7s %8s %9s %9s   %7s %7s\n", "", "", "", "", "chosen", "", "opened", "ratio")
	row := func(name string, members, first int, perDay []int) (ratio float64) {
		a := chosenPerDay(cfg, members, g.series) * float64(len(g.runs))
		n := sum(perDay)
		ratio = float64(n) / (a * float64(days-firstDays))
		r.printf("%-15s %7d %7d %8.1f %9.2f %9d   %7d %7.2f", name, members, n, a*float64(days-firstDays), ratio,
			slices.Max(perDay), first, float64(first)/(a*firstDays))
		return ratio
	}
	for k, f := range families {
		ratio := row(f.name, membersOf(k, g.series), c.first[k], c.later[k])
		r.printf("  %s\n", r.verdict(ratio >= 1/familyFactor && ratio <= familyFactor))
	}
	perDay := c.perDay()
	ratio := row("all", g.series, sum(c.first), perDay)
	r.printf("  %s\n", r.verdict(ratio >= leastRatio && ratio <= mostRatio))
	mean, variance := moments(perDay)
	r.printf("per day: mean %.2f, variance %.2f, the 99 %% day %d\n", mean, variance, quantile(perDay, 0.99))
}

func sum(list []int) (n int) {
	for _, v := range list {
		n += v
	}
	return n
}

// moments returns the mean and the unbiased variance.
func moments(list []int) (mean, variance float64) {
	mean = float64(sum(list)) / float64(len(list))
	for _, v := range list {
		variance += (float64(v) - mean) * (float64(v) - mean)
	}
	return mean, variance / float64(max(1, len(list)-1))
}

// quantile returns the least value that at least the share q of the list does not exceed.
func quantile(list []int, q float64) int {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}
