// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/opening"
	"github.com/auspex-otel/auspex/internal/detect/silence"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/incident"
)

const (
	// absentAfter is the least time without points, in ticks, after which the absence of a stream is judged.
	absentAfter = time.Minute
	// A stream makes no decisions any more after it has been silent for restAfter, in
	// ticks, and for restCadences of its cadences.
	restAfter    = 10 * time.Minute
	restCadences = 10
	// walkPerSecond is the mean number of idle streams examined per second of ticks.
	walkPerSecond = 1000
)

// come notes that a stream has sent its next point.
func (st *stream) come(first bool) {
	now := st.resource.life.Now()
	if !first {
		st.gaps.Learn(st.gap(now))
	}
	st.seen, st.silent = now, false
}

// gap returns the time since the last point of a stream, in cadences of the stream. The
// clock is that of the life of its resource.
func (st *stream) gap(now int64) float64 {
	return float64(now-st.seen) / float64(max(st.cadence, leastCadence))
}

// FindAbsent opens an anomaly for each stream that has gone silent while its
// resource is alive. It opens none if more than half of the streams of a resource are
// overdue: then the resource itself has stopped.
//
// A walk over n idle streams delays the next one by n/walkPerSecond seconds.
func (j *Judge) FindAbsent() {
	now := j.now
	if now.Before(j.walkAt) {
		return
	}
	var overdue []*stream
	byResource := map[*resource]int{}
	visited := 0
	for st, touched := range j.streams.Idle(now.Add(-absentAfter)) {
		visited++
		if idle := now.Sub(touched); !st.resting && idle > restAfter && idle > restCadences*time.Duration(st.cadence) {
			j.rest(st)
		}
		if st.cadence > 0 && st.gaps.Overdue(st.gap(st.resource.life.Now())) {
			overdue = append(overdue, st)
			byResource[st.resource]++
		}
	}
	j.walkAt = now.Add(time.Duration(visited) * time.Second / walkPerSecond)
	slices.SortFunc(overdue, func(a, b *stream) int { return cmp.Compare(a.id, b.id) })
	for _, st := range overdue {
		if 2*byResource[st.resource] <= st.resource.streams {
			j.judgeAbsence(st)
		}
	}
}

// judgeAbsence opens at most one anomaly for an overdue stream, on the first statistic of
// the stream. α, the opening rule, and the policies apply to it as to every anomaly. It
// adds no decision to the budget: each slot is judged by its point or by its absence.
func (j *Judge) judgeAbsence(st *stream) {
	s := &st.series[0]
	if st.signal != budget.Metrics || st.silent || s.warming() || !st.asked && j.policies != nil {
		return
	}
	gap := st.gap(st.resource.life.Now())
	surprise := st.gaps.Surprise(gap)
	score := detect.Score(surprise, j.threshold(st, st.resource.mark.Time()))
	if score < 1 || st.resource.mark.Time()-st.meter.Time < st.patience {
		return
	}
	rule := s.rule
	for range int(min(gap, opening.Cooldown)) {
		rule.Next(0, false) // what was missed makes an earlier peak older, too
	}
	if rule.Next(score, false) < 1 && !j.tracker.Open(uint64(s.id)) {
		return
	}
	s.rule, st.silent, s.wait = rule, true, nil
	if !j.tracker.Open(uint64(s.id)) && j.heldAbsence(st, s) {
		return
	}
	st.resource.service.maxScore = max(st.resource.service.maxScore, score)
	j.track(st, s, incident.Point{
		Series: uint64(s.id), Time: st.resource.mark.Time(), Cadence: st.cadence, Score: score, Surprise: surprise,
		Observed: s.last.observed, Expected: s.last.expected, Lower: s.last.lower, Upper: s.last.upper,
		Kind: silence.Kind, SilentSince: st.meter.Time,
	}, nil)
}

// heldAbsence reports whether a policy or a silence keeps the absence of a stream from opening an anomaly.
func (j *Judge) heldAbsence(st *stream, s *tracked) bool {
	if j.silenced(st, s, st.resource.mark.Time()) {
		j.hold(s, HeldSilenced)
		return true
	}
	if st.policy == nil {
		return false
	}
	if ok, why := st.policy.Allows(st.resource.mark.Time(), math.NaN(), math.NaN()); !ok {
		j.hold(s, why)
		return true
	}
	if st.policy.DryRun() {
		j.hold(s, HeldDryRun)
		return true
	}
	return false
}
