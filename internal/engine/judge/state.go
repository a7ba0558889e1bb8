// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/engine/pending"
	"github.com/auspex-otel/auspex/internal/engine/room"
	"github.com/auspex-otel/auspex/internal/engine/snapshot"
	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/evidence"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/state"
)

// BeginSnapshot returns the ids of the streams that a new snapshot must contain.
func (j *Judge) BeginSnapshot() []series.ID {
	j.snapshots++
	return j.streams.IDs()
}

// BeginRestore begins a restore, in which resources stay even if they have no streams.
func (j *Judge) BeginRestore() { j.restoring = true }

// EndRestore ends a restore and forgets resources without streams.
func (j *Judge) EndRestore() {
	j.restoring = false
	for _, res := range j.resources {
		j.releaseResource(res)
	}
}

// Restore reads a record if its tag is one of the judge's. Otherwise it returns false.
func (j *Judge) Restore(tag byte, c *state.Codec) (bool, error) {
	switch tag {
	case snapshot.TagEngine:
		return true, j.restoreEngine(c)
	case snapshot.TagResource:
		return true, j.restoreResource(c)
	case snapshot.TagStream:
		return true, j.restoreStream(c)
	case snapshot.TagCompanions:
		return true, j.restoreCompanions(c)
	case snapshot.TagBudget:
		j.budget.Persist(c)
		return true, nil
	case snapshot.TagFeedback:
		return true, j.feedback.Restore(c)
	}
	return false, nil
}

// engineState is the state that is not kept by resource or stream.
type engineState struct {
	points, evicted uint64
	refused, held   map[string]uint64
	tracker         *incident.Tracker
	owners          map[uint64]series.ID
	exposed         []uint64
	findings        *pending.Findings
	services        map[string]serviceState
}

type serviceState struct {
	mark      clock.Mark
	delivered int64
	maxScore  float64
	opened    uint64
	group     window.Round
	account   budget.Account
}

func (s *engineState) persist(c *state.Codec) {
	c.Uint64(&s.points)
	c.Uint64(&s.evicted)
	state.Map(c, &s.refused, 12, c.String, c.Uint64)
	state.Map(c, &s.held, 12, c.String, c.Uint64)
	c.Section(s.tracker.State)
	state.Map(c, &s.owners, 16, c.Uint64, func(id *series.ID) { c.Uint64((*uint64)(id)) })
	state.List(c, &s.exposed, 8, c.Uint64)
	s.findings.PersistEvents(c)
	state.Map(c, &s.services, 4, c.String, func(svc *serviceState) {
		svc.mark.State(c)
		c.Int64(&svc.delivered)
		c.Bits(&svc.maxScore)
		c.Uint64(&svc.opened)
		svc.group.Persist(c)
		svc.account.Persist(c)
	})
}

// AddRecords adds what must be of one moment: what refers to series, and what their members have counted.
func (j *Judge) AddRecords(w *snapshot.Writer) error {
	if err := w.Add(snapshot.TagBudget, j.budget.Persist); err != nil {
		return err
	}
	if !j.feedback.Empty() {
		if err := w.Add(snapshot.TagFeedback, j.feedback.Persist); err != nil {
			return err
		}
	}
	for _, companions := range j.findings.Companions() {
		if err := w.Add(snapshot.TagCompanions, companions.Persist); err != nil {
			return err
		}
	}
	s := engineState{
		points: j.points, evicted: j.evicted, refused: j.refused, held: j.held, tracker: j.tracker, owners: j.owners,
		exposed: slices.Sorted(maps.Keys(j.exposed)), findings: j.findings, services: map[string]serviceState{},
	}
	for name, svc := range j.services {
		s.services[name] = serviceState{mark: svc.mark, delivered: svc.delivered, maxScore: max(svc.maxScore, svc.unsent), opened: svc.opened, group: svc.group, account: svc.account}
	}
	return w.Add(snapshot.TagEngine, s.persist)
}

// restoreEngine restores what refers to series. It was written after them, so an
// anomaly may have opened or closed since a series was written, and a series may
// have come since: its anomaly closes.
func (j *Judge) restoreEngine(c *state.Codec) error {
	s := engineState{tracker: j.tracker, findings: j.findings}
	if s.persist(c); !c.Ok() {
		return state.Error
	}
	j.points = s.points
	j.evicted += s.evicted // in addition to what does not fit into a table that is smaller now
	maps.Copy(j.refused, s.refused)
	maps.Copy(j.held, s.held)
	for id, stream := range s.owners {
		if st, _ := j.streams.Peek(stream); st != nil {
			j.owners[id] = stream
			st.resource.service.followed++
		} else {
			j.tracker.Silence(id, incident.SeriesGone)
		}
	}
	for _, id := range s.exposed {
		if _, ok := j.owners[id]; ok {
			j.exposed[id] = struct{}{}
		}
	}
	for _, st := range j.streams.All() {
		for i := range st.series {
			_, followed := j.owners[uint64(st.series[i].id)]
			st.series[i].reconcile(followed)
		}
	}
	latest := int64(0)
	for name, svc := range s.services {
		if at := j.services[name]; at != nil {
			at.mark, at.delivered, at.maxScore, at.opened, at.group = svc.mark, svc.delivered, svc.maxScore, svc.opened, svc.group
			at.mark.Resume(j.now)
			j.budget.ResumeAccount(&at.account, &svc.account, svc.mark.Time())
			latest = max(latest, svc.mark.Time())
		}
	}
	if !c.Complete() {
		j.budget.Resume(latest)
	}
	return nil
}

// Transient writes or reads the rest of a complete state. It must be read last.
func (j *Judge) Transient(c *state.Codec) {
	c.Time(&j.walkAt)
	j.streams.State(c)
	var due []string
	for _, svc := range j.due {
		if j.services[svc.name] == svc {
			due = append(due, svc.name)
		}
	}
	state.List(c, &due, 4, c.String)
	if c.Reading() {
		j.due = nil
		for _, name := range due {
			svc := j.services[name]
			if c.Check(svc != nil); svc != nil {
				j.due = append(j.due, svc)
			}
		}
	}
}

// reconcile brings a restored series in line with whether its anomaly is followed.
func (s *tracked) reconcile(followed bool) {
	switch {
	case followed && s.openAt == 0: // it opened after the series was written
		s.openAt = s.n
	case !followed && s.last.phase == incident.PhaseExposed: // it closed after the series was written
		s.last.phase, s.last.shown = incident.PhaseNone, false
	}
}

func (s *resource) persist(c *state.Codec) {
	c.Uint64((*uint64)(&s.id))
	s.mark.State(c)
	s.life.State(c)
	snapshot.Attributes(c, s.attributes)
	if c.Complete() {
		c.Int64(&s.shown)
	}
}

func (j *Judge) restoreResource(c *state.Codec) error {
	read := resource{attributes: pcommon.NewMap()}
	if read.persist(c); !c.Ok() || j.resources[read.id] != nil {
		return state.Error
	}
	res := j.addResource(read.id, read.attributes)
	res.mark, res.life, res.shown = read.mark, read.life, read.shown
	res.mark.Resume(j.now)
	return nil
}

func (j *Judge) restoreCompanions(c *state.Codec) error {
	s := &view.Companions{Resource: pcommon.NewMap(), Scope: pcommon.NewInstrumentationScope(), Attributes: pcommon.NewMap()}
	if s.Persist(c); !c.Ok() {
		return state.Error
	}
	j.findings.AddCompanions(s)
	return nil
}

// AddStream adds a stream, and before the first stream of a resource the resource.
func (j *Judge) AddStream(w *snapshot.Writer, id series.ID) error {
	st, _ := j.streams.Peek(id)
	if st == nil {
		return nil
	}
	if st.resource.written != j.snapshots {
		st.resource.written = j.snapshots
		if err := w.Add(snapshot.TagResource, st.resource.persist); err != nil {
			return err
		}
	}
	return w.Add(snapshot.TagStream, func(c *state.Codec) {
		resource := st.resource.id
		c.Uint64((*uint64)(&resource))
		st.persist(c, j.models)
	})
}

// persist writes or reads a stream but for its resource.
func (st *stream) persist(c *state.Codec, models *ensemble.Options) {
	c.Uint64((*uint64)(&st.id))
	c.Uint8((*uint8)(&st.signal))
	snapshot.Scope(c, st.scope)
	c.String(&st.metric)
	c.String(&st.unit)
	snapshot.Attributes(c, st.attributes)
	c.Int64(&st.cadence)
	c.Int(&st.late)
	c.Int64(&st.patience)
	c.Int64(&st.seen)
	c.Bool(&st.silent)
	st.gaps.State(c)
	st.meter.Persist(c)
	c.Check(st.signal < budget.Signals && st.cadence >= 0 && st.patience >= 0)
	if c.Complete() {
		c.Bool(&st.resting)
		c.Bool(&st.asked)
	}
	state.List(c, &st.series, leastSeries, func(s *tracked) {
		if c.Ok() {
			s.persist(c, st, models)
		}
	})
	c.Check(len(st.series) > 0)
}

// leastSeries is the least size of a series in a snapshot, in bytes.
const leastSeries = 80

func (j *Judge) restoreStream(c *state.Codec) error {
	var resource series.ID
	st := stream{scope: pcommon.NewInstrumentationScope(), attributes: pcommon.NewMap()}
	c.Uint64((*uint64)(&resource))
	st.persist(c, j.models)
	st.resource, st.quantity = j.resources[resource], evidence.Quantity(st.metric)
	st.asked = st.asked && j.policies == nil // what a policy says is not stored
	if old, _ := j.streams.Peek(st.id); !c.Ok() || old != nil || st.resource == nil {
		return fmt.Errorf("stream %s contradicts itself or others: %w", st.id, state.Error)
	}
	size := st.size(len(st.series))
	if st.resource.streams == 0 {
		size.Bytes += room.Attributes(st.resource.attributes)
	}
	added := j.streams.Add(st.id, series.Text(st.resource.service.name), size, j.now, st)
	if added == nil { // the table is smaller now
		j.evicted += uint64(len(st.series))
		return nil
	}
	added.resource.hold(added)
	for i := range added.series {
		j.join(added, &added.series[i])
	}
	j.count(added)
	for i := range added.series {
		if added.series[i].warming() {
			j.warming++
		}
	}
	return nil
}

// persist writes or reads a series of a stream.
func (s *tracked) persist(c *state.Codec, st *stream, models *ensemble.Options) {
	s.stat.Persist(c)
	c.Uint64(&s.n)
	c.Int64(&s.last.time)
	s.member.State(c)
	c.Uint64(&s.openAt)
	c.Bits(&s.last.score, &s.last.opening, &s.last.observed, &s.last.expected, &s.last.lower, &s.last.upper)
	c.Check(!math.IsNaN(s.last.score))
	c.Uint8((*uint8)(&s.last.phase))
	c.Bool(&s.last.shown)
	s.rule.State(c)
	waits := s.wait != nil
	c.Bool(&waits)
	if c.Reading() {
		s.id = st.id.Join(series.Number(uint64(s.stat)))
		if waits {
			s.wait = &waiting{peak: incident.Point{Series: uint64(s.id)}}
		}
		if !st.bare() {
			s.model = ensemble.New(models)
		}
	}
	if waits {
		s.wait.persist(c)
	}
	if c.Complete() {
		c.Bool(&s.negative)
	}
	if s.model != nil {
		c.Part(s.model)
	}
}
