// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package tap

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"

	"github.com/auspex-otel/auspex/internal/mask"
)

const (
	// MaxRecords bounds the records of one tap.
	MaxRecords = 50
	// maxBytes bounds the text of all records of one tap.
	maxBytes = 64 << 10
	// maxOpen bounds the taps that are open at once, of all clients.
	maxOpen = 4
)

var (
	// ErrNoPoint is returned for a place where no component offers a tap.
	ErrNoPoint = errors.New("no component can be tapped there")
	// ErrTooMany is returned while as many taps are open as permitted.
	ErrTooMany = errors.New("too many taps are open")
)

// Place identifies what can be tapped. Instances of a component in several pipelines of one signal share a place.
type Place struct {
	// Kind is receiver or processor, Signal is logs, metrics, or traces.
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	Signal string `json:"signal"`
}

// Taps holds the points of one collector. Its methods are safe for concurrent use.
type Taps struct {
	masker atomic.Pointer[mask.Masker]
	mu     sync.Mutex
	points map[Place]*Point
	open   int
}

// New returns taps that hide what mask.Default hides.
func New() *Taps {
	t := &Taps{points: map[Place]*Point{}}
	t.SetMask(mask.Default())
	return t
}

// SetMask replaces what hides secrets.
func (t *Taps) SetMask(m *mask.Masker) { t.masker.Store(m) }

// Provider is implemented by the extension that shows taps.
type Provider interface {
	// Taps returns the same taps from the extension's creation to its end.
	Taps() *Taps
}

// Find returns the point of a component, which the first extension by id that provides
// taps gets to know. It returns nil, which takes nothing, if the host has no such extension.
func Find(host component.Host, kind component.Kind, id component.ID, signal string) *Point {
	var found Provider
	var first component.ID
	for id, ext := range host.GetExtensions() {
		if p, ok := ext.(Provider); ok && (found == nil || id.String() < first.String()) {
			found, first = p, id
		}
	}
	if found == nil {
		return nil
	}
	return found.Taps().point(Place{strings.ToLower(kind.String()), id.String(), signal})
}

func (t *Taps) point(at Place) *Point {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.points[at]
	if p == nil {
		p = &Point{}
		t.points[at] = p
	}
	return p
}

// Places lists what can be tapped, by kind, id, and signal.
func (t *Taps) Places() []Place {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]Place, 0, len(t.points))
	for at := range t.points {
		list = append(list, at)
	}
	slices.SortFunc(list, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Signal, b.Signal))
	})
	return list
}

// Open opens a tap for at most MaxRecords records. The caller must close it.
func (t *Taps) Open(at Place, records int) (*Tap, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.points[at]
	if p == nil {
		return nil, ErrNoPoint
	}
	if t.open >= maxOpen {
		return nil, ErrTooMany
	}
	t.open++
	tap := &Tap{taps: t, point: p, left: min(records, MaxRecords), room: maxBytes, masker: t.masker.Load(), full: make(chan struct{})}
	p.add(tap)
	return tap, nil
}

// Tap collects the next records of one point.
type Tap struct {
	taps   *Taps
	point  *Point
	masker *mask.Masker
	full   chan struct{} // closed when there is no room for another record

	// The point's lock guards what follows.
	records    []Record
	left, room int
}

// Full returns a channel that is closed when the tap has as many records or bytes as it may have.
func (t *Tap) Full() <-chan struct{} { return t.full }

// Close closes the tap and returns its records, the oldest first. Call it once.
func (t *Tap) Close() []Record {
	t.point.remove(t)
	t.taps.mu.Lock()
	defer t.taps.mu.Unlock()
	t.taps.open--
	return t.records
}

// take adds a record, and reports whether there is room for another one.
func (t *Tap) take(r Record) bool {
	t.room -= r.size()
	if t.room < 0 && len(t.records) > 0 {
		t.left = 0
	} else {
		t.records = append(t.records, r)
		t.left--
	}
	if t.left > 0 && t.room > 0 {
		return true
	}
	close(t.full)
	return false
}

// Point takes the batches of a component. A nil point takes nothing.
type Point struct {
	open atomic.Int32
	mu   sync.Mutex
	taps []*Tap
}

func (p *Point) add(t *Tap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taps = append(p.taps, t)
	p.open.Store(int32(len(p.taps)))
}

func (p *Point) remove(t *Tap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taps = slices.DeleteFunc(p.taps, func(of *Tap) bool { return of == t })
	p.open.Store(int32(len(p.taps)))
}

// idle reports whether no tap is open.
func (p *Point) idle() bool { return p == nil || p.open.Load() == 0 }

// offer hands the records of a batch to every open tap, and forgets those that are full.
func (p *Point) offer(records func(*mask.Masker, func(Record) bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taps = slices.DeleteFunc(p.taps, func(t *Tap) bool {
		full := false
		records(t.masker, func(r Record) bool {
			full = !t.take(r)
			return !full
		})
		return full
	})
	p.open.Store(int32(len(p.taps)))
}
