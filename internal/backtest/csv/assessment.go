// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/auspex-otel/auspex/internal/backtest"
)

// Assessment compares the openings with the truth.
type Assessment struct {
	Name string
	// Events is the number of windows of the truth. Found is the number of those with an opening inside.
	Events, Found int
	// Openings is the number of points with an opening score of 1 or more. Hits is the number of those inside a
	// window.
	Openings, Hits int
	// Days is the duration of the data in days, without the windows.
	Days float64

	points, seconds []float64 // delays of the found events
}

// Recall returns the share of found events, or false without events.
func (a Assessment) Recall() (share float64, ok bool) { return ratio(a.Found, a.Events) }

// Precision returns the share of openings inside a window, or false without openings.
func (a Assessment) Precision() (share float64, ok bool) { return ratio(a.Hits, a.Openings) }

// FalseAlarmsPerDay returns the openings outside the windows per day outside the windows.
func (a Assessment) FalseAlarmsPerDay() (perDay float64, ok bool) {
	if a.Days <= 0 {
		return 0, false
	}
	return float64(a.Openings-a.Hits) / a.Days, true
}

// DelayPoints returns the median number of points from the first of a window to the opening, over the found events,
// or false if none was found.
func (a Assessment) DelayPoints() (points float64, ok bool) { return median(a.points) }

// DelaySeconds returns the median time from the start of a window to the opening.
func (a Assessment) DelaySeconds() (seconds float64, ok bool) { return median(a.seconds) }

func ratio(part, whole int) (float64, bool) { return float64(part) / float64(max(whole, 1)), whole > 0 }

// median returns the median, or the mean of the middle two values.
func median(list []float64) (float64, bool) {
	if len(list) == 0 {
		return 0, false
	}
	list = slices.Sorted(slices.Values(list))
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2, true
}

// Overall sums assessments. Its delays are medians over all events.
func Overall(list []Assessment) Assessment {
	sum := Assessment{Name: "all"}
	for _, a := range list {
		sum.Events, sum.Found, sum.Openings, sum.Hits = sum.Events+a.Events, sum.Found+a.Found, sum.Openings+a.Openings, sum.Hits+a.Hits
		sum.Days += a.Days
		sum.points, sum.seconds = append(sum.points, a.points...), append(sum.seconds, a.seconds...)
	}
	return sum
}

// Cells returns the columns of AssessmentHeads as text. A missing value is a dash.
func (a Assessment) Cells() []string {
	share := func(v float64, ok bool) string {
		if !ok {
			return "-"
		}
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
	seconds := "-"
	if s, ok := a.DelaySeconds(); ok {
		seconds = span(time.Duration(s * float64(time.Second)))
	}
	points := "-"
	if p, ok := a.DelayPoints(); ok {
		points = strconv.FormatFloat(p, 'f', -1, 64)
	}
	return []string{
		a.Name, strconv.Itoa(a.Events), strconv.Itoa(a.Found), share(a.Recall()), strconv.Itoa(a.Openings),
		share(a.Precision()), points, seconds, share(a.FalseAlarmsPerDay()),
	}
}

// span formats a duration in its two greatest units.
func span(d time.Duration) string {
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd %dh", d/(24*time.Hour), d/time.Hour%24)
	case d >= time.Hour:
		return fmt.Sprintf("%dh %dm", d/time.Hour, d/time.Minute%60)
	case d >= time.Minute:
		return fmt.Sprintf("%dm %ds", d/time.Minute, d/time.Second%60)
	default:
		return d.Round(time.Millisecond).String()
	}
}

// AssessmentHeads returns the column heads of Cells.
func AssessmentHeads() []string {
	return []string{"file", "events", "found", "recall", "openings", "precision", "delay in points", "delay", "false alarms per day"}
}

// assessor compares the points of one file with the truth.
type assessor struct {
	windows []backtest.Window
	points  []int // by window, before it was found
	found   []bool
	Assessment
}

func newAssessor(name string, windows []backtest.Window) *assessor {
	return &assessor{windows: windows, points: make([]int, len(windows)), found: make([]bool, len(windows)), Assessment: Assessment{Name: name, Events: len(windows)}}
}

func (a *assessor) observe(t time.Time, opening float64) {
	opens, hit := opening >= 1, false
	for i, w := range a.windows {
		if !w.Has(t) {
			continue
		}
		hit = true
		if opens && !a.found[i] {
			a.found[i] = true
			a.Found++
			a.Assessment.points = append(a.Assessment.points, float64(a.points[i]))
			a.seconds = append(a.seconds, t.Sub(w.Start).Seconds())
		}
		a.points[i]++
	}
	if opens {
		a.Openings++
		if hit {
			a.Hits++
		}
	}
}

// end returns the assessment of data with the given first and last time.
func (a *assessor) end(first, last time.Time) Assessment {
	free := last.Sub(first)
	slices.SortFunc(a.windows, func(x, y backtest.Window) int { return x.Start.Compare(y.Start) })
	counted := first // windows up to here are subtracted
	for _, w := range a.windows {
		start, end := later(w.Start, counted), earlier(w.End, last)
		if end.After(start) {
			free -= end.Sub(start)
			counted = end
		}
	}
	a.Days = free.Hours() / 24
	return a.Assessment
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
