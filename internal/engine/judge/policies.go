// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"context"

	"github.com/auspex-otel/auspex/internal/detect/opening"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/policy"
	"github.com/auspex-otel/auspex/internal/state"
)

// Reasons why an anomaly did not open although the opening score had it open,
// as counted in Status.Held, beside those of internal/policy.
const (
	HeldMinDuration = "min_duration"
	HeldDryRun      = "dry_run"
)

// waiting is a series that leaves what is expected and is to do so for some time before that is an anomaly.
type waiting struct {
	since int64          // event time of the opening point, nanoseconds
	peak  incident.Point // the strangest one since
}

// SetPolicies sets the policies. It must be called before the first observation.
func (j *Judge) SetPolicies(s *policy.Set) {
	j.policies = s
}

// ask has the policies say what holds for a stream. That takes the metric as it
// came in, so it is done at the stream's first point since the start.
func (j *Judge) ask(p *Point, st *stream) {
	j.uncount(st)
	st.asked, st.policy, st.patience = true, nil, 0
	if j.policies != nil {
		st.policy = j.policies.For(context.Background(), p.Resource, p.Scope, p.Metric, p.Attributes)
	}
	if st.policy != nil {
		st.patience = int64(st.policy.MinDuration())
	}
	j.count(st)
}

// opens reports whether an anomaly opens at the latest point of a series that has none,
// and returns its first point. If a policy requires a least duration, that is the point
// with the greatest score since the wait began, at the time at which the wait began.
func (j *Judge) opens(st *stream, s *tracked, p incident.Point) (from incident.Point, ok bool) {
	switch {
	case s.wait == nil && s.last.opening < 1:
		if s.n-s.openAt > opening.Cooldown {
			s.openAt = 0 // of an anomaly that was held back
		}
		return p, false
	case p.Score < 1:
		j.hold(s, HeldMinDuration)
		return p, false
	case s.wait == nil:
		s.wait, s.openAt = &waiting{since: p.Time, peak: p}, s.n
	case p.Score > s.wait.peak.Score:
		s.wait.peak = p
	}
	if j.silenced(st, s, p.Time) {
		j.hold(s, HeldSilenced)
		return p, false
	}
	if st.policy != nil {
		if ok, why := st.policy.Allows(p.Time, p.Observed, p.Expected); !ok {
			j.hold(s, why)
			return p, false
		}
		if p.Time-s.wait.since < st.patience {
			return p, false
		}
		if st.policy.DryRun() {
			j.hold(s, HeldDryRun)
			return p, false
		}
	}
	from, from.Time = s.wait.peak, s.wait.since
	s.wait = nil
	return from, true
}

// hold counts an anomaly that does not open.
func (j *Judge) hold(s *tracked, why string) {
	j.held[why]++
	s.wait = nil
}

// persist writes or reads all but the identity of the series.
func (p *waiting) persist(c *state.Codec) {
	c.Int64(&p.since)
	c.Int64(&p.peak.Time)
	c.Int64(&p.peak.Cadence)
	for _, v := range [...]*float64{&p.peak.Score, &p.peak.Surprise, &p.peak.Observed, &p.peak.Expected, &p.peak.Lower, &p.peak.Upper} {
		c.Float64(v)
	}
	c.String(&p.peak.Kind)
	if c.Complete() {
		c.Bool(&p.peak.Accepted)
		state.List(c, &p.peak.TraceIDs, 4, c.String)
	}
}
