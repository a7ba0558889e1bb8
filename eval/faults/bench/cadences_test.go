// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"io"
	"slices"
	"strings"
	"testing"
)

// TestSampleTrial samples 40 slots from slot 50. At one minute these are the slots 54 to 84, at five minutes the slot
// 60.
func TestSampleTrial(t *testing.T) {
	value, present := make([]float64, 40), slices.Repeat([]bool{true}, 40)
	for i := range value {
		value[i] = float64(50 + i)
	}
	for _, c := range []struct {
		step, start int
		want        []float64
	}{{6, 9, []float64{54, 60, 66, 72, 78, 84}}, {30, 2, []float64{60}}} {
		got := sampleTrial(50, value, present, c.step)
		if got.start != c.start || !slices.Equal(got.value, c.want) || len(got.present) != len(c.want) {
			t.Errorf("every %d: %+v", c.step, got)
		}
	}
}

func TestAgreement(t *testing.T) {
	yes, no := onset{2, 10}, onset{slot: -1}
	var a agreement
	for _, at := range [][3]onset{{yes, yes, yes}, {yes, no, no}, {no, no, no}, {no, yes, yes}} {
		a.add(at)
	}
	if a.all != 1 || a.any != 3 {
		t.Errorf("all %d, any %d", a.all, a.any)
	}
	for c, want := range []float64{0.5, 0.5, 0.5} {
		near(t, "recall", a.at[c].share(), want, 0)
	}
	var out strings.Builder
	if judgeAgreement(&out, &a, 0.5) {
		t.Error("an agreement of one third meets the target")
	}
	if !strings.Contains(out.String(), "1/3 = 0.333, target 0.80: MISSED") || !strings.Contains(out.String(), "0.500: met") {
		t.Error(out.String())
	}
}

func TestCadences(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the engine over three million points")
	}
	sp, err := parseSpec([]byte(strings.Replace(small, `"series": 3`, `"series": 1`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	var first, again strings.Builder
	for _, out := range []*strings.Builder{&first, &again} {
		if _, err := reportCadences(out, sp, 0, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	if first.String() != again.String() {
		t.Errorf("two runs differ:\n%s\n%s", first.String(), again.String())
	}
	sp.Families = sp.Families[1:]
	if _, err := reportCadences(&first, sp, 0, io.Discard); err == nil {
		t.Error("a spec without a kind that can be sampled was accepted")
	}
}
