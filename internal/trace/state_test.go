// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

// FuzzState verifies that a damaged state is rejected or gives a tracker that works within its bounds.
func FuzzState(f *testing.F) {
	b, err := learned(small()).AppendBinary(nil)
	require.NoError(f, err)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		tr := New(small())
		if tr.UnmarshalBinary(b) != nil {
			assert.Zero(t, tr.Status().Operations)
			return
		}
		again, err := tr.AppendBinary(nil)
		require.NoError(t, err)
		assert.Equal(t, b, again)
		for _, s := range requests(2, 1e18) {
			tr.Observe(&s)
		}
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
