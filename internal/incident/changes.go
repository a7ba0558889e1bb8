// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// ChangeKind is the kind of a change.
type ChangeKind string

// Kinds of changes.
const (
	// ChangeVersion is a new service.version, ChangeImage a new container image.
	ChangeVersion ChangeKind = "version"
	ChangeImage   ChangeKind = "image"
	// ChangeRestart is a new process or instance.
	ChangeRestart ChangeKind = "restart"
	// ChangeConfig and ChangeDeployment are reported changes of a configuration and deployments. ChangeKubernetes is a Kubernetes event.
	ChangeConfig     ChangeKind = "config"
	ChangeDeployment ChangeKind = "deployment"
	ChangeKubernetes ChangeKind = "kubernetes"
)

const (
	// maxChanged bounds the services with known changes, maxValues the known values of one kind of a service,
	// maxChanges the remembered changes of a service.
	maxChanged, maxValues, maxChanges = 5000, 64, 20
	// staleValue is the time without occurrence after which a value may be removed. If it occurs again after another
	// value, such as a version after a rollback, it counts as a change.
	staleValue = time.Hour
	// sameChange is the time within which equal changes count as one.
	sameChange = 5 * time.Minute
	// changeBefore is the greatest time between a change and an anomaly that it may have caused.
	changeBefore = 10 * time.Minute
	// maxChangeText bounds a value, in bytes.
	maxChangeText = 256
)

// Change is one change of a service.
type Change struct {
	Kind ChangeKind `json:"kind"`
	// What is the new version or image, the instance, or the text of the event.
	What string `json:"what"`
	// Before is the previous version or image, if there was one.
	Before string    `json:"before,omitempty"`
	Time   time.Time `json:"time"`
}

// Changes stores changes by service. The zero value is ready to use.
type Changes struct {
	services map[string]*changed
}

// changed holds the known values and changes of one service.
type changed struct {
	Last   time.Time
	Values map[ChangeKind]map[string]time.Time // time of the last occurrence
	List   []Change                            // the latest last
}

// See records that a service had a value of a kind at a time. A new value is a change,
// except for the first one, which the service may always have had.
func (c *Changes) See(service string, kind ChangeKind, value string, at time.Time) {
	if value == "" || len(value) > maxChangeText {
		return
	}
	s := c.of(service, at)
	known := s.Values[kind]
	if known == nil {
		known = map[string]time.Time{}
		if s.Values == nil {
			s.Values = map[ChangeKind]map[string]time.Time{}
		}
		s.Values[kind] = known
	}
	last, seen := known[value]
	if seen && at.Sub(last) <= staleValue {
		if at.After(last) {
			known[value] = at
		}
		return
	}
	before := latest(known)
	if !seen && len(known) >= maxValues && !forgetStale(known, at) {
		return // too many at once to identify a new one
	}
	known[value] = at
	if before != "" && before != value {
		s.add(Change{Kind: kind, What: value, Before: before, Time: at})
	}
}

// Happened records a change that was reported.
func (c *Changes) Happened(service string, kind ChangeKind, what string, at time.Time) {
	if len(what) > maxChangeText {
		what = what[:maxChangeText]
	}
	s := c.of(service, at)
	for _, known := range s.List {
		if known.Kind == kind && known.What == what && at.Sub(known.Time).Abs() <= sameChange {
			return
		}
	}
	s.add(Change{Kind: kind, What: what, Time: at})
}

// Before returns the changes of a service that may have caused an anomaly at a time, latest first.
func (c *Changes) Before(service string, at time.Time) (list []Change) {
	s := c.services[service]
	if s == nil {
		return nil
	}
	for _, change := range s.List {
		if !change.Time.After(at) && at.Sub(change.Time) <= changeBefore {
			list = append(list, change)
		}
	}
	slices.Reverse(list)
	return list
}

func (c *Changes) of(service string, at time.Time) *changed {
	s := c.services[service]
	if s == nil {
		if c.services == nil {
			c.services = map[string]*changed{}
		}
		if len(c.services) >= maxChanged {
			c.shrink()
		}
		s = &changed{}
		c.services[service] = s
	}
	if at.After(s.Last) {
		s.Last = at
	}
	return s
}

// shrink forgets the sixteenth of the services with the oldest telemetry.
func (c *Changes) shrink() {
	names := slices.SortedFunc(maps.Keys(c.services), func(a, b string) int {
		return cmp.Or(c.services[a].Last.Compare(c.services[b].Last), cmp.Compare(a, b))
	})
	for _, name := range names[:len(names)/16] {
		delete(c.services, name)
	}
}

func (s *changed) add(c Change) {
	i, _ := slices.BinarySearchFunc(s.List, c.Time, func(known Change, at time.Time) int {
		return cmp.Or(known.Time.Compare(at), -1) // after those of its time
	})
	s.List = slices.Insert(s.List, i, c)
	if len(s.List) > maxChanges {
		s.List = slices.Delete(s.List, 0, 1)
	}
}

// latest returns the value that was seen last, or "".
func latest(known map[string]time.Time) (value string) {
	for v, at := range known {
		if value == "" || cmp.Or(at.Compare(known[value]), cmp.Compare(v, value)) > 0 {
			value = v
		}
	}
	return value
}

// forgetStale removes the value that was seen longest ago, if it is stale.
func forgetStale(known map[string]time.Time, at time.Time) bool {
	oldest := ""
	for v, t := range known {
		if oldest == "" || cmp.Or(t.Compare(known[oldest]), cmp.Compare(v, oldest)) < 0 {
			oldest = v
		}
	}
	if at.Sub(known[oldest]) <= staleValue {
		return false
	}
	delete(known, oldest)
	return true
}
