// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package census counts the created series by service, and by the attributes whose values
// distinguish them. Series that were rejected for lack of room count, too.
package census

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/series"
)

const (
	// maxNames bounds the number of services, and of attributes, that are counted at once.
	maxNames = 256
	// period is the interval at which counting starts over, in ticks. The reported counts cover one to two periods.
	period = time.Hour
)

// Census counts the series that were created in the last hours. Use New.
type Census struct {
	began                time.Time
	services, attributes counts
}

// counts holds the counts of one kind in the present period and in the one before.
type counts struct{ now, before map[string]*sketch }

// Count is a name with the number of series it created, estimated with an error of about 7 %.
type Count struct {
	Name   string `json:"name"`
	Series int    `json:"series"`
}

// Crowd lists the services and attributes that created the most series, and reports whether series are rejected.
type Crowd struct {
	Rejecting  bool    `json:"rejecting"`
	Services   []Count `json:"top_services"`
	Attributes []Count `json:"top_attributes"`
}

// New returns an empty census.
func New() *Census {
	c := &Census{}
	c.services.now, c.attributes.now = map[string]*sketch{}, map[string]*sketch{}
	return c
}

// Note counts a new series of a service, once for each of its attributes. Repeated calls with the same series have no
// effect.
func (c *Census) Note(service string, id series.ID, attributes pcommon.Map) {
	c.services.note(service, id)
	for k, v := range attributes.All() {
		c.attributes.note(k, series.Value(v))
	}
}

// Tick starts over when a period has passed.
func (c *Census) Tick(now time.Time) {
	if now.Sub(c.began) < period && !now.Before(c.began) {
		return
	}
	c.began = now
	for _, of := range [...]*counts{&c.services, &c.attributes} {
		of.before, of.now = of.now, map[string]*sketch{}
	}
}

// Services returns the n services that created the most series, in descending order.
func (c *Census) Services(n int) []Count { return c.services.most(n) }

// Attributes returns the n attribute keys with the most values in new series.
func (c *Census) Attributes(n int) []Count { return c.attributes.most(n) }

// note counts an identity under a name. Beyond maxNames it removes the name with the fewest.
func (c *counts) note(name string, id series.ID) {
	s := c.now[name]
	if s == nil {
		if len(c.now) >= maxNames {
			c.forgetOne()
		}
		s = &sketch{}
		c.now[strings.Clone(name)] = s
	}
	s.add(uint64(id))
}

func (c *counts) forgetOne() {
	least, size := "", 0
	for name, s := range c.now {
		if n := s.filled; least == "" || n < size || n == size && name < least {
			least, size = name, n
		}
	}
	delete(c.now, least)
}

func (c *counts) most(n int) []Count {
	list := []Count{}
	for name, s := range c.now {
		union := *s
		if old := c.before[name]; old != nil {
			union.merge(old)
		}
		list = append(list, Count{name, union.estimate()})
	}
	for name, s := range c.before {
		if c.now[name] == nil {
			list = append(list, Count{name, s.estimate()})
		}
	}
	slices.SortFunc(list, func(a, b Count) int { return cmp.Or(cmp.Compare(b.Series, a.Series), cmp.Compare(a.Name, b.Name)) })
	return list[:min(n, len(list))]
}
