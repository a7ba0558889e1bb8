// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/eval/evaldata"
	"github.com/auspex-otel/auspex/internal/backtest"
)

func TestScore(t *testing.T) {
	faults := []fault{{"t1", "b", "x"}, {"t2", "a", "y"}, {"t3", "a", "z"}, {"t4", "b", "w"}}
	list := score(faults, []prediction{{"t2", []string{"y"}}, {"t1", []string{"q", "r", "x"}}, {"t3", []string{"x", "y"}}})
	require.Len(t, list, 3)
	assert.Equal(t, []string{"all", "a", "b"}, []string{list[0].kind, list[1].kind, list[2].kind})
	assert.Equal(t, []int{3, 1, 0, 0}, list[0].list, "a fault without a prediction, and one whose culprit was not named, are missed")
	assert.InDelta(t, 0.25, list[0].within(1), 0)
	assert.InDelta(t, 0.5, list[0].within(3), 0)
	assert.Zero(t, (&ranks{}).within(1))
}

// TestScoreIsTheScorers verifies that this scorer and the reference scorer agree on predictions of all kinds.
func TestScoreIsTheScorers(t *testing.T) {
	theScorer := filepath.Join(evaldata.FolderFrom("../.."), "rca_score.py")
	if _, err := os.Stat(theScorer); err != nil {
		t.Skip("the evaluation data is absent")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is absent")
	}
	r := rand.New(rand.NewPCG(1, 1))
	names := []string{"a", "b", "c", "d", "e", "f", "g"}
	var faults []fault
	var predictions []prediction
	for i := range 60 {
		at := fmt.Sprintf("2026-01-02 15:%02d:00Z", i)
		faults = append(faults, fault{at, names[r.IntN(3)], names[r.IntN(len(names))]})
		if i%7 != 0 {
			r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
			predictions = append(predictions, prediction{at, append([]string{}, names[:r.IntN(len(names))]...)})
		}
	}
	dir := t.TempDir()
	b, err := json.Marshal(faults)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "faults.json"), b, 0o600))
	var lines bytes.Buffer
	for _, p := range predictions {
		require.NoError(t, json.NewEncoder(&lines).Encode(p))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "p.jsonl"), lines.Bytes(), 0o600))
	want, err := exec.CommandContext(t.Context(), python, theScorer, filepath.Join(dir, "faults.json"), filepath.Join(dir, "p.jsonl")).Output()
	require.NoError(t, err)
	read, err := readPredictions(filepath.Join(dir, "p.jsonl"))
	require.NoError(t, err)
	var got strings.Builder
	for _, x := range score(faults, read) {
		kind := x.kind
		if kind == "all" {
			kind = "ALL"
		}
		fmt.Fprintf(&got, "%-16s n %3d  AS@1 %.3f  AS@3 %.3f  AS@5 %.3f\n", kind, len(x.list), x.within(1), x.within(3), x.within(5))
	}
	assert.Equal(t, string(want), got.String())
}

// folder writes the files of a small evaluation folder and returns it.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(dir, "nezha", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
		b := []byte(text)
		if strings.HasSuffix(name, ".gz") {
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			_, err := z.Write(b)
			require.NoError(t, err)
			require.NoError(t, z.Close())
			b = packed.Bytes()
		}
		require.NoError(t, os.WriteFile(file, b, 0o600))
	}
	for _, s := range systems {
		write(s.name+"/faults.json", `[{"injected_at": "2026-05-04 12:00:00Z", "type": "return", "service": "pay"}]`)
		write(s.name+"/baseline/a.traces.jsonl.gz", `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"pay"}}]},"scopeSpans":[{"spans":[`+
			`{"traceId":"00000000000000000000000000000004","spanId":"0000000000000001","name":"charge","startTimeUnixNano":"5","endTimeUnixNano":"7"}]}]}]}`+"\n")
		write(s.name+"/faults/a.logs.jsonl.gz", `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"pay"}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"6","body":{"stringValue":"x"}}]}]}]}`+"\n")
		write(s.name+"/faults/a.metrics.jsonl.gz", `{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"pay"}}]},"scopeMetrics":[{"metrics":[{"name":"cpu","gauge":{"dataPoints":[{"timeUnixNano":"6","asDouble":1}]}}]}]}]}`+"\n")
	}
	return dir
}

// TestReport verifies that the report distinguishes a product that depends on names or dates from one that does not.
func TestReport(t *testing.T) {
	dir := folder(t)
	naming := func(service string, times []string) (a answer, err error) {
		for _, at := range times {
			a.predictions = append(a.predictions, prediction{at, []string{service}})
		}
		a.incidents = []time.Time{time.Date(2026, 5, 4, 12, 1, 0, 0, time.UTC)}
		return a, nil
	}
	honest := func(in []string, _ string, times []string) (answer, error) { return naming(serviceIn(t, in[0]), times) }
	blind := func(_ []string, _ string, times []string) (answer, error) { return naming("pay", times) }
	dated := func(in []string, out string, times []string) (answer, error) {
		if times[0] != "2026-05-04 12:00:00Z" {
			return blind(in, out, times)
		}
		return honest(in, out, times)
	}
	asleep := func(in []string, out string, times []string) (answer, error) {
		a, err := honest(in, out, times)
		a.findings = findings{}
		return a, err
	}
	awake := func(in []string, out string, times []string) (answer, error) {
		a, err := honest(in, out, times)
		a.open = []backtest.Window{{Start: time.Unix(0, 0), End: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}}
		return a, err
	}
	for _, c := range []struct {
		p      predict
		code   int
		within string
	}{
		{honest, 0, "targets missed: 0"},
		{blind, 1, "targets missed: 2"},
		{dated, 1, "0 of 1 predictions equal  MISSED"},
		{asleep, 1, "faults: 0 of 2, 0.000; target ≥ 0.60  MISSED"},
		{awake, 1, "had an incident open: 2 of 2, 1.000; target ≤ 0.20  MISSED"},
	} {
		var out bytes.Buffer
		assert.Equal(t, c.code, run([]string{"-eval", dir, "-seed", "3", "-vary"}, c.p, &out, &bytes.Buffer{}), out.String())
		assert.Contains(t, out.String(), c.within)
		assert.Contains(t, out.String(), "seed 3")
	}
}

// serviceIn reads the only service of a folder's traces, if it has any.
func serviceIn(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "a.traces.jsonl.gz"))
	require.NoError(t, err)
	z, err := gzip.NewReader(bytes.NewReader(b))
	require.NoError(t, err)
	var message struct {
		ResourceSpans []struct {
			Resource struct {
				Attributes []struct{ Value struct{ StringValue string } }
			}
		}
	}
	if json.NewDecoder(z).Decode(&message) != nil {
		return "" // a copy without traces
	}
	return message.ResourceSpans[0].Resource.Attributes[0].Value.StringValue
}

func TestSkipsWhereTheDataIsAbsent(t *testing.T) {
	var out bytes.Buffer
	assert.Equal(t, 0, run([]string{"-eval", t.TempDir()}, nil, &out, &bytes.Buffer{}))
	assert.Contains(t, out.String(), "skipped")
	assert.Equal(t, 2, run([]string{"-what"}, nil, &out, &bytes.Buffer{}))
}

// TestDisguise verifies that the disguise changes names and times of all signals, and that it can be undone.
func TestDisguise(t *testing.T) {
	from := filepath.Join(folder(t), "nezha", systems[0].name)
	d := newDisguise(7, sevenWeeks)
	for _, part := range []string{"baseline", "faults"} {
		to := filepath.Join(t.TempDir(), part)
		require.NoError(t, copyAll(filepath.Join(from, part), to, d.edit()))
		files, err := filepath.Glob(filepath.Join(to, "*"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			b, err := os.ReadFile(file)
			require.NoError(t, err)
			z, err := gzip.NewReader(bytes.NewReader(b))
			require.NoError(t, err)
			var text bytes.Buffer
			_, err = text.ReadFrom(z)
			require.NoError(t, err)
			assert.NotContains(t, text.String(), `"pay"`)
			assert.NotContains(t, text.String(), `"charge"`)
			assert.Contains(t, text.String(), "42336000000000", "seven weeks are 4,233,600 s")
		}
	}
	list, err := d.undo([]prediction{{"2026-06-22 12:00:00Z", []string{d.name("service.name", "pay")}}})
	require.NoError(t, err)
	assert.Equal(t, []prediction{{"2026-05-04 12:00:00Z", []string{"pay"}}}, list)
}
