// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/incident"
)

const (
	// stableFor and stablePolls are the minimum time and number of polls for which the most likely suspect must stay
	// the same to count as the answer.
	stableFor   = 15 * time.Second
	stablePolls = 3
)

// finding is a suspect of an incident in the API.
type finding struct {
	incident string
	service  string
	since    time.Time
	surprise float64
	evidence incident.Anomaly
}

// watch follows the API during the live period.
type watch struct {
	live    time.Time // event time; incidents that opened by then are ignored
	seen    map[string]finding
	earlier map[string]bool
	top     *finding // of the latest poll
	sight   time.Time
	polls   int
	open    int
}

// newWatch returns a watch over incidents that open after live.
func newWatch(live time.Time) *watch {
	return &watch{live: live, seen: map[string]finding{}, earlier: map[string]bool{}}
}

// observe processes the open incidents of one poll.
func (w *watch) observe(now time.Time, incidents []incident.Incident) {
	var top *finding
	w.open = 0
	for _, in := range incidents {
		found := w.likeliest(in)
		if found == nil {
			w.earlier[in.ID] = true
			continue
		}
		w.open++
		w.seen[in.ID] = *found
		if top == nil || found.surprise > top.surprise {
			top = found
		}
	}
	switch {
	case top == nil:
		w.polls = 0
	case w.top == nil || w.top.service != top.service:
		w.sight, w.polls = now, 1
	default:
		w.polls++
	}
	w.top = top
}

// likeliest returns the suspect of an incident with the greatest surprise that opened in the live period, or nil. An
// earlier incident may have new anomalies, which count on their own.
func (w *watch) likeliest(in incident.Incident) *finding {
	var best *finding
	consider := func(f finding) {
		if best == nil || f.surprise > best.surprise {
			best = &f
		}
	}
	old := map[string]bool{}
	for _, s := range in.Suspects {
		if !s.Since.After(w.live) {
			old[s.Service] = true
			continue
		}
		consider(finding{in.ID, s.Service, s.Since, s.Surprise, s.Evidence})
	}
	for _, a := range in.Anomalies {
		if old[a.Service] && a.Opened.After(w.live) {
			consider(finding{in.ID, a.Service, a.Opened, a.Surprise, a})
		}
	}
	return best
}

// stable reports whether the same suspect has led for long enough. Time before from does not count.
func (w *watch) stable(now, from time.Time) bool {
	since := w.sight
	if from.After(since) {
		since = from
	}
	return w.top != nil && w.polls >= stablePolls && now.Sub(since) >= stableFor
}

// answer returns the most likely suspect of the open incidents. If none is open, it considers all that opened in the
// live period. It returns nil if there were none.
func (w *watch) answer() *finding {
	if w.top != nil {
		return w.top
	}
	var best *finding
	for _, f := range w.seen {
		if best == nil || f.surprise > best.surprise || (f.surprise == best.surprise && f.incident < best.incident) {
			best = &f
		}
	}
	return best
}

// verdict holds the content of the last line of the demo.
type verdict struct {
	Seed   uint64  `json:"seed"`
	Broken *string `json:"broken"`
	Found  *found  `json:"found"`
}

// found is the finding in the format of the last line.
type found struct {
	Incident  string    `json:"incident"`
	Service   string    `json:"service"`
	Metric    string    `json:"metric"`
	Statistic string    `json:"statistic"`
	Expected  float64   `json:"expected"`
	Observed  float64   `json:"observed"`
	Since     time.Time `json:"since"`
	// Delay is the time from the start of the fault in seconds. It is absent without a fault.
	Delay *float64 `json:"delay,omitempty"`
}

// truth is the fault and its period in event time.
type truth struct {
	culprits []string // correct answers, best first; empty without a fault
	from, to time.Time
}

// judge compares an answer with the truth. An answer is correct if it names a culprit and a time within the fault.
// Without a fault, having no answer is correct.
func judge(seed uint64, f *finding, t truth) (verdict, bool) {
	v := verdict{Seed: seed}
	if len(t.culprits) > 0 {
		v.Broken = &t.culprits[0]
	}
	if f == nil {
		return v, v.Broken == nil
	}
	v.Found = &found{
		Incident: f.incident, Service: f.service, Metric: f.evidence.Metric, Statistic: f.evidence.Statistic,
		Expected: f.evidence.Expected, Observed: f.evidence.Observed, Since: f.since,
	}
	if v.Broken != nil {
		delay := f.since.Sub(t.from).Seconds()
		v.Found.Delay = &delay
	}
	return v, slices.Contains(t.culprits, f.service) && f.since.After(t.from) && !f.since.After(t.to)
}
