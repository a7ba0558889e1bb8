// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // time zones must not depend on the machine

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine"
)

// traps prints the results of known traps. No row has a target.
func (r *report) traps() error {
	r.printf("\nTraps: anomalies opened, a point every %v. Chosen: the budget of the time that is counted.\n", cadence)
	if err := r.clockChange(); err != nil {
		return err
	}
	r.faults()
	return r.newSeries()
}

const (
	changePlace   = "Europe/Berlin"
	weeksBefore   = 7
	weeksLearning = 2 // of the weeks before; not counted
	weeksAfter    = 3
)

// clockChange measures a season that follows local time across the start of daylight saving time, with engines that
// know the time zone and engines that do not.
func (r *report) clockChange() error {
	zone, err := time.LoadLocation(changePlace)
	if err != nil {
		return err
	}
	n := 100
	if r.quick {
		n = 10
	}
	change := time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)
	const counted = weeksBefore - weeksLearning
	r.printf(`
Clock change: %d series with office hours in %s, the clocks go forward an hour in the night to %s
%-14s %26s %12s %12s %12s %12s
`, n, changePlace, change.Format(time.DateOnly), "engine's zone", fmt.Sprintf("a week, mean of %d before", counted), "1st after", "2nd after", "3rd after", "chosen")
	for _, of := range [...]string{"UTC", changePlace} {
		cfg := engine.DefaultConfig()
		cfg.TimeZone = of
		weeks := r.weeksAround(change, cfg, newFleet("office", n, []family{officeHours(zone)}, 1, 0))
		r.printf("%-14s %26.1f %12d %12d %12d %12.1f\n", of, float64(sum(weeks[weeksLearning:weeksBefore]))/counted,
			weeks[weeksBefore], weeks[weeksBefore+1], weeks[weeksBefore+2], 7*chosen(n))
	}
	return nil
}

// weeksAround counts the anomalies that open in each week around a change.
func (r *report) weeksAround(change time.Time, cfg engine.Config, f *fleet) (weeks [weeksBefore + weeksAfter]int) {
	start, w := change.AddDate(0, 0, -7*weeksBefore), watch(r.engine(cfg))
	for i := range len(weeks) * 7 * stepsADay {
		t := start.Add(time.Duration(i) * cadence)
		f.step(t)
		weeks[i/(7*stepsADay)] += len(w.step(t, f.batches))
		if i%stepsADay == 0 {
			r.progressf("\rtraps: clock change, %s, day %d of %d  ", cfg.TimeZone, i/stepsADay+1, len(weeks)*7)
		}
	}
	r.progressf("\n")
	return weeks
}

// chosen returns the false alarms per day that the default budget allows with n series.
func chosen(n int) float64 {
	cfg := engine.DefaultConfig().FalseAlarms
	return min(cfg.Count*float64(24*time.Hour)/float64(cfg.Per), cfg.MaxAlpha*float64(n*stepsADay))
}

// officeHours returns load from 8 to 18 in local time, and noise of 5.
func officeHours(zone *time.Location) family {
	return family{"office hours", "season.local", func(*rand.Rand) source {
		return func(second int64, z float64) float64 {
			at := time.Unix(second, 0).In(zone)
			hour := float64(at.Hour()) + float64(at.Minute())/60
			return 100 + 60*math.Sin(math.Pi*min(max(hour-8, 0), 10)/10) + 5*z
		}
	}}
}

const (
	faultSeries = 20 // of a hundred get the fault
	faultPoints = 24 // of a sustained rise
	faultDays   = 14 // of history before it
)

// faults compares one-point spikes with sustained rises.
func (r *report) faults() {
	days := faultDays
	if r.quick {
		days = 2
	}
	r.printf("\nFaults on %d of 100 series of normal noise, after %d days; a rise lasts %d points\n%-34s %8s %14s %22s\n", faultSeries, days, faultPoints,
		"fault", "opened", "delay, points", "median greatest score")
	for _, fault := range []struct {
		name   string
		sigmas float64
		points int
	}{
		{"one-point spike of %g σ", 4, 1},
		{"one-point spike of %g σ", 8, 1},
		{"one-point spike of %g σ", 16, 1},
		{"sustained rise of %g σ", 2, faultPoints},
		{"sustained rise of %g σ", 4, faultPoints},
		{"sustained rise of %g σ", 8, faultPoints},
	} {
		r.progressf("traps: "+fault.name+"\n", fault.sigmas)
		delays, scores := r.fault(days, fault.sigmas, fault.points)
		delay := "-"
		if len(delays) > 0 {
			delay = fmt.Sprintf("median %d", median(delays))
		}
		r.printf("%-34s %5d/%-2d %14s %22.2f\n", fmt.Sprintf(fault.name, fault.sigmas),
			len(delays), faultSeries, delay, median(scores))
	}
}

// fault adds sigmas to some series for some points. It returns the number of points until each anomaly opened, and
// the greatest score of each series.
func (r *report) fault(days int, sigmas float64, points int) (delays []int, scores []float64) {
	f, w := newFleet("fault", 100, families[:1], 1, 0), watch(r.engine(engine.DefaultConfig()))
	begin := days * stepsADay
	scores = make([]float64, faultSeries)
	found := map[int]bool{}
	for i := range begin + points {
		t := epoch.Add(time.Duration(i) * cadence)
		f.step(t)
		if i < begin {
			w.step(t, f.batches)
			continue
		}
		for s := range faultSeries {
			f.add(s, sigmas)
		}
		w.Tick(t)
		for _, v := range w.ObserveMetrics(f.batches[0], everything) { // with one service and one family, points are in the order of series
			if v.Point < faultSeries {
				scores[v.Point] = max(scores[v.Point], v.Score)
			}
		}
		for _, a := range w.opened() {
			if s, err := strconv.Atoi(a.Attributes["n"]); err == nil && s < faultSeries && !found[s] {
				found[s] = true
				delays = append(delays, i-begin)
			}
		}
	}
	return delays, scores
}

// median returns the median, or the lower of two middle values.
func median[T int | float64 | time.Duration](list []T) T {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[(len(sorted)-1)/2]
}

// arrival adds new series to the existing ones.
type arrival struct {
	name   string
	series int
	points int // points of all series until the next arrival
}

// newSeries adds many new series at once, twice.
func (r *report) newSeries() error {
	arrivals := []arrival{{"first", 1000, 3 * stepsADay}, {"second", 10_000, 200}, {"third", 100_000, 200}}
	if r.quick {
		arrivals = []arrival{{"first", 10, stepsADay}, {"second", 100, 200}, {"third", 1000, 200}}
	}
	cfg := engine.DefaultConfig()
	cfg.MaxSeries = 2 * arrivals[len(arrivals)-1].series
	w, now, total := watch(r.engine(cfg)), epoch, 0
	var batches []pmetric.Metrics
	var fleets []*fleet
	r.printf("\nNew series at once, at the default budget: opened until the next arrival\n%-10s %8s %8s %8s %8s %8s", "new", "points", "of new", "of old", "chosen", "evicted")
	if r.cost {
		r.printf(" %9s %13s", "ns/point", "bytes/series")
	}
	r.printf("\n")
	for k, a := range arrivals {
		f := newFleet(a.name, a.series, families, uint64(k+1), 0)
		fleets, batches, total = append(fleets, f), append(batches, f.batches...), total+a.series
		before, err := r.resident()
		if err != nil {
			return err
		}
		fresh, old, elapsed := 0, 0, time.Duration(0)
		for i := range a.points {
			now = now.Add(cadence)
			for _, f := range fleets {
				f.step(now)
			}
			begun, err := processTime()
			if err != nil {
				return err
			}
			opened := w.step(now, batches)
			ended, err := processTime()
			if err != nil {
				return err
			}
			elapsed += ended - begun
			for _, o := range opened {
				if strings.HasPrefix(o.Service, a.name+"-") {
					fresh++
				} else {
					old++
				}
			}
			r.progressf("\rtraps: new series, point %d of %d  ", i+1, a.points)
		}
		r.progressf("\n")
		after, err := r.resident()
		if err != nil {
			return err
		}
		r.printf("%-10d %8d %8d %8d %8.1f %8d", a.series, a.points, fresh, old, chosen(total)*float64(a.points)/float64(stepsADay), w.Status().Evicted)
		if r.cost {
			r.printf(" %9.0f %13.0f", float64(elapsed.Nanoseconds())/float64(a.points*total), float64(after-before)/float64(a.series))
		}
		r.printf("\n")
	}
	runtime.KeepAlive(w)
	return nil
}

// resident returns the resident memory if -cost is set, otherwise 0.
func (r *report) resident() (int64, error) {
	if !r.cost {
		return 0, nil
	}
	return residentBytes()
}
