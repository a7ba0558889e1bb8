// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"time"
)

// window is the time after the start of a fault in which it can be found.
const window = 3 * time.Minute

// try is the result of one fault.
type try struct {
	// found reports that an incident opened in the window, or added its first anomaly of a culprit in it.
	found bool
	// delay is the time from the fault to the detection.
	delay time.Duration
	// first is the first suspect of the incident. right reports whether it is a culprit, and among whether one of the
	// first three is.
	first        string
	right, among bool
	// incidents is the number of incidents that opened in the window.
	incidents int
	// falseIncidents and falseAnomalies count those that opened before the fault.
	falseIncidents, falseAnomalies int
}

// score compares the findings with the truth. Of several incidents the earliest detection counts.
func score(t truth, f findings) try {
	var out try
	inside := func(at time.Time) bool { return at.After(t.From) && !at.After(t.From.Add(window)) }
	for _, a := range f.anomalies {
		if !a.Opened.After(t.From) {
			out.falseAnomalies++
		}
	}
	for _, in := range f.incidents {
		if !in.Opened.After(t.From) {
			out.falseIncidents++
		}
		if inside(in.Opened) {
			out.incidents++
		}
		at, ok := sighted(in, t, inside)
		if !ok || out.found && at.Sub(t.From) >= out.delay {
			continue
		}
		out.found, out.delay = true, at.Sub(t.From)
		out.first, out.right, out.among = "", false, false
		for k, s := range in.Suspects[:min(3, len(in.Suspects))] {
			if k == 0 {
				out.first = s.Service
			}
			is := slices.Contains(t.Culprits, s.Service)
			out.right, out.among = out.right || k == 0 && is, out.among || is
		}
	}
	return out
}

// sighted returns the time at which an incident detects the fault: its opening or, for an earlier incident, the
// opening of its first anomaly of a culprit.
func sighted(in incident, t truth, inside func(time.Time) bool) (time.Time, bool) {
	if inside(in.Opened) {
		return in.Opened, true
	}
	var first time.Time
	for _, a := range in.Anomalies {
		if slices.Contains(t.Culprits, a.Service) && (first.IsZero() || a.Opened.Before(first)) {
			first = a.Opened
		}
	}
	return first, inside(first)
}
