// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// folder writes one file of 1,000 rows with an event at row 500.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var text strings.Builder
	text.WriteString("timestamp,value\n")
	stamp := func(i int) string { return time.Date(2026, 1, 5, 0, i, 0, 0, time.UTC).Format(time.DateTime) }
	for i := range 1000 {
		fmt.Fprintf(&text, "%s,%d\n", stamp(i), i%7)
	}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "cloud", "data", "a"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cloud", "data", "a", "x.csv"), []byte(text.String()), 0o600))
	labels := fmt.Sprintf(`{"a/x.csv": [[%q, %q]]}`, stamp(500), stamp(520))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cloud", "labels.json"), []byte(labels), 0o600))
	return dir
}

// scoring returns a backtest that scores one row.
func scoring(row int) func(in, out string) error {
	return func(_, out string) error {
		var b strings.Builder
		b.WriteString("timestamp,value,anomaly_score,opening_score,expected,lower,upper\n")
		for i := range 1000 {
			score := 0
			if i == row {
				score = 2
			}
			fmt.Fprintf(&b, ",,%d,%d,,,\n", score, score)
		}
		if err := os.MkdirAll(filepath.Join(out, "a"), 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(out, "a", "x.csv"), []byte(b.String()), 0o600)
	}
}

func TestReport(t *testing.T) {
	dir := folder(t)
	var out, errs bytes.Buffer
	assert.Equal(t, 0, run([]string{"-eval", dir}, scoring(505), &out, &errs), errs.String())
	assert.Regexp(t, `point +1\.000 \(5\) .* 1\.000 ± .*met\n`, out.String())
	assert.Regexp(t, `a +1 of  1 +\(5\), +0 false`, out.String())
	var missed bytes.Buffer
	assert.Equal(t, 1, run([]string{"-eval", dir}, scoring(600), &missed, &errs), "an event that is not found")
	assert.Contains(t, missed.String(), "MISSED")
}

// TestProduct verifies that the scorer reads the output of the product's backtest, and that two runs produce the same
// bytes.
func TestProduct(t *testing.T) {
	dir := folder(t)
	var first, again bytes.Buffer
	run([]string{"-eval", dir}, backtestCSV, &first, io.Discard)
	run([]string{"-eval", dir}, backtestCSV, &again, io.Discard)
	assert.Contains(t, first.String(), "opening")
	assert.Equal(t, first.String(), again.String())

	results := t.TempDir()
	require.NoError(t, backtestCSV(filepath.Join(dir, "cloud", "data"), results))
	var scored bytes.Buffer
	run([]string{"-eval", dir, "-results", results}, nil, &scored, io.Discard)
	assert.Equal(t, first.String(), scored.String())
}

func TestAbsentAndWrongUse(t *testing.T) {
	var out, errs bytes.Buffer
	assert.Equal(t, 0, run([]string{"-eval", t.TempDir()}, nil, &out, &errs))
	assert.Contains(t, out.String(), "skipped: no evaluation data in")
	assert.Equal(t, 2, run([]string{"more"}, nil, io.Discard, &errs))
	assert.Equal(t, 2, run([]string{"-nosuch"}, nil, io.Discard, &errs))
}
