// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"errors"
	"time"
)

// Kind is a span's kind, numbered as in OTLP.
type Kind uint8

// Kinds of spans.
const (
	KindUnspecified Kind = iota
	KindInternal
	KindServer
	KindClient
	KindProducer
	KindConsumer
)

// Peer is the callee of a span according to its attributes. The zero value means unknown.
type Peer struct {
	System string // database, queue or external
	Name   string
}

// Span is one finished span. Times are nanoseconds since 1970.
type Span struct {
	Trace      [16]byte
	ID, Parent [8]byte
	Service    string
	Name       string
	Kind       Kind
	Error      bool
	Start, End int64
	Peer       Peer
}

// Operation is the key by which spans are counted.
type Operation struct {
	Service, Name string
	Kind          Kind
}

// Config bounds a Tracker.
type Config struct {
	// Operations and Edges bound the learned ones. Those unused longest are removed.
	Operations int
	Edges      int
	// Spans is the greatest number of spans in the join.
	Spans int
	// Hold is the time for which the join waits for the children of a span, in event time.
	Hold time.Duration
}

// DefaultConfig returns bounds that are suitable for a gateway.
func DefaultConfig() Config {
	return Config{Operations: 4096, Edges: 8192, Spans: 1 << 17, Hold: 15 * time.Second}
}

// Validate returns an error for values out of range.
func (c Config) Validate() error {
	switch {
	case c.Operations < 1:
		return errors.New("operations must be at least 1")
	case c.Edges < 1:
		return errors.New("edges must be at least 1")
	case c.Spans < 2:
		return errors.New("spans must be at least 2")
	case c.Hold < 0:
		return errors.New("hold must not be negative")
	}
	return nil
}

// Time grid. The baseline learns whole windows. A slot is the resolution of start times.
const (
	slotLength    = int64(10 * time.Second)
	windowSlots   = 6
	lagSlots      = 24 // the baseline learns four minutes late: what is asked about is not in it
	ringSlots     = lagSlots + windowSlots
	forgetWindows = 480 // after these many windows, what was learned counts half
)

func slotOf(t int64) int64 {
	s := t / slotLength
	if t < 0 && t%slotLength != 0 {
		s--
	}
	return s
}
