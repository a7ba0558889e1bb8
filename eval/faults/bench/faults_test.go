// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/auspex-otel/auspex/internal/detect"
)

// small is a spec that runs within two seconds.
const small = `{
  "seed": 1, "days": 14, "series": 3, "events": 1, "sizes": [4, 8],
  "faults": ["spike", "level up", "silence"], "decoys": ["planned job", "scale-out, new"],
  "options": {"cadences": ["5m"], "phi": [0.3], "tails": [0], "zones": ["UTC"], "season": 0, "weekly": 0,
    "amplitude": [5, 20], "trend": 0, "missing": 0.02, "jitter": 0.1, "restarts": 0.5},
  "families": [{"name": "a", "kind": "rate"}, {"name": "b", "kind": "counter", "params": {"mean": [0.1, 0.2]}}]
}`

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spec.json")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTwiceTheSame verifies that two runs, and runs on one and on all cores, print the same bytes.
func TestTwiceTheSame(t *testing.T) {
	path := write(t, small)
	var outs [3]bytes.Buffer
	for i := range outs {
		if i == 2 {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		}
		if code := Run([]string{"-spec", path}, &outs[i], io.Discard); code == 2 {
			t.Fatalf("exit code %d", code)
		}
		if !bytes.Equal(outs[i].Bytes(), outs[0].Bytes()) {
			t.Errorf("run %d differs:\n%s\n%s", i, outs[0].String(), outs[i].String())
		}
	}
	for _, want := range []string{"planned job", "silence", "macro recall of product"} {
		if !strings.Contains(outs[0].String(), want) {
			t.Errorf("no %q in\n%s", want, outs[0].String())
		}
	}
	path = write(t, strings.Replace(small, `"seed": 1`, `"seed": 2`, 1))
	var other bytes.Buffer
	if Run([]string{"-spec", path}, &other, io.Discard); bytes.Equal(other.Bytes(), outs[0].Bytes()) {
		t.Error("another seed produces the same report")
	}
}

// constant returns the same surprise for every point. The report must reject it.
type constant struct{}

func (constant) Observe(int64, float64) detect.Judgment {
	return detect.Judgment{Surprise: -math.Log(1e-3)}
}
func (constant) AppendBinary(b []byte) ([]byte, error) { return append(b, 1), nil }
func (constant) UnmarshalBinary([]byte) error          { return nil }

// TestConstantFails verifies that the report can fail: a constant model finds no fault.
func TestConstantFails(t *testing.T) {
	sp, err := parseSpec([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	all, _, err := figuresOf(sp, append([]detectorKind{ofModel(func() detect.Model { return constant{} })}, others...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if judge(&out, sp, all) {
		t.Error("the targets are met")
	}
	if want := "macro recall of model 0.000"; !strings.Contains(out.String(), want) {
		t.Errorf("no %q in\n%s", want, out.String())
	}
}

// TestNaNIsRefused verifies that an invalid score stops the run and that the error names the detector.
func TestNaNIsRefused(t *testing.T) {
	sp, err := parseSpec([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	_, err = measure(sp, []detectorKind{{name: "broken", fresh: func(int64, uint64) Detector { return broken{} }}}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "broken: a score of -1") {
		t.Errorf("error %v", err)
	}
}

type broken struct{ unmoved }

func (broken) Observe(int64, float64) float64 { return -1 }
func (broken) Clone() Detector                { return broken{} }

func TestWrongUse(t *testing.T) {
	for _, args := range [][]string{{"more"}, {"-nosuch"}, {"-spec", "no/such/file"}} {
		var errs bytes.Buffer
		if code := Run(args, io.Discard, &errs); code != 2 || errs.Len() == 0 {
			t.Errorf("%v: exit code %d, printed %q", args, code, errs.String())
		}
	}
}

// TestSpecErrors verifies that errors of a spec name the file and the field.
func TestSpecErrors(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{`"seed": 1,`, `"seed": 1,,`, "line 2"},
		{`"seed": 1`, `"seeds": 1`, `"seeds"`},
		{`"days": 14`, `"days": 13`, "days: 13"},
		{`"days": 14`, `"days": "x"`, "days"},
		{`"series": 3`, `"series": 0`, "series: 0"},
		{`"events": 1`, `"events": 0`, "events: 0"},
		{`[4, 8]`, `[]`, "sizes: none"},
		{`[4, 8]`, `[4, 2]`, "sizes[1]: 2"},
		{`[4, 8]`, `[0.5]`, "sizes[0]: 0.5"},
		{`"level up"`, `"level"`, `faults[1]: "level"`},
		{`"level up"`, `"spike"`, `faults[1]: "spike" is listed twice`},
		{`"planned job"`, `"plan"`, `decoys[0]: "plan"`},
		{`"5m"`, `"7m"`, "families[0].options.cadences[0]: 7m"},
		{`"5m"`, `"x"`, `"x"`},
		{`"phi": [0.3]`, `"phi": [1]`, "families[0].options.phi[0]: 1"},
		{`"phi": [0.3]`, `"phi": []`, "families[0].options.phi: none"},
		{`"tails": [0]`, `"tails": [2]`, "families[0].options.tails[0]: 2"},
		{`"UTC"`, `"Mars/Base"`, "families[0].options.zones[0]"},
		{`"missing": 0.02`, `"missing": 2`, "families[0].options.missing: 2"},
		{`"amplitude": [5, 20]`, `"amplitude": [20, 5]`, "families[0].options.amplitude"},
		{`"name": "b"`, `"name": ""`, "families[1].name: empty"},
		{`"name": "b"`, `"name": "a"`, `families[1].name: "a" is listed twice`},
		{`"counter"`, `"gas"`, `families[1].kind: "gas"`},
		{`"mean"`, `"level"`, "families[1].params.level"},
		{`[0.1, 0.2]`, `[0.2, 0.1]`, "families[1].params.mean: [0.2, 0.1]"},
		{`"kind": "rate"`, `"kind": "rate", "options": {"phi": [2]}`, "families[0].options.phi[0]: 2"},
		{`"kind": "rate"`, `"kind": "rate", "options": {"fi": [2]}`, `families[0].options: json: unknown field "fi"`},
	} {
		text := strings.Replace(small, c.old, c.new, 1)
		if text == small {
			t.Fatalf("nothing replaced: %s", c.old)
		}
		path := write(t, text)
		_, err := loadSpec(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s: error %v, want %q", c.new, err, c.want)
		}
	}
	if _, err := parseSpec([]byte(small + small)); err == nil {
		t.Error("two specs in one file were accepted")
	}
}

// TestOptionsOfOneFamily verifies that the options of one family do not affect others.
func TestOptionsOfOneFamily(t *testing.T) {
	sp, err := parseSpec([]byte(strings.Replace(small, `"kind": "rate"`, `"kind": "rate", "options": {"phi": [0.9], "jitter": 0}`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	a, b := sp.Families[0].options, sp.Families[1].options
	if a.Phi[0] != 0.9 || a.Jitter != 0 || a.Missing != 0.02 || b.Phi[0] != 0.3 || b.Jitter != 0.1 {
		t.Errorf("options %+v and %+v", a, b)
	}
}

// TestDefaultSpec verifies that the built-in spec is valid and contains every fault, decoy, and kind.
func TestDefaultSpec(t *testing.T) {
	sp, err := loadSpec("")
	if err != nil {
		t.Fatal(err)
	}
	if len(sp.Faults) != len(faultKinds) || len(sp.Decoys) != len(decoyNames) || len(sp.Families) != len(kinds) {
		t.Errorf("%d faults, %d decoys, %d families", len(sp.Faults), len(sp.Decoys), len(sp.Families))
	}
}
