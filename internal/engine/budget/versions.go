// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/auspex-otel/auspex/internal/state"
)

const (
	// lateness is the time by which a point may be older than the latest one and still get the version of its time.
	lateness = int64(10 * time.Minute)
	// mostVersions bounds the versions that are kept for late points.
	mostVersions = 16
)

// versions holds what points are judged by, a threshold or a table, and what it was before. A new version applies to
// points after the latest event time that was judged. So the event time of a point determines its version, however
// points of the same time are divided into batches. A point before all versions gets the first one.
type versions[T any] struct {
	list   []version[T] // in the order of from, at least one. It is replaced, never changed, because copies share it.
	judged int64        // latest event time in nanoseconds that was judged
	fixed  bool         // the list is that of a schedule
}

// version is a value that applies to points after an event time, in nanoseconds.
type version[T any] struct {
	from  int64
	value T
}

func first[T any](from int64, value T) versions[T] {
	return versions[T]{list: []version[T]{{from, value}}, judged: from}
}

// at returns the value for a point at event time t.
func (v *versions[T]) at(t int64) T {
	last := len(v.list) - 1
	if t > v.list[last].from {
		return v.list[last].value
	}
	i := sort.Search(last, func(i int) bool { return v.list[i+1].from >= t })
	return v.list[i].value
}

// latest returns the newest value.
func (v *versions[T]) latest() T { return v.at(math.MaxInt64) }

// pass notes that a point at event time t was judged.
func (v *versions[T]) pass(t int64) { v.judged = max(v.judged, t) }

// set adds a version. It returns the event time from which the version applies.
func (v *versions[T]) set(value T) (from int64) {
	keep := 0
	for i := range v.list {
		if v.list[i].from < v.judged-lateness {
			keep = i
		}
	}
	list := v.list[max(keep, len(v.list)-mostVersions+1):]
	if last := len(list) - 1; list[last].from == v.judged && last > 0 {
		list = list[:last] // no point was judged by it
	}
	v.list = append(slices.Clone(list), version[T]{v.judged, value})
	return v.judged
}

// replace sets a version that applies to all points from now on, whatever their time.
func (v *versions[T]) replace(value T) (from int64) {
	v.list = []version[T]{{v.judged, value}}
	return v.judged
}

// persist writes or reads the versions.
func (v *versions[T]) persist(c *state.Codec, value func(*T)) {
	c.Int64(&v.judged)
	state.List(c, &v.list, 9, func(x *version[T]) {
		c.Int64(&x.from)
		value(&x.value)
	})
	c.Check(len(v.list) > 0 && len(v.list) <= mostVersions && slices.IsSortedFunc(v.list, version[T].compare))
}

func (v version[T]) compare(w version[T]) int { return cmp.Compare(v.from, w.from) }
