// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/peertest"
)

// The clock starts with the first piece, so that its data does not count as too old at the second.
func TestTheFirstPieceIsKept(t *testing.T) {
	s := NewShard(engine.DefaultConfig(), Hooks{Findings: func(engine.Events) {}})
	begin := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for i := range 2 {
		require.NoError(t, s.piece(&piece{due: begin.Add(time.Duration(i) * time.Minute).UnixNano(), signal: SignalMetrics, metrics: gauge(begin.Add(time.Duration(i)*time.Minute), 1), points: 1}))
	}
	assert.Zero(t, s.Engine().Status().Evicted)
}

func gauge(at time.Time, v float64) pmetric.Metrics {
	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("m")
	p := m.SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetDoubleValue(v)
	p.SetTimestamp(pcommon.NewTimestampFromTime(at))
	return md
}

// findings holds the last state of each finding, and the number of verdicts.
type findings struct {
	last     map[string]string
	verdicts []string
}

func (f *findings) hooks(t *testing.T) Hooks {
	f.last = map[string]string{}
	put := func(id string, v any) {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		f.last[id] = string(b)
	}
	return Hooks{
		Findings: func(events engine.Events) {
			for _, a := range events.Anomalies {
				put(a.ID, a)
			}
			for _, i := range events.Incidents {
				put(i.ID, i)
			}
		},
		Verdicts: func(_ pmetric.Metrics, list []engine.Verdict) error {
			for _, v := range list {
				f.verdicts = append(f.verdicts, fmt.Sprintf("%+v", v))
			}
			return nil
		},
	}
}

func (f *findings) sorted() []string { return slices.Sorted(maps.Values(f.last)) }

// recording returns the batches of testdata, in which a service has a fault, and those of a gauge, in the order of
// their times.
func recording(t *testing.T) (list []Batch) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(peertest.TestData(t, "otlp", "recording"), "*"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			x, err := Decode([]byte(strings.TrimSpace(line)))
			require.NoError(t, err)
			list = append(list, x)
		}
	}
	begin := time.Unix(0, list[0].Earliest)
	for i := range 360 { // enough points for verdicts
		x := Batch{Metrics: gauge(begin.Add(time.Duration(i)*5*time.Second), float64(i*7919%101))}
		x.measure()
		list = append(list, x)
	}
	slices.SortStableFunc(list, func(a, b Batch) int { return int(a.Earliest - b.Earliest) })
	return list
}

// A shard that is stored after any batch continues to the bit, with respect to verdicts.
func TestShardContinuesFromItsState(t *testing.T) {
	var whole findings
	s := NewShard(engine.DefaultConfig(), whole.hooks(t))
	for _, x := range recording(t) {
		require.NoError(t, s.AddNext(x))
	}
	require.NoError(t, s.End())
	require.NotEmpty(t, whole.last)
	require.NotEmpty(t, whole.verdicts)

	var parts findings
	hooks := parts.hooks(t)
	s = NewShard(engine.DefaultConfig(), hooks)
	waiting := 0
	for i, x := range recording(t) {
		require.NoError(t, s.AddNext(x))
		if i%7 != 0 {
			continue
		}
		waiting += s.pieces.Len()
		b, err := s.Save()
		require.NoError(t, err)
		s, err = LoadShard(engine.DefaultConfig(), hooks, b)
		require.NoError(t, err)
		again, err := s.Save()
		require.NoError(t, err)
		require.Equal(t, len(b), len(again), "the state does not grow")
	}
	require.NoError(t, s.End())
	assert.NotZero(t, waiting, "records wait when the state is stored")
	assert.Len(t, parts.verdicts, len(whole.verdicts))
}

func TestSeriesContinuesFromItsState(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC).UnixNano()
	whole, parts := NewSeries(engine.DefaultConfig()), NewSeries(engine.DefaultConfig())
	outcomes := map[Outcome]int{}
	openings := 0
	for i := range 3000 {
		at += int64(time.Minute)
		v, when := random.NormFloat64(), at
		switch {
		case i%500 > 480:
			v += 20
		case i%97 == 96:
			when = at - 2*int64(time.Minute) // a repeated time
		case i%89 == 88:
			when = at - 5*int64(time.Second) - 3*int64(time.Minute)
		}
		want, outcome := whole.Observe(when, v)
		got, outcome2 := parts.Observe(when, v)
		require.Equal(t, fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", got), "point %d", i)
		require.Equal(t, outcome, outcome2)
		outcomes[outcome]++
		if want.Opening >= 1 {
			openings++
		}
		if i%13 == 0 || i > 2900 {
			b, err := parts.Save()
			require.NoError(t, err)
			parts, err = LoadSeries(engine.DefaultConfig(), b)
			require.NoError(t, err)
		}
	}
	assert.Equal(t, whole.FalseAlarms(), parts.FalseAlarms())
	assert.NotZero(t, openings)
	for _, o := range []Outcome{Evaluated, WarmingUp, Late, Duplicate} {
		assert.NotZero(t, outcomes[o], "outcome %d", o)
	}
}

func TestStatesThatCannotBeRestored(t *testing.T) {
	s := NewSeries(engine.DefaultConfig())
	for i := range int64(10) {
		s.Observe((1+i)*int64(time.Minute), float64(i))
	}
	b, err := s.Save()
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		state []byte
		want  string
	}{
		"empty":           {nil, "not a valid state"},
		"another version": {append([]byte{9}, b[1:]...), "the state has version 9, this build reads version 1"},
		"cut":             {b[:len(b)-1], "not a valid state"},
		"cut early":       {b[:20], "not a valid state"},
		"longer":          {append(slices.Clone(b), 0), "not a valid state"},
		"damaged":         {damaged(b), "not a valid state"},
	} {
		_, err := LoadSeries(engine.DefaultConfig(), tt.state)
		assert.ErrorContains(t, err, tt.want, name)
	}
	_, err = LoadShard(engine.DefaultConfig(), Hooks{}, []byte{2})
	assert.ErrorContains(t, err, "the state has version 2, this build reads version 1")
}

// damaged returns a copy with another byte within the snapshot of the engine.
func damaged(b []byte) []byte {
	b = slices.Clone(b)
	b[len(b)-len(b)/3] ^= 1
	return b
}
