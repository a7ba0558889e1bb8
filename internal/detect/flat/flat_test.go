// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package flat

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/auspex-otel/auspex/internal/state"
)

// worst passes n draws to the line and returns the greatest surprise, in nats.
func worst(l *Line, n int, draw func() float64) (nats float64) {
	for range n {
		nats = max(nats, l.Observe(draw()))
	}
	return nats
}

// TestStopsMoving verifies that each standstill of a continuous series is detected within 40 points.
func TestStopsMoving(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		var l Line
		if x := worst(&l, 1000, r.NormFloat64); x != 0 {
			t.Fatalf("noise stands still by %g nats", x)
		}
		n := 1
		for l.Observe(7) < -math.Log(1e-6) {
			if n++; n > 40 {
				t.Fatalf("seed %d: not noticed in %d points", seed, n)
			}
		}
		if n <= spare {
			t.Errorf("noticed after %d points, too early to tell", n)
		}
		if x := l.Observe(7.1); x != 0 {
			t.Errorf("%g nats for a series that moves again", x)
		}
	}
}

// TestStopsMovingRounded verifies that occasional repeats of rounded values do not prevent the detection.
func TestStopsMovingRounded(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	var l Line
	draw := func() float64 { return math.Round(3 * r.NormFloat64()) }
	if x := worst(&l, 20000, draw); x != 0 {
		t.Errorf("rounded noise stands still by %g nats", x)
	}
	if x := worst(&l, 60, func() float64 { return 1 }); x < 13.8 {
		t.Errorf("60 times the same are %g nats", x)
	}
}

// TestStandsStillByNature verifies that series that stand still by nature give no surprise.
func TestStandsStillByNature(t *testing.T) {
	const n, day = 1000000, 288 // half a year with a point every 15 s
	var r *rand.Rand
	i := 0
	for name, draw := range map[string]func() float64{
		"a constant":         func() float64 { return 42 },
		"mostly zero counts": func() float64 { return float64(min(1, int(0.02/r.Float64()))) },
		"rare counts":        func() float64 { return float64(min(1, int(0.002/r.Float64()))) },
		"changes once a day": func() float64 { i++; return float64(i / day) },
		"changed once":       func() float64 { i++; return float64(min(1, i/(n/3))) },
	} {
		var l Line
		r, i = rand.New(rand.NewPCG(3, 3)), 0
		if x := worst(&l, n, draw); x > 9.2 {
			t.Errorf("%s: %g nats", name, x)
		}
	}
}

// TestIsBounded verifies that the surprise of a lasting standstill is bounded.
func TestIsBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	var l Line
	worst(&l, 1000, r.NormFloat64)
	prev := 0.0
	for range 500 {
		x := l.Observe(7)
		if x < prev-1e-9 && l.run < 60 || x > enoughNats {
			t.Fatalf("%g nats after %g", x, prev)
		}
		prev = x
	}
	if prev != enoughNats {
		t.Errorf("500 times the same are %g nats, want %d", prev, enoughNats)
	}
}

// TestLongestRunIsRemembered verifies that a long standstill is remembered, and finally forgotten.
func TestLongestRunIsRemembered(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	stop := func() float64 { return 7 }
	var l Line
	worst(&l, 1000, r.NormFloat64)
	worst(&l, 100, stop)
	worst(&l, 1000, r.NormFloat64)
	if x := worst(&l, 100, stop); x > 0 {
		t.Errorf("a second stop as long is %g nats", x)
	}
	worst(&l, 40000, r.NormFloat64)
	if x := worst(&l, 100, stop); x < 13.8 {
		t.Errorf("40,000 points later it is %g nats", x)
	}
}

// TestAccept verifies that an accepted run gives no surprise for any length, and that the next run does.
func TestAccept(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	stop := func() float64 { return 7 }
	var l Line
	worst(&l, 1000, r.NormFloat64)
	if x := worst(&l, 60, stop); x < 13.8 {
		t.Fatalf("60 times the same are %g nats", x)
	}
	l.Accept()
	if x := worst(&l, 1000, stop); x != 0 {
		t.Errorf("an accepted run is %g nats", x)
	}
	if x := worst(&l, 40000, r.NormFloat64); x != 0 {
		t.Errorf("noise after it is %g nats", x)
	}
	if x := worst(&l, 100, stop); x < 13.8 {
		t.Errorf("the next run is %g nats", x)
	}
}

// TestAcceptWhileMoving verifies that Accept of a moving series has no effect beyond the next value.
func TestAcceptWhileMoving(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	var l Line
	worst(&l, 1000, r.NormFloat64)
	l.Accept()
	worst(&l, 1, r.NormFloat64)
	if x := worst(&l, 60, func() float64 { return 7 }); x < 13.8 {
		t.Errorf("60 times the same are %g nats", x)
	}
}

func TestStateRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	var l, again Line
	worst(&l, 500, func() float64 { return math.Round(r.NormFloat64()) })
	c := state.Writer(nil)
	l.State(c)
	whole := c.Bytes()
	c = state.Reader(whole)
	if again.State(c); c.End() != nil || again != l {
		t.Errorf("%v: %+v, want %+v", c.End(), again, l)
	}
	for _, bad := range [][]byte{nil, whole[:len(whole)-1], append(slices.Clip(whole), 0), bytes.Repeat([]byte{0xff}, len(whole)), bytes.Repeat([]byte{0x40}, len(whole))} {
		c = state.Reader(bad)
		if again.State(c); c.End() == nil {
			t.Errorf("%d bytes accepted", len(bad))
		}
	}
}
