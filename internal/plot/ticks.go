// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package plot

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/auspex-otel/auspex/internal/exact"
)

type tick struct{ At, Label string }

// Short writes a number with four digits.
func Short(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// Scaled writes a number with the prefix of its thousands.
func Scaled(v float64) string {
	for _, p := range [...]struct {
		size float64
		text string
	}{{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if a := math.Abs(v); a >= p.size*10 && a < 1e15 {
			return Short(v/p.size) + p.text
		}
	}
	return Short(v)
}

// valueTicks are four to eight round numbers: steps of 1, 2 or 5.
func valueTicks(y scale, label func(float64) string) (ticks []tick) {
	step := exact.Pow(10, math.Floor(exact.Log((y.high-y.low)/4)/math.Ln10))
	for _, factor := range [...]float64{5, 2} {
		if step*factor*4 <= y.high-y.low {
			step = float64(step * factor)
			break
		}
	}
	for n := math.Ceil(y.low / step); n*step <= y.high && len(ticks) < 20; n++ {
		ticks = append(ticks, tick{coordinate(y.at(float64(n * step))), label(float64(n*step) + 0)}) // + 0: not -0
	}
	return ticks
}

const day = 24 * time.Hour

var timeSteps = []time.Duration{
	time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute,
	time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day, 14 * day, 30 * day, 90 * day, 365 * day,
}

// timeTicks are at most nine round times in UTC.
func timeTicks(first, last int64, x scale) (ticks []tick) {
	i, _ := slices.BinarySearchFunc(timeSteps, time.Duration(last-first)/9+1, cmp.Compare[time.Duration])
	step := timeSteps[min(i, len(timeSteps)-1)]
	for t := first - first%int64(step) + int64(step); t <= last && len(ticks) < 200; t += int64(step) {
		at := time.Unix(0, t).UTC()
		label := at.Format("15:04:05")
		switch {
		case step >= 90*day:
			label = at.Format("Jan 2006")
		case step >= day || at.Truncate(day).Equal(at):
			label = at.Format("2 Jan")
		case step >= time.Minute:
			label = at.Format("15:04")
		case step < time.Second:
			label = at.Format("05.000")
		}
		ticks = append(ticks, tick{coordinate(x.at(float64(t))), label})
	}
	return ticks
}
