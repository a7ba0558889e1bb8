// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package score

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/detect"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// TestReadScores verifies that both formats of a backtest's output produce the same columns.
func TestReadScores(t *testing.T) {
	dir := t.TempDir()
	for form, text := range map[string]string{
		"old": "timestamp,value,anomaly_score,point_score,expected,lower,upper\na,1,0,.5,,,\nb,,,,,,\n",
		"new": "timestamp,value,anomaly_score,opening_score,expected,lower,upper\na,1,.5,0,,,\nb,,,,,,\n",
	} {
		path := filepath.Join(dir, form)
		write(t, path, text)
		point, err := ReadScores(path, Point)
		require.NoError(t, err)
		opening, err := ReadScores(path, Opening)
		require.NoError(t, err)
		assert.Equal(t, []float64{.5, 0}, point, form)
		assert.Equal(t, []float64{0, 0}, opening, form)
	}
	write(t, filepath.Join(dir, "none"), "timestamp,value\n")
	_, err := ReadScores(filepath.Join(dir, "none"), Point)
	require.ErrorContains(t, err, "no column point_score")
}

// TestStandardError verifies that the standard error of a mean is σ/√n.
func TestStandardError(t *testing.T) {
	x := make([]float64, 100)
	for i := range x {
		x[i] = float64(i % 2)
	}
	mean := func(units []int) float64 {
		sum := 0.0
		for _, i := range units {
			sum += x[i]
		}
		return sum / float64(len(units))
	}
	got := Spread(Resample(len(x), mean))
	assert.InDelta(t, 0.05, got, 0.005)
	assert.Equal(t, got, Spread(Resample(len(x), mean)), "repeated bootstrap")
	assert.Zero(t, Spread(Resample(3, func([]int) float64 { return math.NaN() })))
	a := Resample(len(x), mean)
	b := Resample(len(x), func(units []int) float64 { return mean(units) + 7 })
	assert.InDelta(t, 0, SpreadOfDifference(a, b), 1e-12, "the same samples")
}

func TestMedian(t *testing.T) {
	assert.Equal(t, 2.0, Median([]float64{3, 1, 2}))
	assert.Equal(t, 2.5, Median([]float64{4, 1, 3, 2}))
	assert.True(t, math.IsNaN(Median(nil)))
}

// hours returns n hourly timestamps.
func hours(n int) (list []string) {
	for i := range n {
		list = append(list, time.Date(2026, 1, 5, i, 0, 0, 0, time.UTC).Format(time.DateTime))
	}
	return list
}

// TestCloudCount uses a file of 40 rows: 6 of warm-up, an event in the warm-up, one on rows 10 to 12, and one on rows
// 30 to 31.
func TestCloudCount(t *testing.T) {
	stamps, scores := hours(40), make([]float64, 40)
	events := [][2]string{{stamps[2], stamps[4]}, {stamps[10], stamps[12]}, {stamps[30], stamps[31]}}
	for i, s := range map[int]float64{
		3: 9, 5: 9, // in the warm-up
		14: 3,                      // two rows after an event: found, four hours after its start
		15: 3, 20: 3, 26: 3, 34: 3, // false: 15 and 20 are five rows apart and count once, 26 and 34 count separately
		31: 2,
	} {
		scores[i] = s
	}
	f, err := newCloudFile("d/x.csv", stamps, scores, events)
	require.NoError(t, err)
	assert.Equal(t, "d", f.Domain)
	assert.Equal(t, 40.0-6-3-2, f.rows)
	assert.Equal(t, fileCount{found: 1, events: 2, alarms: 3, delays: []float64{240}}, f.count(3))
	assert.Equal(t, fileCount{found: 2, events: 2, alarms: 3, delays: []float64{240, 60}}, f.count(2))
	assert.Equal(t, fileCount{events: 2}, f.count(4))

	_, err = newCloudFile("d/x.csv", stamps, scores[1:], events)
	require.ErrorContains(t, err, "39 scores for 40 rows")
	_, err = newCloudFile("d/x.csv", stamps, scores, [][2]string{{"2026-02-01 00:00:00", stamps[4]}})
	require.ErrorContains(t, err, "does not match rows of the file")
}

// cloudFolder writes two domains: one with a file of 2,000 rows and an event on row 1000, one without an event.
func cloudFolder(t *testing.T) string {
	t.Helper()
	dir, stamps := t.TempDir(), hours(2000)
	text := "timestamp,value\n" + strings.Join(stamps, ",1\n") + ",1\n"
	write(t, filepath.Join(dir, "cloud", "data", "a", "x.csv"), text)
	write(t, filepath.Join(dir, "cloud", "data", "b", "y.csv"), text)
	write(t, filepath.Join(dir, "cloud", "labels.json"), fmt.Sprintf(`{"a/x.csv": [[%q, %q]], "b/y.csv": []}`, stamps[1000], stamps[1000]))
	return dir
}

// TestCloudFigures: the event scores 5. In the other domain 1 false alarm (.59 per 1,000 of 1,700 rows, .29 in the
// mean) scores 7.
func TestCloudFigures(t *testing.T) {
	dir := filepath.Join(cloudFolder(t), "cloud")
	cloud, err := LoadCloud(dir, func(name string) ([]float64, error) {
		scores := make([]float64, 2000)
		if name == "a/x.csv" {
			scores[1001] = 5
		} else {
			scores[500] = 7
		}
		return scores, nil
	})
	require.NoError(t, err)
	f := cloud.Figures()
	assert.Equal(t, [4]float64{0, 1, 1, 1}, f.Recalls)
	assert.Equal(t, 0.75, f.Mean)
	assert.Equal(t, 60.0, f.Delays[1])
	assert.True(t, math.IsNaN(f.Delays[0]), "delay without found events")
	assert.Equal(t, CloudDomain{Found: 1, Events: 1, Rows: 1699, Delay: 60}, f.Domains["a"])
	assert.Equal(t, 1.0, f.AtOne.Recall)
	assert.InDelta(t, 0.5*1000/1700, f.AtOne.False, 1e-12)
	assert.Positive(t, f.Error)
	again := cloud.Figures()
	assert.Equal(t, f.Error, again.Error)
	assert.Zero(t, Cloud{cloud[1]}.at(8)[0].alarms)
}

// TestNABStandardError verifies the standard error from the raw scores.
func TestNABStandardError(t *testing.T) {
	s := NAB{PerFile: map[string]NABFile{}}
	for i := range 100 { // half the files find their window (raw 1), half miss it (raw -1): 50 ± 100·.5/√100
		s.PerFile[strconv.Itoa(i)] = NABFile{Raw: float64(2*(i%2) - 1), Windows: 1}
	}
	assert.InDelta(t, 5, s.StandardError(), 0.5)
}

func TestNABDelays(t *testing.T) {
	stamps, scores := hours(100), make([]float64, 100)
	scores[14], scores[30], scores[33], scores[60] = 2, 2, 2, 1
	windows := [][2]string{
		{"2026-01-05 10:00:00.000000", "2026-01-05 14:00:00.000000"}, // in the warm-up
		{"2026-01-06 04:00:00.000000", "2026-01-06 10:00:00.000000"}, // rows 28 to 34
		{"2026-01-07 10:00:00.000000", "2026-01-07 14:00:00.000000"}, // rows 58 to 62
	}
	delays, err := nabDelays(stamps, scores, windows, 2)
	require.NoError(t, err)
	assert.Equal(t, []float64{120}, delays)
	delays, err = nabDelays(stamps, scores, windows, 1)
	require.NoError(t, err)
	assert.Equal(t, []float64{120, 120}, delays)
}

// scripted is a model whose surprise is the value.
type scripted struct{ detect.Model }

func (scripted) Observe(_ int64, v float64) detect.Judgment { return detect.Judgment{Surprise: v} }

func TestModelJudge(t *testing.T) {
	j := ModelJudge(scripted{})
	for i, c := range []struct{ v, opening float64 }{{3, 3}, {2, 0}, {3, 0}, {4, 4}} {
		point, opening := j.Observe(int64(i), c.v)
		assert.Equal(t, c.v, point)
		assert.Equal(t, c.opening, opening, i)
	}
	for range cooldown - 1 {
		j.Observe(0, 0)
	}
	_, opening := j.Observe(0, 4)
	assert.Zero(t, opening, "the 90th row after the peak")
	_, opening = j.Observe(0, 1)
	assert.Equal(t, 1.0, opening, "the 91st")
}

// at1000 scores only row 1000.
type at1000 struct{ rows int }

func (j *at1000) Observe(int64, float64) (point, opening float64) {
	if j.rows++; j.rows == 1001 {
		return 3, 2
	}
	return 0, 0
}

func TestCloudOf(t *testing.T) {
	f, err := CloudOf(cloudFolder(t), func() Judge { return &at1000{} })
	require.NoError(t, err)
	for c := range f {
		assert.Equal(t, [4]float64{0, 1, 1, 1}, f[c].Recalls, "one false alarm in the other file")
		assert.Zero(t, f[c].Delays[1])
	}
	_, err = CloudOf(t.TempDir(), func() Judge { return &at1000{} })
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestNABOf(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "nab", "data", "x", "y.csv"), "timestamp,value\n2026-01-05 00:00:00,1\n")
	write(t, filepath.Join(dir, "nab", "labels", "combined_windows.json"), `{"x/y.csv": []}`)
	write(t, filepath.Join(dir, "nab_score.py"), strings.TrimSpace(`
import sys, os, json
rows = open(os.path.join(sys.argv[sys.argv.index("--results") + 1], "x", "y.csv")).read().split()
assert rows == ["anomaly_score,opening_score", "0,0"], rows
p = dict(score=50)
print(json.dumps(dict(profiles=dict(standard=p, reward_low_FP_rate=p, reward_low_FN_rate=p))))
`))
	s, err := NABOf(dir, func() Judge { return &at1000{} })
	require.NoError(t, err)
	assert.Equal(t, 50.0, s.Profiles[Standard].Score)
	assert.True(t, math.IsNaN(s.Delay), "no window is found")
}
