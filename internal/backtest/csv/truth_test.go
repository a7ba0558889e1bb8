// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/backtest"
)

func hour(h float64) time.Time { return start.Add(time.Duration(h * float64(time.Hour))) }

// TestAssessment compares with manually computed results: two days with one point per hour.
func TestAssessment(t *testing.T) {
	a := newAssessor("a.csv", []backtest.Window{
		{Start: hour(30), End: hour(34)},   // missed
		{Start: hour(10), End: hour(14)},   // opens at its third point and a second time
		{Start: hour(12), End: hour(16)},   // overlaps it: found by the openings at 12 and 13
		{Start: hour(47), End: hour(60)},   // extends beyond the end; opens at its first point
		{Start: hour(-20), End: hour(-10)}, // before the data: cannot be found
	})
	opens := map[int]bool{5: true, 12: true, 13: true, 20: true, 40: true, 47: true}
	for h := range 48 {
		score := .99
		if opens[h] {
			score = 1
		}
		a.observe(hour(float64(h)), score)
	}
	got := a.end(hour(0), hour(47))
	assert.Equal(t, [4]int{5, 3, 6, 3}, [4]int{got.Events, got.Found, got.Openings, got.Hits})
	assert.InDelta(t, (47-6-4)/24.0, got.Days, 1e-12) // without 10 to 16 and 30 to 34
	assert.Equal(t, []string{"a.csv", "5", "3", "0.600", "6", "0.500", "0", "0s", "1.946"}, got.Cells())

	quiet := newAssessor("b.csv", nil)
	quiet.observe(hour(0), 0)
	none := quiet.end(hour(0), hour(0))
	assert.Equal(t, []string{"b.csv", "0", "0", "-", "0", "-", "-", "-", "-"}, none.Cells())

	sum := Overall([]Assessment{got, none, {Events: 1, Found: 1, Openings: 2, Hits: 2, Days: 1, points: []float64{4}, seconds: []float64{90061}}})
	assert.Equal(t, []string{"all", "6", "4", "0.667", "8", "0.625", "1", "1h 0m", "1.180"}, sum.Cells())
	assert.Len(t, AssessmentHeads(), len(sum.Cells()))
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 1500 * time.Millisecond: "1.5s", 61 * time.Second: "1m 1s", 25 * time.Minute: "25m 0s", 90 * time.Minute: "1h 30m", 49*time.Hour + time.Minute: "2d 1h",
	} {
		assert.Equal(t, want, span(d))
	}
}

func TestReadTruth(t *testing.T) {
	path := filepath.Join(t.TempDir(), "truth.json")
	read := func(text string) (Truth, error) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return ReadTruth(path)
	}
	got, err := read(`{"a/b.csv": [["2026-03-02 01:00:00.000000", "1772416800"]], "./none.csv": []}`)
	require.NoError(t, err)
	assert.Equal(t, Truth{"a/b.csv": {{Start: hour(1), End: hour(2)}}, "none.csv": {}}, got)
	for text, want := range map[string]string{
		"[]":                               "cannot unmarshal array",
		`{"a": [["2026-03-02 01:00:00"]]}`: `"a", window 1: must have a start and an end, has 1 times`,
		`{"a": [["noon", "2026-03-02 01:00:00"]]}`:                `"a", window 1: "noon" is not a time`,
		`{"a": [["2026-03-02 01:00:00", ""]]}`:                    `"a", window 1: "" is not a time`,
		`{"a": [["2026-03-02 01:00:00", "2026-03-02 00:00:00"]]}`: `"a", window 1: ends at 2026-03-02 00:00:00, before it starts`,
	} {
		_, err := read(text)
		assert.ErrorContains(t, err, path+": ")
		assert.ErrorContains(t, err, want)
	}
}

// TestTruthOfFiles compares the fault of a series with its truth.
func TestTruthOfFiles(t *testing.T) {
	spike := start.Add(spikeAt * 5 * time.Minute)
	truth := Truth{
		"a.csv":    {{Start: spike.Add(-10 * time.Minute), End: spike.Add(time.Hour)}, {Start: spike.Add(40 * time.Hour), End: spike.Add(41 * time.Hour)}},
		"gone.csv": {},
	}
	r, out := runFiles(t, map[string]string{"a.csv": textOf(course(1, 2500)), "unlabeled.csv": textOf(course(2, 100))}, truth)
	require.Len(t, r.Assessments, 1)
	a := r.Assessments[0]
	assert.Equal(t, [2]int{2, 1}, [2]int{a.Events, a.Found})
	points, _ := a.DelayPoints()
	seconds, _ := a.DelaySeconds()
	assert.Equal(t, [2]float64{2, 600}, [2]float64{points, seconds})
	assert.Equal(t, []string{"gone.csv"}, r.Unknown)
	assert.Contains(t, out["report.html"], "Against the truth")
	assert.Equal(t, 4, strings.Count(out["report.html"], `<rect class="window"`), "two windows over values and scores")
}
