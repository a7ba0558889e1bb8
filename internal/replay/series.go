// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/state"
)

// Outcome says what became of a value.
type Outcome uint8

// The outcomes of Series.Observe.
const (
	Evaluated Outcome = iota // it has a verdict
	WarmingUp                // the series has too few values for a verdict
	Late                     // its time is before that of the latest value
	Duplicate                // its time is that of a recent value
)

// remembered is the number of batches within which the engine treats a value at the same time as a resend.
const remembered = engine.RecentBatches

// Series is an engine with a single series.
type Series struct {
	engine  *engine.Engine
	store   store
	batch   pmetric.Metrics // of one data point
	point   pmetric.NumberDataPoint
	now     int64 // the engine's clock
	latest  int64 // time of the last judged value
	highest int64
	times   [remembered]int64 // of the latest values, a ring
	seen    uint64
}

// NewSeries returns a series without values.
func NewSeries(cfg engine.Config) *Series {
	s := newSeries()
	s.engine = s.store.engine(cfg, time.Time{})
	return s
}

func newSeries() *Series {
	s := &Series{store: newStore(), batch: pmetric.NewMetrics()}
	m := s.batch.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("value")
	s.point = m.SetEmptyGauge().DataPoints().AppendEmpty()
	return s
}

// Observe passes a finite value at a time, in nanoseconds since the Unix epoch, to the engine. The verdict is empty
// unless the outcome is Evaluated. A late value has a verdict only after the engine has returned to the earlier time.
func (s *Series) Observe(t int64, v float64) (engine.Verdict, Outcome) {
	late := s.seen > 0 && t <= s.latest
	if s.seen > 0 && t <= s.highest && slices.Contains(s.times[:min(s.seen, remembered)], t) {
		return engine.Verdict{}, Duplicate
	}
	s.highest = max(s.highest, t)
	s.times[s.seen%remembered] = t
	s.seen++
	s.point.SetTimestamp(pcommon.Timestamp(t))
	s.point.SetDoubleValue(v)
	if !late { // a collector's clock does not go back
		s.now = t
		s.engine.Tick(time.Unix(0, t))
	}
	verdicts := s.engine.ObserveMetrics(s.batch, everything)
	switch {
	case len(verdicts) > 0:
		s.latest = t
		return verdicts[0], Evaluated
	case late:
		return engine.Verdict{}, Late
	default:
		s.latest = t
		return engine.Verdict{}, WarmingUp
	}
}

// FalseAlarms returns the openings per week that the engine accepts in a series without a fault: its α per decision,
// times the openings per exceedance, times the values per week.
func (s *Series) FalseAlarms() float64 {
	status := s.engine.Status().Signals[engine.SignalMetrics]
	return 7 * float64(status.DecisionsPerDay) * status.Alpha * status.Theta
}

// seriesVersion is the version of the state of a series, without that of the engine's snapshot in it.
const seriesVersion = 1

// Save returns the whole state, which begins with a version byte.
func (s *Series) Save() ([]byte, error) {
	c := state.Writer([]byte{seriesVersion})
	times := packTimes(s.ring())
	s.fields(c, &times)
	if err := s.store.save(c, s.engine, time.Unix(0, s.now)); err != nil {
		return nil, err
	}
	return c.Bytes(), nil
}

// LoadSeries returns the series that continues from a state, to the bit. cfg must be the configuration of the series
// that was saved.
func LoadSeries(cfg engine.Config, b []byte) (*Series, error) {
	c, err := begin(b, seriesVersion)
	if err != nil {
		return nil, err
	}
	s, times := newSeries(), ""
	s.fields(c, &times)
	ring, ok := unpackTimes(times)
	if !ok || !c.Ok() || uint64(len(ring)) != min(s.seen, remembered) {
		return nil, state.Error
	}
	for i, t := range ring {
		s.times[(s.seen-uint64(len(ring)-i))%remembered] = t
	}
	if s.engine, err = s.store.load(c, cfg, time.Unix(0, s.now)); err != nil {
		return nil, err
	}
	return s, c.End()
}

// begin checks the version of a state.
func begin(b []byte, version byte) (*state.Codec, error) {
	switch {
	case len(b) == 0:
		return nil, state.Error
	case b[0] != version:
		return nil, fmt.Errorf("the state has version %d, this build reads version %d", b[0], version)
	}
	return state.Reader(b[1:]), nil
}

func (s *Series) fields(c *state.Codec, times *string) {
	c.Int64(&s.now)
	c.Int64(&s.latest)
	c.Int64(&s.highest)
	c.Uint64(&s.seen)
	c.String(times)
}

// ring returns the remembered times, the latest last.
func (s *Series) ring() []int64 {
	n := min(s.seen, remembered)
	list := make([]int64, 0, n)
	for i := s.seen - n; i < s.seen; i++ {
		list = append(list, s.times[i%remembered])
	}
	return list
}

// packTimes writes the differences between adjacent gaps, which take one byte each at a constant cadence.
func packTimes(list []int64) string {
	var b []byte
	var last, gap int64
	for _, t := range list {
		b = binary.AppendVarint(b, t-last-gap)
		last, gap = t, t-last
	}
	return string(b)
}

func unpackTimes(text string) (list []int64, ok bool) {
	b := []byte(text)
	var last, gap int64
	for len(b) > 0 {
		change, n := binary.Varint(b)
		if n <= 0 {
			return nil, false
		}
		gap += change
		last += gap
		list, b = append(list, last), b[n:]
	}
	return list, true
}
