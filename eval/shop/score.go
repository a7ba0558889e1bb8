// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"time"
)

// window is how long after the fault began something counts as found.
const window = 3 * time.Minute

// try is what was found of one fault.
type try struct {
	// found: an incident opened in the window, or took in its first anomaly of a culprit.
	found bool
	// delay is when, counted from the fault.
	delay time.Duration
	// first is the suspect that the incident names first, right whether that is a culprit, and
	// among whether one of the first three is.
	first        string
	right, among bool
	// incidents are those that opened in the window.
	incidents int
	// falseIncidents and falseAnomalies opened before the fault.
	falseIncidents, falseAnomalies int
}

// score sets what was found against the truth. Of several incidents the one that was found first counts.
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

// sighted says when an incident could be seen as the fault's: when it opened or, if that was before, when
// it took in the first anomaly of a culprit.
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
