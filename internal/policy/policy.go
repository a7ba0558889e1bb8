// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Reasons why a point opens no anomaly.
const (
	ReasonMaintenance       = "maintenance"
	ReasonDirection         = "direction"
	ReasonMinChange         = "min_change"
	ReasonMinRelativeChange = "min_relative_change"
)

// Set holds the rules of an engine.
type Set struct {
	rules []compiled
	// policies has one policy for each combination of rules that matched a series, keyed by one
	// flag per rule. Series share them.
	policies    map[string]*Policy
	conditional bool // whether any rule has a condition
}

// Compile compiles rules to a set. Its error names each invalid rule by its index.
func Compile(rules []Rule, settings component.TelemetrySettings) (*Set, error) {
	s := &Set{policies: map[string]*Policy{}}
	var errs []error
	for i := range rules {
		c, err := rules[i].compile(settings)
		if err != nil {
			errs = append(errs, fmt.Errorf("policies::%d: %w", i, err))
		}
		s.rules = append(s.rules, c)
		s.conditional = s.conditional || c.condition != nil
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// For returns the policy of a series, or nil if no rule matches. It evaluates conditions, so
// callers must call it once per series and keep the result.
func (s *Set) For(ctx context.Context, resource pcommon.Resource, scope pcommon.InstrumentationScope, metric pmetric.Metric, attributes pcommon.Map) *Policy {
	if len(s.rules) == 0 {
		return nil
	}
	var t target
	if s.conditional {
		t = targetOf(resource, scope, metric, attributes)
		defer t.Close()
	}
	matching := make([]byte, len(s.rules))
	some := false
	for i, r := range s.rules {
		if r.condition == nil || r.condition.matches(ctx, t) {
			matching[i], some = 1, true
		}
	}
	if !some {
		return nil
	}
	p := s.policies[string(matching)]
	if p == nil {
		p = s.combine(matching)
		s.policies[string(matching)] = p
	}
	return p
}

func (s *Set) combine(matching []byte) *Policy {
	p := &Policy{}
	for i, r := range s.rules {
		if matching[i] == 1 {
			p.add(r)
		}
	}
	return p
}

// Policy combines all rules that match a series.
type Policy struct {
	noHigh, noLow                bool
	minChange, minRelativeChange float64
	minDuration                  time.Duration
	dryRun                       bool
	windows                      []*window
}

// add combines a rule, with the stricter value of each setting.
func (p *Policy) add(r compiled) {
	p.noHigh = p.noHigh || r.Direction == DirectionLow
	p.noLow = p.noLow || r.Direction == DirectionHigh
	p.minChange = max(p.minChange, r.MinChange)
	p.minRelativeChange = max(p.minRelativeChange, r.MinRelativeChange)
	p.minDuration = max(p.minDuration, r.MinDuration)
	p.dryRun = p.dryRun || r.DryRun
	p.windows = append(p.windows, r.windows...)
}

// Allows reports whether a point may open an anomaly, and otherwise the reason. at is the event
// time in nanoseconds since 1970. If the change is unknown (NaN), only maintenance windows apply.
func (p *Policy) Allows(at int64, observed, expected float64) (ok bool, why string) {
	for _, w := range p.windows {
		if w.covers(at) {
			return false, ReasonMaintenance
		}
	}
	change := observed - expected
	switch {
	case change > 0 && p.noHigh, change < 0 && p.noLow:
		return false, ReasonDirection
	case math.Abs(change) < p.minChange:
		return false, ReasonMinChange
	case math.Abs(change) < p.minRelativeChange*math.Abs(expected):
		return false, ReasonMinRelativeChange
	}
	return true, ""
}

// MinDuration returns the time that the score must stay at or above 1 before an anomaly opens.
func (p *Policy) MinDuration() time.Duration { return p.minDuration }

// DryRun reports whether the series must not open anomalies.
func (p *Policy) DryRun() bool { return p.dryRun }
