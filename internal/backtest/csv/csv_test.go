// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/engine"
)

var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// spikeAt is the row of the spike in course.
const spikeAt = 1800

// course returns a series of 5-minute values with a daily wave, noise, and one spike.
func course(seed uint64, rows int) []string {
	random := rand.New(rand.NewPCG(seed, 5))
	lines := make([]string, rows)
	for i := range lines {
		v := 100 + 10*math.Sin(2*math.Pi*float64(i)/288) + random.NormFloat64()
		if i == spikeAt {
			v += 60
		}
		lines[i] = start.Add(time.Duration(i)*5*time.Minute).Format(time.DateTime) + "," + strconv.FormatFloat(v, 'f', 4, 64)
	}
	return lines
}

// noise returns a series of 5-minute values that are only noise.
func noise(seed uint64, rows int) []string {
	random := rand.New(rand.NewPCG(seed, 7))
	lines := make([]string, rows)
	for i := range lines {
		lines[i] = start.Add(time.Duration(i)*5*time.Minute).Format(time.DateTime) + "," + strconv.FormatFloat(100+random.NormFloat64(), 'f', 4, 64)
	}
	return lines
}

func textOf(lines []string) string { return "timestamp,value\n" + strings.Join(lines, "\n") + "\n" }

// runFiles runs files, and returns the result and the output files.
func runFiles(t *testing.T, files map[string]string, truth Truth) (*Result, map[string]string) {
	t.Helper()
	return runFilesWith(t, Options{Truth: truth}, files)
}

// runFilesWith does the same with other options. Without engine settings it uses the collector's defaults.
func runFilesWith(t *testing.T, o Options, files map[string]string) (*Result, map[string]string) {
	t.Helper()
	in, out := t.TempDir(), t.TempDir()
	o.In, o.Out = in, out
	if o.Engine.MaxSeries == 0 {
		o.Engine = engine.DefaultConfig()
	}
	for name, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(in, name)), 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(in, name), []byte(text), 0o600))
	}
	r, err := Run(o)
	require.NoError(t, err)
	written := map[string]string{}
	for name := range files {
		if b, err := os.ReadFile(filepath.Join(out, name)); err == nil {
			written[name] = string(b)
		}
	}
	page, err := os.ReadFile(filepath.Join(out, "report.html"))
	require.NoError(t, err)
	written["report.html"] = string(page)
	return r, written
}

// TestVerdicts verifies the format of a file's output and that it shows the fault.
func TestVerdicts(t *testing.T) {
	lines := course(1, 2500)
	r, out := runFiles(t, map[string]string{"a/b.csv": textOf(lines)}, nil)
	rows, err := csv.NewReader(strings.NewReader(out["a/b.csv"])).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2501)
	assert.Equal(t, strings.TrimSpace(header), strings.Join(rows[0], ","))
	warm, unusual, openings := 0, 0, 0
	for i, row := range rows[1:] {
		assert.Equal(t, lines[i], row[0]+","+row[1])
		if row[4] == "" {
			assert.Equal(t, []string{"0", "0", "", "", ""}, row[2:])
			assert.Equal(t, warm, i, "rows without a verdict come first")
			warm++
			continue
		}
		if number(t, row[2]) > .1 {
			unusual++
		}
		if number(t, row[3]) > .1 {
			openings++
		}
	}
	assert.Greater(t, unusual, 500, "every point has a score")
	assert.Less(t, openings, 50, "few of them have an opening score")
	assert.Equal(t, 2500-warm, r.Series[0].Judged)
	spike := rows[1+spikeAt]
	assert.GreaterOrEqual(t, number(t, spike[2]), 1.0)
	assert.GreaterOrEqual(t, number(t, spike[3]), 1.0)
	assert.Less(t, number(t, spike[4]), 115.0)
	assert.Less(t, number(t, spike[6]), 150.0)
	assert.Equal(t, start.Add(spikeAt*5*time.Minute), r.Series[0].WorstAt)
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	require.NoError(t, err)
	return v
}

// TestNoLookAhead verifies that removing later rows does not change earlier output.
func TestNoLookAhead(t *testing.T) {
	lines := course(2, 2500)
	_, whole := runFiles(t, map[string]string{"a.csv": textOf(lines)}, nil)
	for _, share := range []float64{.5, .8} {
		_, cut := runFiles(t, map[string]string{"a.csv": textOf(lines[:int(share*2500)])}, nil)
		assert.Equal(t, whole["a.csv"][:len(cut["a.csv"])], cut["a.csv"])
	}
}

// TestFilesAreAlone verifies that other files in the folder do not change a file's output, in any order of
// processing.
func TestFilesAreAlone(t *testing.T) {
	files := map[string]string{"a.csv": textOf(course(3, 2500))}
	_, alone := runFiles(t, files, nil)
	for i := range 20 {
		files[fmt.Sprintf("more/%d.csv", i)] = textOf(course(uint64(100+i), 300*i))
	}
	first, one := runFiles(t, files, nil)
	second, two := runFiles(t, files, nil)
	assert.Equal(t, alone["a.csv"], one["a.csv"])
	assert.Equal(t, one, two)
	assert.Equal(t, first, second)
}

// TestForm verifies that the format of a file affects only the fields that are copied.
func TestForm(t *testing.T) {
	lines := course(4, 2000)
	other := []string{"\ufeffhost,value,timestamp"}
	for _, line := range lines {
		at, v, _ := strings.Cut(line, ",")
		other = append(other, "a,"+v+","+at)
	}
	_, out := runFiles(t, map[string]string{"plain.csv": textOf(lines), "other.CSV": strings.Join(other, "\r\n")}, nil)
	assert.Equal(t, out["plain.csv"], out["other.CSV"])
}

// TestRowsWithoutVerdict inserts rows that are not judged. They get zeros, and the others the same verdicts as
// without them.
func TestRowsWithoutVerdict(t *testing.T) {
	lines := course(5, 2500)
	at := func(i int) string { return start.Add(time.Duration(i) * 5 * time.Minute).Format(time.DateTime) }
	strange := []string{"", ",", at(1500) + ",", at(1500) + ",NaN", at(1500) + ",x", "noon,5", at(1499) + ",999", at(1400) + ",999", at(3) + ",999"}
	mixed := append(append(append([]string{}, lines[:1500]...), strange...), lines[1500:]...)
	r, out := runFiles(t, map[string]string{"a.csv": textOf(lines), "b.csv": textOf(mixed)}, nil)
	a, b := strings.Split(out["a.csv"], "\n"), strings.Split(out["b.csv"], "\n")
	for i, line := range strange {
		fields := strings.SplitN(line+",", ",", 3)
		assert.Equal(t, fields[0]+","+fields[1]+",0,0,,,", b[1501+i])
	}
	assert.Equal(t, a, append(append([]string{}, b[:1501]...), b[1501+len(strange):]...))
	got := r.Series[1]
	assert.Equal(t, [5]int{2509, 3, 3, 3, 1507}, [5]int{got.Rows, got.NoTime, got.NoNumber, got.Late, got.FirstNoTime})
}

// TestClockThatWasWrong moves a few times half a day ahead. Rows are judged again once the engine has returned to the
// right time.
func TestClockThatWasWrong(t *testing.T) {
	lines := course(6, 2500)
	ahead := start.Add(1500*5*time.Minute + 12*time.Hour).Format(time.DateTime)
	lines = append(append(append([]string{}, lines[:1500]...), ahead+",100"), lines[1500:]...)
	r, out := runFiles(t, map[string]string{"a.csv": textOf(lines)}, nil)
	rows := strings.Split(out["a.csv"], "\n")
	assert.True(t, strings.HasSuffix(rows[1503], ",0,0,,,"), "late: %s", rows[1503])
	assert.False(t, strings.HasSuffix(rows[1600], ",0,0,,,"), "judged: %s", rows[1600])
	assert.Less(t, r.Series[0].Late, 40)
	assert.Positive(t, r.Series[0].Late)
}

func TestFilesThatFail(t *testing.T) {
	r, out := runFiles(t, map[string]string{
		"bad/empty.csv": "", "bad/header.csv": "a,b\n", "bad/quote.csv": "timestamp,value\n1,\"2\n", "bad/times.csv": "timestamp,value\n,1\nnoon,1\n",
		"good.csv": textOf(course(7, 10)), "none.csv": "timestamp,value\n", "other.txt": "no CSV",
	}, nil)
	var failed []string
	for _, err := range r.Failed {
		_, text, _ := strings.Cut(err.Error(), "bad"+string(filepath.Separator))
		failed = append(failed, text)
	}
	assert.Equal(t, []string{
		"empty.csv: " + errNoHeader.Error(), `header.csv: line 1: the header has no known name for the column of the time; it has "a", "b"; choose one with --time`,
		"quote.csv: line 2: " + errQuote.Error(), "times.csv: line 3: " + errTime.Error(),
	}, failed)
	assert.Len(t, out, 3, "files without those that failed")
	assert.Equal(t, header+"\n", out["none.csv"])
	assert.Len(t, strings.Split(out["good.csv"], "\n"), 12)
	for _, text := range failed {
		assert.Contains(t, out["report.html"], strings.Split(text, ":")[0])
	}
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	_, err := Run(Options{In: dir, Out: t.TempDir()})
	assert.ErrorContains(t, err, "no CSV files in ")
	_, err = Run(Options{In: filepath.Join(dir, "missing"), Out: t.TempDir()})
	assert.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.csv"), []byte(header), 0o600))
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	for _, out := range []string{dir, filepath.Join(dir, "out"), filepath.Dir(dir), link} {
		_, err = Run(Options{In: dir, Out: out})
		assert.ErrorContains(t, err, "must not contain each other", out)
	}
	out := t.TempDir()
	r, err := Run(Options{In: link, Out: out, Engine: engine.DefaultConfig()})
	require.NoError(t, err)
	assert.Equal(t, 1, r.Files)
}

func BenchmarkRun(b *testing.B) {
	in := textOf(course(8, 5000))
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		o := Options{Engine: engine.DefaultConfig()}
		f := newFile("a.csv")
		f.format, _ = takeFormat(strings.NewReader(in), o.Columns, o.Format)
		var out bytes.Buffer
		require.NoError(b, f.judge(&o, backtest.NewMeter(strings.NewReader(in), nil, int64(len(in))), &out))
	}
	b.ReportMetric(float64(5000*b.N)/b.Elapsed().Seconds(), "rows/s")
}

// TestReportIsSelfContained verifies that the report loads no other files, and that it escapes names.
func TestReportIsSelfContained(t *testing.T) {
	_, out := runFiles(t, map[string]string{"<img src=x>.csv": textOf(course(1, 2000)), "b.csv": textOf(course(2, 20))}, nil)
	page := out["report.html"]
	assert.NotRegexp(t, `(?i)(https?:)?//[a-z]|<script|<link|@import|url\((?:[^#])`, page)
	assert.NotContains(t, page, "<img")
	assert.Contains(t, page, "&lt;img src=x&gt;.csv")
	assert.Equal(t, 2, strings.Count(page, "<figure"))
	assert.Contains(t, page, "expected false alarms per week")
	assert.Contains(t, page, `<circle class="dot"`)
	assert.NotContains(t, page, "Against the truth")
	assert.NotContains(t, page, "ZgotmplZ")
}
