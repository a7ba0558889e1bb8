// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/auspex-otel/auspex/internal/detect/calibration"
)

// scheduleVersion is the version of the format of a schedule, docs/formats/schedule.md.
const scheduleVersion = 1

// Record is a line of a schedule: the version of the format, an α of a service, or a table of a pool. It is valid for
// points after From.
type Record struct {
	Version int                `json:"version,omitempty"`
	From    int64              `json:"from_unix_nano,omitempty"`
	Service string             `json:"service,omitempty"`
	Signal  string             `json:"signal,omitempty"`
	Alpha   float64            `json:"alpha,omitempty"`
	Pool    string             `json:"pool,omitempty"` // identity in hexadecimal
	Mature  bool               `json:"mature,omitempty"`
	Table   *calibration.Table `json:"table,omitempty"`
}

// Published returns the versions that were published since it was last called. With all, and at the first call, these are
// the present ones of the given accounts, which must be all, and of every pool. The caller must call it regularly from
// then on.
func (b *Budget) Published(all bool, accounts func(yield func(*Account) bool)) []Record {
	if all || !b.recording {
		b.recordAll(accounts)
	}
	list := b.records
	b.records = nil
	return list
}

func (b *Budget) recordAll(accounts func(yield func(*Account) bool)) {
	b.recording, b.records = true, []Record{{Version: scheduleVersion}}
	for a := range accounts {
		for i, v := range a.published {
			for _, version := range v.list {
				b.record(Record{From: version.from, Service: a.service, Signal: signalNames[i], Alpha: version.value.alpha})
			}
		}
	}
	for p := range b.everyPool {
		for _, a := range p.tallies() {
			for _, version := range a.table.list {
				b.record(p.record(a, version.from, version.value))
			}
		}
	}
}

func (b *Budget) record(r Record) {
	if b.recording {
		b.records = append(b.records, r)
	}
}

func (p *pool) record(a *tally, from int64, table *calibration.Table) Record {
	return Record{From: from, Pool: poolName(p.id), Mature: a == &p.mature, Table: table}
}

func poolName(id uint64) string { return strconv.FormatUint(id, 16) }

// everyPool yields the pool of all series, and then the others by identity.
func (b *Budget) everyPool(yield func(*pool) bool) {
	if !yield(&b.all) {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(b.pools)) {
		if !yield(b.pools[id]) {
			return
		}
	}
}

// Schedule holds the versions that a collector has published. Points that are judged by it get the verdicts that they
// got among all series of the collector.
type Schedule struct {
	alphas  map[alphaKey]versions[published]
	tables  map[tableKey]versions[*calibration.Table]
	missing map[string]bool // what was looked up and is not there
}

type alphaKey struct {
	service string
	signal  Signal
}

type tableKey struct {
	pool   string
	mature bool
}

// mostMissing bounds the names in an error.
const mostMissing = 5

// ReadSchedule reads a schedule. An error names the line.
func ReadSchedule(r io.Reader) (*Schedule, error) {
	s := &Schedule{
		alphas: map[alphaKey]versions[published]{}, tables: map[tableKey]versions[*calibration.Table]{}, missing: map[string]bool{},
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		n++
		var record Record
		err := json.Unmarshal(lines.Bytes(), &record)
		switch {
		case err != nil:
		case n == 1 && record.Version != scheduleVersion:
			err = fmt.Errorf("the schedule has version %d, this build reads version %d", record.Version, scheduleVersion)
		default:
			err = s.add(record)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if n == 0 && lines.Err() == nil {
		return nil, errors.New("the schedule is empty")
	}
	return s, lines.Err()
}

func (s *Schedule) add(r Record) error {
	switch {
	case r.Version != 0:
	case r.Table != nil:
		key := tableKey{r.Pool, r.Mature}
		s.tables[key] = scheduled(s.tables[key], r.From, r.Table)
	case r.Alpha > 0 && r.Alpha < 1:
		key := alphaKey{service: r.Service}
		if err := key.signal.UnmarshalText([]byte(r.Signal)); err != nil {
			return err
		}
		s.alphas[key] = scheduled(s.alphas[key], r.From, asPublished(r.Alpha))
	default:
		return errors.New("must have a version, a table, or an alpha between 0 and 1")
	}
	return nil
}

// scheduled adds a version. One that is not after the others replaces those after it.
func scheduled[T any](v versions[T], from int64, value T) versions[T] {
	n := len(v.list)
	for n > 0 && v.list[n-1].from >= from {
		n--
	}
	return versions[T]{list: append(v.list[:n], version[T]{from, value}), fixed: true}
}

// Err returns an error that names services and pools that were looked up and are missing, or nil. There are none without
// a schedule.
func (s *Schedule) Err() error {
	if s == nil || len(s.missing) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(s.missing))
	return fmt.Errorf("the schedule has no tables for %d of the services and pools, such as %q: it must be from the collector that received this data",
		len(names), names[:min(len(names), mostMissing)])
}

// alpha returns the versions of α of a signal in a service, none without a schedule.
func (s *Schedule) alpha(service string, signal Signal) versions[published] {
	if s == nil {
		return versions[published]{}
	}
	v, ok := s.alphas[alphaKey{service, signal}]
	if !ok {
		s.missing["service "+service] = true
		v = scheduled(v, 0, asPublished(1e-9))
	}
	return v
}

// table returns the versions of a table of a pool, none without a schedule.
func (s *Schedule) table(id uint64, mature bool) versions[*calibration.Table] {
	if s == nil {
		return versions[*calibration.Table]{}
	}
	v, ok := s.tables[tableKey{poolName(id), mature}]
	if !ok {
		if id != 0 {
			s.missing["pool "+poolName(id)] = true
		}
		v = scheduled(v, 0, calibration.Identity)
	}
	return v
}
