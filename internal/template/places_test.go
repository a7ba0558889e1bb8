// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package template

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/auspex-otel/auspex/internal/state"
)

// TestCompleteStateContinues verifies that a miner that is stored and restored at any time has the same matches and
// keeps the same templates, at the same places. Its bound is so small that templates are evicted.
func TestCompleteStateContinues(t *testing.T) {
	words := []string{"alpha", "beta", "gamma", "delta", "kappa", "omega", "sigma", "zeta", "theta", "iota"}
	random := rand.New(rand.NewPCG(5, 5))
	cfg := DefaultConfig()
	cfg.MaxTemplates = 100
	whole, parts := New(cfg), New(cfg)
	for i := range 6000 {
		line := fmt.Sprintf("user %s opened %s after %d ms", words[random.IntN(10)], words[random.IntN(10)], i)
		if i%3 == 0 {
			line = fmt.Sprintf("%s %s %s failed: %s%d", words[random.IntN(10)], words[random.IntN(10)], words[random.IntN(10)], words[i%7], random.IntN(50))
		}
		service := words[i%2]
		if want, got := whole.Observe(service, line), parts.Observe(service, line); got != want {
			t.Fatalf("line %d: got %+v, want %+v", i, got, want)
		}
		if i%7 != 0 {
			continue
		}
		b := complete(parts)
		if want := complete(whole); !bytes.Equal(b, want) {
			t.Fatalf("line %d: the states differ", i)
		}
		c := state.Reader(b)
		c.SetComplete(true)
		parts = New(cfg)
		if parts.State(c); c.End() != nil {
			t.Fatalf("line %d: %v", i, c.End())
		}
	}
	if s := whole.Stats(); s.Evicted == 0 || len(whole.nodes) <= s.Templates {
		t.Errorf("the test evicts or merges nothing: %+v", s)
	}
}

// complete returns the complete state.
func complete(m *Miner) []byte {
	c := state.Writer(nil)
	c.SetComplete(true)
	m.State(c)
	return c.Bytes()
}

func TestPlacesThatContradictAreRejected(t *testing.T) {
	m := New(DefaultConfig())
	m.Observe("s", "one line")
	m.Observe("s", "another one, which is longer")
	b := complete(m)
	for _, last := range []byte{0, 2, 255} {
		c := state.Reader(append(bytes.Clone(b[:len(b)-8]), last, 0, 0, 0, 0, 0, 0, 0))
		c.SetComplete(true)
		if New(DefaultConfig()).State(c); !errors.Is(c.End(), state.Error) {
			t.Errorf("the last place %d is accepted", last)
		}
	}
}
