// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/state"
)

// learned returns a tracker that has observed ten minutes of requests.
func learned(cfg Config) *Tracker {
	t := New(cfg)
	for second := int64(0); second < 600; second += 5 {
		for _, s := range requests(4, 1e18+second*1e9) {
			t.Observe(&s)
		}
		t.Line("front", uint64(second%3), 1e18+second*1e9)
		t.Advance(1e18 + second*1e9)
	}
	return t
}

func small() Config { return Config{Operations: 40, Edges: 20, Spans: 512, Hold: time.Second} }

func TestStateComesBack(t *testing.T) {
	a := learned(small())
	a.Advance(1e18 + 1000*1e9) // the saved state excludes what is not learned yet
	b, err := a.AppendBinary([]byte("before"))
	require.NoError(t, err)
	restored := New(small())
	require.NoError(t, restored.UnmarshalBinary(b[6:]))
	again, err := restored.AppendBinary(nil)
	require.NoError(t, err)
	require.Equal(t, b[6:], again)
	// From here on both get the same spans and must return the same findings.
	findings := func(t *Tracker) (list []Finding) {
		from := int64(1e18 + 1200*1e9)
		for _, s := range requests(20, from) {
			s.End += 5e8
			t.Observe(&s)
		}
		t.join.settle(t.finishing)
		t.Findings(from, from+60e9, func(f *Finding) { list = append(list, *f) })
		return list
	}
	want := findings(a)
	require.NotEmpty(t, want)
	assert.Equal(t, want, findings(restored))
}

func TestDamagedState(t *testing.T) {
	b, err := learned(small()).AppendBinary(nil)
	require.NoError(t, err)
	tr := New(small())
	for n := 0; n < len(b); n += 1 + n/50 {
		require.Error(t, tr.UnmarshalBinary(b[:n]), "cut after %d bytes", n)
	}
	require.Error(t, tr.UnmarshalBinary(append(b, 0)))
	b[0]++
	require.Error(t, tr.UnmarshalBinary(b), "another version")
	assert.Zero(t, tr.Status().Operations, "nothing is left of a damaged state")
}

// saved returns the complete state of a tracker.
func saved(t *Tracker) []byte {
	c := state.Writer(nil)
	c.SetComplete(true)
	t.State(c)
	return c.Bytes()
}

// restored returns a tracker with a complete state.
func restored(b []byte) (*Tracker, error) {
	t, c := New(small()), state.Reader(b)
	c.SetComplete(true)
	t.State(c)
	return t, c.End()
}

// TestCompleteStateContinues verifies that a tracker that is stored and restored at any time has the same windows,
// calls, and findings. Its bounds are so small that operations and spans are removed.
func TestCompleteStateContinues(t *testing.T) {
	results := func(tr *Tracker) (list []any) {
		tr.Drain(func(w *Window) { list = append(list, *w) }, func(w *EdgeWindow) { list = append(list, *w) })
		tr.Calls(func(c Call) { list = append(list, c) }, func(op Operation, p Peer, n uint64, used int64) { list = append(list, op, p, n, used) })
		tr.Findings(tr.now-60e9, tr.now, func(f *Finding) { list = append(list, *f) })
		return list
	}
	cfg := small()
	cfg.Spans = 60
	whole, parts := New(cfg), New(cfg)
	findings := 0
	for second := int64(0); second < 900; second += 3 {
		at := int64(1e18) + second*1e9
		batch := requests(3, at)
		for i := range batch {
			if second > 700 {
				batch[i].End += 5e8
			}
			if second%60 == 0 && i%9 == 0 {
				batch[i].Name = fmt.Sprint("GET /", second, i)
			}
		}
		for _, tr := range []*Tracker{whole, parts} {
			for i := range batch[:len(batch)-int(second)%4] {
				tr.Observe(&batch[i])
				tr.Log(batch[i].Trace, batch[i].ID, uint64(i%5), at)
			}
			tr.Line("front", uint64(second%7), at)
			if second%2 == 0 {
				tr.Advance(at)
			}
		}
		if second%9 == 0 {
			c := state.Writer(nil)
			c.SetComplete(true)
			parts.State(c)
			r := state.Reader(c.Bytes())
			r.SetComplete(true)
			parts = New(cfg)
			parts.State(r)
			require.NoError(t, r.End(), "second %d", second)
		}
		if second%5 == 0 {
			want := results(whole)
			require.Equal(t, want, results(parts), "second %d", second)
			findings += len(want)
		}
	}
	assert.NotZero(t, findings)
	assert.NotZero(t, whole.status.Forgotten)
}

func TestDamagedCompleteState(t *testing.T) {
	b := saved(learned(small()))
	_, err := restored(b)
	require.NoError(t, err)
	for n := 0; n < len(b); n += 1 + n/50 {
		tr, err := restored(b[:n])
		require.Error(t, err, "cut after %d bytes", n)
		assert.Zero(t, tr.Status().Waiting)
	}
}

// FuzzState verifies that a damaged state is rejected or gives a tracker that works within its bounds.
func FuzzState(f *testing.F) {
	b, err := learned(small()).AppendBinary(nil)
	require.NoError(f, err)
	f.Add(b, false)
	f.Add(b[:len(b)/2], false)
	f.Add(saved(learned(small())), true)
	f.Fuzz(func(t *testing.T, b []byte, complete bool) {
		tr, c := New(small()), state.Reader(b)
		c.SetComplete(complete)
		if tr.State(c); c.End() != nil {
			return
		}
		if !complete {
			again, err := tr.AppendBinary(nil)
			require.NoError(t, err)
			assert.Equal(t, b, again)
		}
		for _, s := range requests(2, 1e18) {
			tr.Observe(&s)
		}
		tr.Advance(1e18 + 60e9)
		tr.Drain(func(w *Window) { w.Duration.Quantile(0.5) }, func(w *EdgeWindow) { w.Network.Quantile(0.5) })
		tr.Calls(func(Call) {}, func(Operation, Peer, uint64, int64) {})
		tr.join.settle(tr.finishing)
		tr.Findings(1e18, 1e18+60e9, func(f *Finding) { assert.False(t, math.IsNaN(f.Surprise), "%+v", f) })
	})
}

func TestConfig(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	for _, change := range []func(*Config){
		func(c *Config) { c.Operations = 0 }, func(c *Config) { c.Edges = 0 }, func(c *Config) { c.Spans = 1 }, func(c *Config) { c.Hold = -1 },
	} {
		cfg := DefaultConfig()
		change(&cfg)
		assert.Error(t, cfg.Validate())
	}
}

// TestAnyOrder verifies that all orders of the spans in a batch give the same result.
func TestAnyOrder(t *testing.T) {
	ways := func(step int) (sum map[string]float64) {
		tr := New(DefaultConfig())
		batch := requests(16, 1e18)
		for i := range batch {
			tr.Observe(&batch[i*step%len(batch)])
		}
		tr.join.settle(tr.finishing)
		sum = map[string]float64{}
		for _, o := range tr.operations {
			self, w := o.between(tr.learned, slotOf(tr.now)+1)
			sum[o.Service+" "+o.Name] = float64(len(w.list))*1e6 + w.n*1e3 + self.n
		}
		return sum
	}
	straight := ways(1)
	require.Len(t, straight, 16)
	for _, step := range []int{3, 7, 255} { // all coprime to the 256 spans
		assert.Equal(t, straight, ways(step))
	}
}
