// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/detect/season"
	"github.com/auspex-otel/auspex/internal/detect/silence"
	"github.com/auspex-otel/auspex/internal/evidence"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
)

// Tags of the records of a snapshot.
const (
	tagEngine     byte = 1 // the JSON of engineState
	tagSource     byte = 2
	tagStream     byte = 3
	tagCompanions byte = 4
	tagBudget     byte = 5
	tagMiner      byte = 6 // templates, and what is new in all services
	tagLogs       byte = 7
	tagSpans      byte = 8
	tagCauses     byte = 9
	tagFeedback   byte = 10
	tagMore       byte = 0x80 // set where the record goes on in the next piece
)

// engineState is what is not kept by source or stream.
type engineState struct {
	Points    uint64
	Evicted   uint64
	Refused   map[string]uint64
	Held      map[string]uint64
	Tracker   *incident.Tracker
	Owners    map[uint64]series.ID
	Exposed   []uint64
	Anomalies map[string]*incident.Anomaly
	Incidents map[string]*incident.Incident
	Services  map[string]serviceState
}

type serviceState struct {
	Watermark, Delivered int64
	MaxScore             float64
	Opened               uint64
	Group                group
}

// pack encodes the whole state: sources before their streams, in the order of
// their identities, and last the engine, which speaks of streams.
func (e *Engine) pack(generation uint64) ([][]byte, error) {
	p := &packer{generation: generation}
	s := engineState{
		Points: e.points, Evicted: e.evicted, Refused: e.refused, Held: e.held, Tracker: e.tracker, Owners: e.owners,
		Exposed: slices.Sorted(maps.Keys(e.exposed)), Anomalies: e.anomalies, Incidents: e.incidents, Services: map[string]serviceState{},
	}
	for name, svc := range e.services {
		s.Services[name] = serviceState{Watermark: svc.watermark, Delivered: svc.delivered, MaxScore: max(svc.maxScore, svc.unsent), Opened: svc.opened, Group: svc.group}
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	for _, c := range inOrder(e.companions) {
		p.add(tagCompanions, c.append(p.record[:0]))
	}
	for _, id := range slices.Sorted(maps.Keys(e.sources)) {
		p.add(tagSource, e.sources[id].append(p.record[:0]))
	}
	streams := maps.Collect(e.streams.All())
	for _, id := range slices.Sorted(maps.Keys(streams)) {
		if p.record, err = streams[id].append(p.record[:0]); err != nil {
			return nil, err
		}
		p.add(tagStream, p.record)
	}
	p.add(tagBudget, e.budget.append(p.record[:0]))
	if err := e.packLogs(p); err != nil {
		return nil, err
	}
	e.packSpans(p)
	if err := e.packCauses(p); err != nil {
		return nil, err
	}
	if err := e.packFeedback(p); err != nil {
		return nil, err
	}
	p.add(tagEngine, b)
	p.close()
	return p.chunks, nil
}

// restore reads the snapshot that m names. After an error, which is
// errUnreadable if the storage failed, the engine holds a part of it, and is to be reset.
func (e *Engine) restore(ctx context.Context, client storage.Client, m manifest) error {
	e.restoring = true
	defer e.sweepSources()
	var begun []byte // a record of which more follows
	record := func(tag byte, piece []byte) error {
		if tag&tagMore != 0 || len(begun) > 0 {
			begun = append(begun, piece...)
			piece = begun
		}
		if tag&tagMore != 0 {
			return nil
		}
		begun = nil
		return e.restoreRecord(tag, piece)
	}
	for i := range int(m.chunks) {
		key := chunkKey(m.generation%2, i)
		b, err := client.Get(ctx, key)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", errUnreadable, key, err)
		}
		if err := unpack(b, m.generation, record); err != nil {
			return fmt.Errorf("chunk %d of %d: %w", i, m.chunks, err)
		}
	}
	if len(begun) > 0 {
		return fmt.Errorf("its last record: %w", errNotWhole)
	}
	return nil
}

func (e *Engine) restoreRecord(tag byte, record []byte) error {
	switch tag {
	case tagEngine:
		return e.restoreEngine(record)
	case tagSource:
		return e.restoreSource(record)
	case tagStream:
		return e.restoreStream(record)
	case tagCompanions:
		return e.restoreCompanions(record)
	case tagBudget:
		return e.budget.restore(record)
	case tagMiner:
		return e.restoreMiner(record)
	case tagLogs:
		return e.restoreLogs(record)
	case tagSpans:
		return e.restoreSpans(record)
	case tagCauses:
		return e.restoreCauses(record)
	case tagFeedback:
		return e.restoreFeedback(record)
	default:
		return fmt.Errorf("unknown record %d", tag)
	}
}

// sweepSources ends restoring, in which sources stay even if they have no streams.
func (e *Engine) sweepSources() {
	e.restoring = false
	for _, src := range e.sources {
		e.releaseSource(src)
	}
}

func (e *Engine) restoreEngine(text []byte) error {
	s := engineState{Tracker: incident.NewTracker()}
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	if s.Tracker == nil || hasNil(s.Anomalies) || hasNil(s.Incidents) {
		return fmt.Errorf("engine state: %w", errNotWhole)
	}
	e.points, e.tracker = s.Points, s.Tracker
	e.evicted += s.Evicted // on top of what does not fit into a table that is smaller now
	maps.Copy(e.refused, s.Refused)
	maps.Copy(e.held, s.Held)
	maps.Copy(e.anomalies, s.Anomalies)
	maps.Copy(e.incidents, s.Incidents)
	for id, stream := range s.Owners {
		if st, _ := e.streams.Peek(stream); st != nil {
			e.owners[id] = stream
			st.source.service.followed++
		} else {
			e.tracker.Silence(id) // the table is smaller now than it was
		}
	}
	for _, id := range s.Exposed {
		if _, ok := e.owners[id]; ok {
			e.exposed[id] = struct{}{}
		}
	}
	for name, svc := range s.Services {
		if at := e.services[name]; at != nil {
			at.watermark, at.delivered, at.maxScore, at.opened, at.group = svc.Watermark, svc.Delivered, svc.MaxScore, svc.Opened, svc.Group
		}
	}
	return nil
}

func hasNil[K comparable, V any](m map[K]*V) bool {
	for _, v := range m {
		if v == nil {
			return true
		}
	}
	return false
}

func (s *source) append(b []byte) []byte {
	w := writer{b: b}
	w.uint64(uint64(s.id))
	w.int64(s.watermark)
	w.state(s.life.State)
	w.attributes(s.resource)
	return w.b
}

func (e *Engine) restoreSource(record []byte) error {
	r := reader{b: record}
	id, watermark := series.ID(r.uint64()), r.int64()
	var life silence.Life
	r.state(life.State)
	attributes := r.attributes()
	if err := r.end(); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	src := e.addSource(id, attributes)
	src.watermark, src.life = watermark, life
	return nil
}

func (s *Companions) append(b []byte) []byte {
	w := writer{b: b}
	w.uint64(uint64(s.Series))
	w.attributes(s.Resource)
	w.scope(s.Scope)
	w.attributes(s.Attributes)
	w.text(s.Metric)
	w.text(s.Unit)
	w.text(s.Statistic)
	w.uint64(uint64(s.Time))
	w.bool(s.End)
	for _, v := range s.Values {
		w.float64(v)
	}
	return w.b
}

func (e *Engine) restoreCompanions(record []byte) error {
	r := reader{b: record}
	s := &Companions{
		Series: series.ID(r.uint64()), Resource: r.attributes(), Scope: r.scope(), Attributes: r.attributes(),
		Metric: r.text(), Unit: r.text(), Statistic: r.text(), Time: pcommon.Timestamp(r.uint64()), End: r.bool(),
	}
	for i := range s.Values {
		s.Values[i] = r.float64()
	}
	if err := r.end(); err != nil {
		return fmt.Errorf("companions: %w", err)
	}
	e.addCompanions(s)
	return nil
}

func (st *stream) append(b []byte) ([]byte, error) {
	w := writer{b: b}
	w.uint64(uint64(st.id))
	w.uint64(uint64(st.source.id))
	w.byte(byte(st.signal))
	w.scope(st.scope)
	w.text(st.metric)
	w.text(st.unit)
	w.attributes(st.attributes)
	w.int64(st.cadence)
	w.int64(int64(st.late))
	w.int64(st.patience)
	w.int64(st.seen)
	w.bool(st.silent)
	w.state(st.gaps.State)
	st.meter.append(&w)
	w.uint64(uint64(len(st.series)))
	for i := range st.series {
		if err := st.series[i].append(&w); err != nil {
			return nil, err
		}
	}
	return w.b, nil
}

func (e *Engine) restoreStream(record []byte) error {
	r := reader{b: record}
	id := series.ID(r.uint64())
	src := e.sources[series.ID(r.uint64())]
	st := stream{id: id, source: src, signal: Signal(r.byte()), scope: r.scope()}
	st.metric, st.unit, st.attributes = r.text(), r.text(), r.attributes()
	st.quantity = evidence.Quantity(st.metric)
	st.cadence, st.late, st.patience = r.int64(), int(r.int64()), r.int64()
	st.seen, st.silent = r.int64(), r.bool()
	r.state(st.gaps.State)
	st.meter.read(&r)
	n := r.uint64()
	if r.err == nil && (src == nil || st.signal >= signals || n == 0 || n > uint64(len(statNames)) || st.cadence < 0 || st.patience < 0) {
		return fmt.Errorf("stream %s contradicts itself: %w", id, errNotWhole)
	}
	st.series = make([]tracked, n)
	for i := range st.series {
		st.series[i].read(&r, id, e.zone)
	}
	if err := r.end(); err != nil {
		return fmt.Errorf("stream %s: %w", id, err)
	}
	if slices.ContainsFunc(st.series, func(s tracked) bool { return (s.model == nil) != st.bare() }) {
		return fmt.Errorf("stream %s lacks a model: %w", id, errNotWhole)
	}
	if old, _ := e.streams.Peek(id); old != nil {
		return fmt.Errorf("stream %s is there twice: %w", id, errNotWhole)
	}
	src.hold(&st)
	for i := range st.series {
		s := &st.series[i]
		s.group, s.pool = e.budget.share(st.metric, s.stat)
	}
	added := e.streams.Add(id, len(st.series), e.now, st)
	e.count(added)
	for i := range added.series {
		if added.series[i].warming() {
			e.warming++
		}
	}
	return nil
}

func (r *meter) append(w *writer) {
	w.bool(r.seen)
	w.bool(r.delta)
	w.int64(r.start)
	w.int64(r.time)
	w.float64(r.value)
	w.uint64(r.count)
	w.float64(r.sum)
	w.uint64(uint64(len(r.buckets)))
	for _, c := range r.buckets {
		w.uint64(c)
	}
	w.uint64(uint64(len(r.bounds)))
	for _, b := range r.bounds {
		w.float64(b)
	}
	w.bool(r.exponential != nil)
	if r.exponential != nil {
		r.exponential.append(w)
	}
}

func (r *meter) read(from *reader) {
	r.seen, r.delta = from.bool(), from.bool()
	r.start, r.time, r.value, r.count, r.sum = from.int64(), from.int64(), from.float64(), from.uint64(), from.float64()
	for range from.length(8) {
		r.buckets = append(r.buckets, from.uint64())
	}
	for range from.length(8) {
		r.bounds = append(r.bounds, from.float64())
	}
	if from.bool() {
		r.exponential = &exponentialBuckets{}
		r.exponential.read(from)
	}
}

func (s *tracked) append(w *writer) (err error) {
	w.byte(byte(s.stat))
	w.uint64(s.n)
	w.int64(s.last.time)
	w.uint64(s.rareAt)
	w.uint64(s.openAt)
	for _, v := range [...]float64{s.last.score, s.last.opening, s.last.observed, s.last.expected, s.last.lower, s.last.upper} {
		w.float64(v)
	}
	w.byte(byte(s.last.phase))
	w.bool(s.last.shown)
	at := len(w.b)
	w.uint64(0)
	if s.model != nil {
		if w.b, err = s.model.AppendBinary(w.b); err != nil {
			return err
		}
	}
	w.setUint64(at, uint64(len(w.b)-at-8))
	w.state(s.rule.State)
	w.bool(s.wait != nil)
	if s.wait != nil {
		s.wait.append(w)
	}
	return nil
}

func (s *tracked) read(from *reader, stream series.ID, zone *season.Zone) {
	s.stat, s.n, s.last.time = statistic(from.byte()), from.uint64(), from.int64()
	s.rareAt, s.openAt = from.uint64(), from.uint64()
	for _, v := range [...]*float64{&s.last.score, &s.last.opening, &s.last.observed, &s.last.expected, &s.last.lower, &s.last.upper} {
		*v = from.float64()
	}
	s.last.phase, s.last.shown = incident.Phase(from.byte()), from.bool()
	if int(s.stat) >= len(statNames) || math.IsNaN(s.last.score) {
		from.fail(errNotWhole)
	}
	s.id = stream.Join(series.Number(uint64(s.stat)))
	if b := from.bytes(); from.err == nil && len(b) > 0 {
		s.model = ensemble.New(zone)
		from.fail(s.model.UnmarshalBinary(b))
	}
	from.state(s.rule.State)
	if from.bool() {
		s.wait = &waiting{}
		s.wait.read(from, s.id)
	}
}
