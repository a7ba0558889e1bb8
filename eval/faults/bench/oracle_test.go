// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"io"
	"math"
	"strings"
	"testing"
)

// TestLimitsOfRecall verifies that the oracle finds more than any baseline, the random control almost nothing, and
// flagging every point nothing.
func TestLimitsOfRecall(t *testing.T) {
	text := strings.Replace(small, `"spike", "level up", "silence"`, `"spike", "level up", "level down", "slow leak", "variance up", "flat line", "silence"`, 1)
	sp, err := parseSpec([]byte(strings.Replace(text, `"phi": [0.3]`, `"phi": [0, 0.9]`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	all, _, err := figuresOf(sp, others, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	top, bound := best(ofRole(all, baseline)), ofRole(all, limit)[0]
	if !(bound.macro > top.macro+0.1) || !(bound.macro > 0.8) {
		t.Errorf("%s %.3f, best baseline %s %.3f", bound.name, bound.macro, top.name, top.macro)
	}
	for _, f := range ofRole(all, control) {
		if f.macro > 0.05 {
			t.Errorf("%s finds %.3f", f.name, f.macro)
		}
	}
	// The oracle and the controls never count as baselines.
	var out strings.Builder
	ofRole(all, control)[0].macro = 1
	judge(&out, sp, append([]*figures{{name: "p", families: all[0].families}}, all...))
	if !strings.Contains(out.String(), "best baseline "+top.name+" ") || strings.Contains(out.String(), "best baseline oracle") || strings.Contains(out.String(), "best baseline random") {
		t.Errorf("another best baseline than %s in\n%s", top.name, out.String())
	}
}

// TestRandomFindsByChance: a random detector with a tenth of an opening per series-week finds a fault of 120 slots of
// five minutes, .06 weeks, with a probability of .006.
func TestRandomFindsByChance(t *testing.T) {
	sp := specOf("rate", nil)
	sp.Series, sp.Days, sp.Faults, sp.Decoys, sp.Events, sp.Sizes = 200, 14, []string{"level up"}, nil, 8, []float64{8}
	all, _, err := figuresOf(sp, []detectorKind{others[len(others)-2]}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "recall", all[0].macro, 0.1*120*300/(7*86400), 0.006)
	near(t, "openings", all[0].rate, 0.1, 0.006)
}

// TestBelow compares with tables: Φ(1.96) = .975, and Student's t at its 97.5 % points for 3, 4, 5, and 10 degrees of
// freedom.
func TestBelow(t *testing.T) {
	near(t, "normal", (&series{}).below(1.959964), 0.975, 1e-6)
	for tail, x := range map[float64]float64{3: 3.182446, 4: 2.776445, 5: 2.570582, 10: 2.228139} {
		s := &series{tail: tail}
		e := x * math.Sqrt((tail-2)/tail) // scaled to variance 1
		near(t, "t", s.below(e), 0.975, 1e-6)
		near(t, "t, lower", s.below(-e), 0.025, 1e-6)
		sum, step := 0.0, 0.001
		for e := -200.0; e < 200; e += step {
			sum += step * math.Exp(s.logDensity(e)+s.constant())
		}
		near(t, "density", sum, 1, 1e-4)
	}
}

// TestRatioOfNormal: for white normal noise and a point at 3 σ, the ratio of a shift of 4 σ is 4·3 − 4²/2 = 4, and
// that of a gain of 2 is 9/2·(1−1/4) − ln 2.
func TestRatioOfNormal(t *testing.T) {
	s := draw(specOf("rate", nil), 0)
	e := evidenceOf(s)
	e.see(0, s.center[0])
	e.keep()
	if !e.see(1, s.center[1]+3*s.sigma) {
		t.Fatal("nothing said")
	}
	near(t, "shift", e.ratio(4, 0, 1), 4, 1e-9)
	near(t, "gain", e.ratio(0, 0, 2), 4.5*0.75-math.Ln2, 1e-9)
}

// TestRatioOfAR: φ = .5 and the last residual is 2, so 1 is expected. A shift that began before the last point moves
// it by 4·(1−.5).
func TestRatioOfAR(t *testing.T) {
	s := draw(specOf("rate", func(o *options) { o.Phi = []float64{0.5} }), 0)
	e := evidenceOf(s)
	e.see(0, s.center[0]+2*s.sigma)
	e.keep()
	e.see(1, s.center[1]+3*s.sigma)
	near(t, "starts", e.ratio(4, 0, 1), 0, 1e-9)
	near(t, "goes on", e.ratio(4, 4, 1), 2.0, 1e-9)
}

// TestRatioOfCounts: for a count of 3 with .5 expected, the ratio is ln of Poisson(.5+4·√.5) over Poisson(.5).
func TestRatioOfCounts(t *testing.T) {
	s := draw(specOf("counter", nil), 0)
	s.sigma = math.Sqrt(0.5)
	s.center[0] = 0.5
	e := evidenceOf(s)
	e.see(0, 3)
	more := 4 * math.Sqrt(0.5)
	near(t, "Poisson", e.ratio(4, 0, 1), 3*math.Log((0.5+more)/0.5)-more, 1e-9)
	// The spike is in the upper fifth, which does not contain 0.
	e.see(0, 0)
	near(t, "spike", e.spike(4), impossible, 0)
}

// TestSilenceOfOracle verifies the cost of a silence: five lost points, each with a probability of .02, or a restart.
func TestSilenceOfOracle(t *testing.T) {
	s := draw(specOf("rate", func(o *options) { o.Missing = 0.02 }), 0)
	o := newOracle(s).(*oracle)
	for range 5 {
		o.Absent(0)
	}
	near(t, "silence", o.Absent(0), -6*math.Log(0.02)-math.Log(kindsOfFaults*60), 1e-9)
}
