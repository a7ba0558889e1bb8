// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

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

// findings holds the results of a shard: every update of a finding in the order of delivery, the last state of each,
// and the verdicts.
type findings struct {
	updates  []string
	last     map[string]string
	verdicts []string
}

func (f *findings) hooks(t *testing.T) Hooks {
	t.Helper()
	f.last = map[string]string{}
	put := func(id string, v any) {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		f.updates, f.last[id] = append(f.updates, string(b)), string(b)
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

// run passes batches to a shard, which is stored and replaced by the stored one after the batches for which save returns
// true. It returns the number of pieces that waited at these times.
func run(t *testing.T, batches []Batch, f *findings, save func(i int) bool) (waiting int) {
	t.Helper()
	hooks := f.hooks(t)
	s := NewShard(engine.DefaultConfig(), hooks)
	for i, x := range batches {
		require.NoError(t, s.AddNext(copied(x)))
		if !save(i) {
			continue
		}
		waiting += s.pieces.Len()
		b, err := s.Save()
		require.NoError(t, err)
		want, err := s.Save() // of the next generation, as below
		require.NoError(t, err)
		s, err = LoadShard(engine.DefaultConfig(), hooks, b)
		require.NoError(t, err, "after batch %d", i)
		got, err := s.Save()
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), "the state after batch %d differs after loading: %d and %d bytes", i, len(want), len(got))
	}
	require.NoError(t, s.End())
	return waiting
}

// copied returns a copy of a batch of spans or log records, because a shard divides these.
func copied(x Batch) Batch {
	switch x.Signal {
	case SignalLogs:
		ld := plog.NewLogs()
		x.Logs.CopyTo(ld)
		x.Logs = ld
	case SignalTraces:
		td := ptrace.NewTraces()
		x.Traces.CopyTo(td)
		x.Traces = td
	default:
	}
	return x
}

// same verifies that the results are equal to the byte.
func (f *findings) same(t *testing.T, got *findings, name string) {
	t.Helper()
	for i, want := range f.updates {
		if i >= len(got.updates) || got.updates[i] != want {
			require.Equal(t, want, strings.Join(got.updates[i:min(i+1, len(got.updates))], ""), "%s: update %d", name, i)
		}
	}
	require.Len(t, got.updates, len(f.updates), name)
	for i, want := range f.verdicts {
		if i >= len(got.verdicts) || got.verdicts[i] != want {
			require.Equal(t, want, strings.Join(got.verdicts[i:min(i+1, len(got.verdicts))], ""), "%s: verdict %d", name, i)
		}
	}
	require.Len(t, got.verdicts, len(f.verdicts), name)
}

func never(int) bool { return false }

// A shard that is stored after any batch has the same results, to the byte, as one that is not.
func TestShardContinuesFromItsState(t *testing.T) {
	batches := recording(t)
	var whole findings
	run(t, batches, &whole, never)
	require.NotEmpty(t, whole.last)
	require.NotEmpty(t, whole.verdicts)

	var parts findings
	waiting := run(t, batches, &parts, func(i int) bool { return i%7 == 0 })
	assert.NotZero(t, waiting, "records wait when the state is stored")
	whole.same(t, &parts, "after every 7th batch")
	for k := 1; k < len(batches); k += len(batches)/8 + 1 {
		var once findings
		run(t, batches, &once, func(i int) bool { return i == k })
		whole.same(t, &once, fmt.Sprintf("after batch %d of %d", k, len(batches)))
	}
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
