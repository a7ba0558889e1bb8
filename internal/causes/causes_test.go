// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package causes

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/trace"
)

// faults maps the faults of the shop to their culprits.
var faults = map[string]string{
	"exception in cart": "cart", "early return in pay": "pay", "slow bank": "bank",
	"network mail": "mail", "network bank": "bank", "busy mail": "mail", "busy bank": "bank",
}

func TestTheCulpritIsNamedFirst(t *testing.T) {
	for fault, culprit := range faults {
		for seed := range uint64(5) {
			s := newShop(seed, fault)
			s.run(askedAt)
			names := s.suspects(askedAt)
			require.NotEmpty(t, names, "%s, seed %d", fault, seed)
			assert.Equal(t, culprit, names[0], "%s, seed %d: %v", fault, seed, names)
		}
	}
}

func TestNoServiceIsBlamedWithoutAFault(t *testing.T) {
	for seed := range uint64(10) {
		s := newShop(seed, "")
		s.run(askedAt)
		for _, x := range s.a.Blame(s.offset+faultAt, s.offset+askedAt, nil) {
			assert.Less(t, x.Score, 10.0, "seed %d: %+v", seed, x)
		}
	}
}

// TestASecondTime verifies that an earlier fault does not become normal: the second time has the same surprise.
func TestASecondTime(t *testing.T) {
	s := newShop(1, "early return in pay")
	s.run(askedAt)
	s.fault = ""
	s.offset += askedAt // three minutes of it, then without the fault
	s.run(faultAt)
	s.fault = "early return in pay"
	s.run(askedAt)
	assert.Equal(t, "pay", s.suspects(askedAt)[0])
}

// TestNamesAndDatesDoNotMatter verifies that names and dates do not affect the result.
func TestNamesAndDatesDoNotMatter(t *testing.T) {
	plain := newShop(3, "early return in pay")
	plain.run(askedAt)
	other := newShop(3, "early return in pay")
	names := map[string]string{"front": "zz", "cart": "b", "pay": "front", "mail": "cart", "bank": "a"}
	back := map[string]string{}
	for from, to := range names {
		back[to] = from
	}
	other.name = func(s string) string {
		if n, ok := names[s]; ok {
			return n
		}
		return s + "!"
	}
	other.offset += 49 * 86400 * second
	other.run(askedAt)
	want, got := plain.a.Blame(plain.offset+faultAt, plain.offset+askedAt, nil), other.a.Blame(other.offset+faultAt, other.offset+askedAt, nil)
	require.Len(t, got, len(want))
	for i := range want {
		assert.Equal(t, want[i].Service, back[got[i].Service])
		assert.InDelta(t, want[i].Score, got[i].Score, 0)
	}
}

// TestNoLookAhead verifies that later data does not change earlier evidence.
func TestNoLookAhead(t *testing.T) {
	a, b := newShop(5, "slow bank"), newShop(5, "slow bank")
	a.run(faultAt + 100*second)
	b.run(askedAt)
	until := faultAt + 60*second
	assert.Equal(t, a.suspects(until), b.suspects(until))
}

func TestStateComesBack(t *testing.T) {
	s := newShop(2, "early return in pay")
	s.run(faultAt - 300*second)
	s.a.Advance(s.offset + faultAt - 60*second)
	b, err := s.a.AppendBinary(nil)
	require.NoError(t, err)
	s.a = New(DefaultConfig())
	require.NoError(t, s.a.UnmarshalBinary(b))
	again, err := s.a.AppendBinary(nil)
	require.NoError(t, err)
	require.Equal(t, b, again)
	s.run(askedAt)
	assert.Equal(t, "pay", s.suspects(askedAt)[0])
	for n := 0; n < len(b); n += 1 + n/20 {
		require.Error(t, s.a.UnmarshalBinary(b[:n]))
	}
	b[0]++
	require.Error(t, s.a.UnmarshalBinary(b))
	assert.Empty(t, s.suspects(askedAt), "nothing is left of a damaged state")
}

func TestWhatRunsWhereAndWhatIsCalled(t *testing.T) {
	a := New(DefaultConfig())
	a.Runs("pay", Place{Pod: "pay-1", Node: "n7", Deployment: "pay"}, 5)
	a.Span(&trace.Span{ID: [8]byte{1}, Service: "pay", Name: "SELECT", Kind: trace.KindClient, Start: 1, End: 9, Peer: trace.Peer{System: "database", Name: "orders"}})
	a.Advance(10) // the end of the batch
	a.Advance(60 * second)
	pay := topology.ID{Kind: topology.Service, Name: "pay"}
	assert.Equal(t, []topology.ID{{Kind: topology.Database, Name: "orders"}}, a.Graph().Related(pay, topology.Database))
	assert.Equal(t, []topology.ID{{Kind: topology.Pod, Name: "pay-1"}}, a.Graph().Related(pay, topology.Pod))
	windows := 0
	a.Windows(func(*trace.Window) { windows++ }, func(*trace.EdgeWindow) {})
	assert.Equal(t, 1, windows)
}

func TestResourcesAreBounded(t *testing.T) {
	r := newResources(32)
	for i := range 200 {
		r.add(resource{"s", string(rune('a' + i)), "cpu"}, 1, int64(i)*meanLength)
	}
	assert.LessOrEqual(t, len(r.order), 32)
	assert.Len(t, r.index, len(r.order))
	for i := range 2 * maxMeans {
		r.add(resource{"s", "x", "cpu"}, 1, int64(1000+i)*meanLength)
	}
	assert.Len(t, r.index[resource{"s", "x", "cpu"}].means, maxMeans)
}

func TestConfig(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	assert.Error(t, Config{}.Validate())
}

// FuzzState verifies that a damaged state is rejected or gives an accumulator that works.
func FuzzState(f *testing.F) {
	s := newShop(1, "")
	s.run(30 * second)
	b, err := s.a.AppendBinary(nil)
	require.NoError(f, err)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		a := New(DefaultConfig())
		if a.UnmarshalBinary(b) != nil {
			return
		}
		again, err := a.AppendBinary(nil)
		require.NoError(t, err)
		assert.Equal(t, b, again)
		a.Use("s", "i", "cpu", 1, 5*second)
		a.Blame(0, 60*second, nil)
	})
}
