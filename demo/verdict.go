// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/incident"
)

const (
	// stableFor and stablePolls are how long, and for how many polls at least, the
	// likeliest suspect must stay the same before it counts as the answer.
	stableFor   = 15 * time.Second
	stablePolls = 3
)

// finding is a suspect of an incident that the API showed.
type finding struct {
	incident string
	service  string
	since    time.Time
	surprise float64
	evidence incident.Anomaly
}

// watch follows what the API says over the live span.
type watch struct {
	live    time.Time // event time; what opened by then is not counted
	seen    map[string]finding
	earlier map[string]bool
	top     *finding // of the latest poll
	sight   time.Time
	polls   int
	open    int
}

// newWatch returns a watch over what opens after live.
func newWatch(live time.Time) *watch {
	return &watch{live: live, seen: map[string]finding{}, earlier: map[string]bool{}}
}

// observe takes the open incidents of one poll.
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

// likeliest returns the most surprising suspect of an incident, as far as it opened over
// the live span, or nil. An incident from before may have got new anomalies: these count by themselves.
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

// stable says whether the same suspect has led for long enough, not counting the time before from.
func (w *watch) stable(now, from time.Time) bool {
	since := w.sight
	if from.After(since) {
		since = from
	}
	return w.top != nil && w.polls >= stablePolls && now.Sub(since) >= stableFor
}

// answer is the likeliest suspect of what is open now or, if nothing is, of all that
// opened over the live span; nil if nothing did.
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

// verdict is the last line of the demo.
type verdict struct {
	Seed   uint64  `json:"seed"`
	Broken *string `json:"broken"`
	Found  *found  `json:"found"`
}

// found is what the API says, in the form of the last line.
type found struct {
	Incident  string    `json:"incident"`
	Service   string    `json:"service"`
	Metric    string    `json:"metric"`
	Statistic string    `json:"statistic"`
	Expected  float64   `json:"expected"`
	Observed  float64   `json:"observed"`
	Since     time.Time `json:"since"`
	// Delay is how many seconds after the fault began that was; absent if nothing was broken.
	Delay *float64 `json:"delay,omitempty"`
}

// truth is what was broken, and over which span of event time.
type truth struct {
	culprits []string // whom it is right to name, the best first; none if nothing was broken
	from, to time.Time
}

// judge sets an answer against the truth. It is right if it names a culprit and
// a time within the fault's span, or if there was nothing to find and nothing was found.
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
