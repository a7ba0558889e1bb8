// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/eval/score"
	"github.com/auspex-otel/auspex/internal/engine"
)

func quiet(out io.Writer) *report { return &report{out: out, progress: io.Discard} }

func TestPrintNAB(t *testing.T) {
	with := func(standard float64) score.NAB {
		return score.NAB{Profiles: map[string]score.NABProfile{
			"standard": {Score: standard, Threshold: 1.25, WindowsHit: 41, FalseRows: 97}, "reward_low_FP_rate": {Score: 50}, "reward_low_FN_rate": {Score: 70},
		}, PerFile: map[string]score.NABFile{"a/b.csv": {Raw: -0.5, Windows: 2, Hit: 1, FalseRows: 3}}}
	}
	for _, c := range []struct {
		best, atOne float64
		want        string
		missed      int
	}{
		{64, 61, "ok, ok", 0},
		{63.99, 61, "MISSED, ok", 1},
		{64, 60.99, "ok, MISSED", 1},
		{20, 0, "MISSED, MISSED", 2},
	} {
		var out bytes.Buffer
		r := quiet(&out)
		r.printNAB(with(c.best), with(c.atOne), [2]float64{5, 7.5})
		assert.Contains(t, out.String(), c.want+"\n")
		assert.Contains(t, out.String(), "is 5 and 7.5 minutes")
		assert.Equal(t, c.missed, r.missed)
		assert.NotContains(t, out.String(), "a/b.csv")
	}
	var out bytes.Buffer
	r := quiet(&out)
	r.perFile = true
	r.printNAB(with(70), with(69), [2]float64{5, 7.5})
	assert.Regexp(t, `a/b.csv +-0.500 +1/2 +3 +-0.500`, out.String())
}

// TestNABScorer verifies that the section runs the scorer in the data folder, here a replacement.
func TestNABScorer(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	write("nab/data/x/y.csv", "timestamp,value\n2026-01-05 00:00:00,1\n")
	write("nab/labels/combined_windows.json", `{"x/y.csv": []}`)
	section := func() (int, string) {
		var out, errs bytes.Buffer
		code := run([]string{"-eval", dir, "-section", "nab"}, shipped, &out, &errs)
		return code, out.String() + errs.String()
	}
	write("nab_score.py", `import sys, os, json
a = sys.argv
assert os.path.exists(os.path.join(a[a.index("--results") + 1], "x", "y.csv"))
s = 68 if "--thresholds" in a and a[a.index("--thresholds") + 1] == "1,1,1" else 70
p = dict(score=s, threshold=1, windows_hit=1, fp_rows=0)
print(json.dumps(dict(files=1, windows=1, missing=[], profiles=dict(standard=p, reward_low_FP_rate=p, reward_low_FN_rate=p), per_file={})))
`)
	code, said := section()
	assert.Equal(t, 0, code, said)
	assert.Regexp(t, `standard +70.00 .* 68.00 .*  ok, ok`, said)
	for script, want := range map[string]string{
		"import sys; sys.exit('no labels')":       "no labels",
		"print('no JSON')":                        "invalid character",
		`print('{"missing": ["x/y.csv"]}')`:       "no verdicts for",
		`print('{"profiles": {"standard": {}}}')`: "no profile reward_low_FP_rate",
	} {
		write("nab_score.py", script)
		code, said := section()
		assert.Equal(t, 1, code)
		assert.Contains(t, said, want)
		assert.Contains(t, said, "nab: could not be measured")
	}
}

func TestChange(t *testing.T) {
	rows := [][]string{{"timestamp", "value"}, {"2026-01-05 00:00:00", "0.1"}, {"", ""}, {"2026-01-05 00:05:00", "x"}}
	assert.Equal(t, [][]string{{"timestamp", "value"}, {"2026-02-02 00:00:00", "102.4"}, {"", ""}, {"2026-02-02 00:05:00", "x"}},
		change{weeks: 4, scale: 1024}.rows(rows))
	assert.Equal(t, "4198.4", change{scale: 1024, offset: 4096}.rows(rows)[1][1])
}

// TestCountsAreNotScaled verifies that counts are renamed and moved in time, but not scaled, and that a change with
// an offset omits them.
func TestCountsAreNotScaled(t *testing.T) {
	in := t.TempDir()
	for name, value := range map[string]string{"count.csv": "3", "gauge.csv": "0.5", "large.csv": "1000", "negative.csv": "-3"} {
		require.NoError(t, writeRows(filepath.Join(in, name), [][]string{{"timestamp", "value"}, {"2026-01-05 00:00:00", value}}, false))
	}
	whole, err := countFiles(in)
	require.NoError(t, err)
	assert.Equal(t, []string{"count.csv"}, whole)
	for _, c := range []struct {
		change
		want map[string]string
	}{
		{change{scale: 1024}, map[string]string{"count.csv": "3", "gauge.csv": "512", "large.csv": "1.024e+06", "negative.csv": "-3072"}},
		{change{scale: 1024, offset: 4096}, map[string]string{"gauge.csv": "4608", "large.csv": "1.028096e+06", "negative.csv": "1024"}},
	} {
		out, got := t.TempDir(), map[string]string{}
		names, err := c.copyFolder(in, out)
		require.NoError(t, err)
		for name := range names {
			rows, err := score.ReadCSV(filepath.Join(out, name))
			require.NoError(t, err)
			got[name] = rows[1][1]
		}
		assert.Equal(t, c.want, got)
	}
}

func TestCompare(t *testing.T) {
	var c comparison
	require.NoError(t, c.add(score.Row{"1.5", "0"}, score.Row{"1.5", "0"}))
	require.NoError(t, c.add(score.Row{"0.5", "2"}, score.Row{"0.25", "3"}))
	require.NoError(t, c.add(score.Row{"0", "1"}, score.Row{"1", "0.999"}))
	assert.Equal(t, comparison{rows: 3, differ: 2, above: [2]int{1, 2}, flips: [2]int{1, 1}}, c)
	require.NoError(t, c.add(score.Row{"0.5", "0.5"}, score.Row{"0.5", "0.25"}))
	require.NoError(t, c.add(score.Row{"0.5", "0.5"}, score.Row{"0.25", "0.5"}))
	assert.Equal(t, 4, c.differ, "rows that differ in either column")
	assert.Error(t, c.add(score.Row{"", "1"}, score.Row{"1", "1"}))

	for _, of := range []struct {
		flips  int
		missed int
	}{{10, 0}, {11, 1}} {
		var out bytes.Buffer
		r := quiet(&out)
		r.printFlips("name", "label", comparison{rows: 10_000, flips: [2]int{0, of.flips}})
		assert.Equal(t, of.missed, r.missed, out.String())
	}
}

// badBacktest runs the product's backtest and then modifies an output.
func badBacktest(spoil func(name string, lines []string) []string) product {
	p := shipped
	p.backtest = func(in, out string) error {
		if err := shipped.backtest(in, out); err != nil {
			return err
		}
		names, err := score.ListCSV(out)
		for _, name := range names {
			b, e := os.ReadFile(filepath.Join(out, name))
			lines := spoil(name, strings.SplitAfter(strings.TrimSuffix(string(b), "\n"), "\n"))
			err = errors.Join(err, e, os.WriteFile(filepath.Join(out, name), []byte(strings.TrimSuffix(strings.Join(lines, ""), "\n")+"\n"), 0o600))
		}
		return err
	}
	return p
}

func TestInvarianceIsBroken(t *testing.T) {
	in := t.TempDir()
	var rows [][]string
	for i := range 400 {
		rows = append(rows, []string{epoch.Add(time.Duration(i) * cadence).Format(time.DateTime), text(float64(i%7) + 0.1*float64(i%11))})
	}
	rows[350][1] = "100"
	require.NoError(t, writeRows(filepath.Join(in, "a.csv"), append([][]string{{"timestamp", "value"}}, rows...), false))
	spoiled := func(line string, column int) string {
		f := strings.Split(line, ",")
		f[column] = "7"
		return strings.Join(f, ",")
	}
	for _, c := range []struct {
		name   string
		spoil  func(name string, lines []string) []string
		missed []string
	}{
		{"nothing", func(_ string, l []string) []string { return l }, nil},
		{"keyed on the name", func(name string, l []string) []string {
			if name == "a.csv" {
				l[150] = spoiled(l[150], 2)
			}
			return l
		}, []string{"renamed"}},
		{"keyed on the name, in the score of the point", func(name string, l []string) []string {
			if name == "a.csv" {
				l[150] = spoiled(l[150], 3)
			}
			return l
		}, []string{"renamed"}},
		{"keyed on the length", func(_ string, l []string) []string {
			l[len(l)/2] = spoiled(l[len(l)/2], 2)
			return l
		}, []string{"cut at 50 %", "cut at 80 %"}},
	} {
		var out bytes.Buffer
		r := quiet(&out)
		r.product = badBacktest(c.spoil)
		require.NoError(t, r.invarianceOf("x", in, t.TempDir()))
		for line := range strings.Lines(out.String()) {
			expected := slices.ContainsFunc(c.missed, func(s string) bool { return strings.Contains(line, s) })
			assert.Equal(t, expected, strings.HasSuffix(line, "MISSED\n"), "%s: %s", c.name, line)
		}
	}
	r := quiet(io.Discard)
	r.product = badBacktest(func(_ string, l []string) []string { return l[:len(l)-1] })
	require.ErrorIs(t, r.invarianceOf("x", in, t.TempDir()), errRows)
}

// TestBacktestOfABadFile verifies that a file that the product cannot read is an error instead of being skipped.
func TestBacktestOfABadFile(t *testing.T) {
	in := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(in, "a.csv"), []byte("timestamp,value\n2026-01-05 00:00:00,1\n"), 0o600))
	require.NoError(t, shipped.backtest(in, t.TempDir()))
	require.NoError(t, os.WriteFile(filepath.Join(in, "b.csv"), []byte("a,b\n"), 0o600))
	require.ErrorContains(t, shipped.backtest(in, t.TempDir()), "b.csv")
}

func TestCutFolder(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(in, "a.csv"), []byte("timestamp,value\r\n1,1.0\r\n2,2\r\n3,3\r\n4,4"), 0o600))
	require.NoError(t, cutFolder(in, out, 0.5))
	b, err := os.ReadFile(filepath.Join(out, "a.csv"))
	require.NoError(t, err)
	assert.Equal(t, "timestamp,value\r\n1,1.0\r\n2,2\r\n", string(b))
}

func TestAlarmCount(t *testing.T) {
	c := newAlarmCount(firstDays + 3)
	c.add(1, 0)
	c.add(1, 6)
	c.add(2, 7)
	c.add(2, 9)
	c.add(3, 9)
	c.join(c)
	assert.Equal(t, []int{0, 4, 0, 0, 0, 0, 0, 0}, c.first)
	assert.Equal(t, []int{1, 0, 1, 1, 0, 1}, c.later[2])
	assert.Equal(t, []int{0, 0, 1, 0, 0, 1}, c.later[3])
	assert.Equal(t, []int{1, 0, 2, 1, 0, 2}, c.perDay())
	mean, variance := moments(c.perDay())
	assert.Equal(t, 1.0, mean)
	assert.InDelta(t, 0.8, variance, 1e-12)
	assert.Equal(t, 2, quantile(c.perDay(), 0.99))
	assert.Equal(t, 1, quantile(c.perDay(), 0.5))
}

func TestChosen(t *testing.T) {
	cfg := engine.FalseAlarms{Count: 5, Per: 24 * time.Hour, MaxAlpha: 1e-3}
	assert.InDelta(t, 5*13./100, chosenPerDay(cfg, 13, 100), 1e-12)
	assert.InDelta(t, 1e-3*288, chosenPerDay(cfg, 1, 1), 1e-12, "the cap on α binds")
	cfg.Per = time.Hour
	assert.InDelta(t, 120, chosenPerDay(cfg, 1000, 1000), 1e-9)
	total := 0
	for k := range families {
		total += membersOf(k, 100)
	}
	assert.Equal(t, 100, total)
	assert.Equal(t, 13, membersOf(0, 100))
	assert.Equal(t, 12, membersOf(7, 100))
}

func TestPrintAlarms(t *testing.T) {
	cfg := engine.FalseAlarms{Count: 8, Per: 24 * time.Hour, MaxAlpha: 1e-3}
	g := alarmGroup{series: 80, runs: make([]alarmRun, 2)} // the budget is one per day, family, and seed
	c := newAlarmCount(17)
	for k, n := range []int{5, 80, 4, 81, 0, 20, 20, 20} {
		c.later[k][3], c.later[k][4] = n-n/4, n/4
	}
	c.join(newAlarmCount(17))
	c.first[0] = 7
	var out bytes.Buffer
	r := quiet(&out)
	r.printAlarms(cfg, g, c, 17)
	want := []string{"0.25 +4 +7 +0.50  ok", "4.00 .*ok", "0.20 .*MISSED", "4.05 .*MISSED", "0.00 .*MISSED", "1.00 .*ok"}
	for k, w := range want {
		assert.Regexp(t, `(?m)^`+regexp.QuoteMeta(families[k].name)+` +10 +\d+ +20.0 +`+w+`$`, out.String())
	}
	assert.Regexp(t, `(?m)^all +80 +230 +160.0 +1.44 .*  ok$`, out.String())
	assert.Equal(t, 3, r.missed)
	r.missed = 0
	c.later[4][3] += 27 // 1.61 of the chosen number
	r.printAlarms(cfg, g, c, 17)
	assert.Regexp(t, `(?m)^all .* 1.61 .*  MISSED$`, out.String())
	assert.Equal(t, 3, r.missed)
}

func TestAlarmGroups(t *testing.T) {
	list := func(o options) (runs []alarmRun) {
		for _, g := range o.alarmGroups() {
			runs = append(runs, g.runs...)
		}
		return runs
	}
	small := list(options{seeds: 2, series: largeFleet})
	require.Len(t, small, 3*2+3)
	assert.Equal(t, alarmRun{smallFleet, 0, 2}, small[1])
	assert.Equal(t, alarmRun{largeFleet, 0.9, 1}, small[8])
	full := list(options{seeds: 2, series: largeFleet, full: true})
	assert.Equal(t, small[:6], full[:6])
	assert.Equal(t, alarmRun{fullFleet, 0.9, 1}, full[8])
}

func TestPrintCosts(t *testing.T) {
	cheap := cost{points: 3000, passes: []time.Duration{time.Hour, 2 * time.Millisecond, 0}}
	for _, c := range []struct {
		cost
		bytes  float64
		missed int
	}{
		{cheap, 8192, 0},
		{cost{1000, []time.Duration{2*time.Millisecond + time.Microsecond}, 0}, 8192, 1},
		{cost{1000, []time.Duration{0}, 10}, 8192, 1},
		{cheap, 8193, 1},
	} {
		var out bytes.Buffer
		r := quiet(&out)
		r.printCosts(1000, c.cost, cheap, c.bytes)
		assert.Equal(t, c.missed, r.missed, c)
		assert.Contains(t, out.String(), "520 points each before")
	}
}

func TestShuffledGroups(t *testing.T) {
	const n = 300
	order := shuffledGroups(n, rand.New(rand.NewPCG(1, 1)))
	changes := 0
	for i := range order[1:] {
		if order[i]/perService != order[i+1]/perService || order[i]%len(families) != order[i+1]%len(families) {
			changes++
		}
	}
	assert.Equal(t, 3*len(families)-1, changes)
	assert.False(t, sort.IntsAreSorted(order))
	slices.Sort(order)
	assert.Equal(t, byFamily(n, 1), order)
}

// TestMarginals verifies that the marginal distribution of every family is independent of the correlation.
func TestMarginals(t *testing.T) {
	tails := func(q *quantiles, x float64) float64 { // P(|X| > x) by the table
		z := sort.Search(9000, func(i int) bool { return q.at(float64(i)/1000) > x })
		return math.Erfc(float64(z) / 1000 / math.Sqrt2)
	}
	for x, want := range map[float64]float64{3.182446: 0.05, 12.92398: 0.001, 60.397: 1e-5} { // tables of Student's t, 3 degrees of freedom
		assert.InEpsilon(t, want, tails(student3, x), 0.02)
	}
	assert.Equal(t, -student3.at(1.5), student3.at(-1.5))
	for _, mean := range []float64{3, 0.1} {
		next, random := counts(mean)(nil), rand.New(rand.NewPCG(1, 1))
		const n = 200_000
		total, zeros := 0.0, 0.0
		for range n {
			v := next(0, random.NormFloat64())
			total += v
			if v == 0 {
				zeros++
			}
		}
		assert.InEpsilon(t, mean, total/n, 0.02)
		assert.InEpsilon(t, math.Exp(-mean), zeros/n, 0.02)
	}
}

func TestFleetCorrelation(t *testing.T) {
	const rho, steps = 0.9, 20_000
	f := newFleet("x", 4, families[:2], 1, rho) // series 0 and 2 are of one family, 1 and 3 of another
	v := make([][]float64, 4)
	for i := range steps {
		f.step(epoch.Add(time.Duration(i) * cadence))
		for s := range v {
			v[s] = append(v[s], f.points[s].DoubleValue())
		}
	}
	assert.InDelta(t, rho, correlation(v[0], v[2]), 0.01)
	assert.InDelta(t, rho, correlation(v[1], v[3]), 0.05)
	assert.InDelta(t, 0, correlation(v[0], v[1]), 0.05)
}

func correlation(a, b []float64) float64 {
	var sa, sb, saa, sbb, sab float64
	for i := range a {
		x, y := a[i]-50, b[i]-50
		sa, sb, saa, sbb, sab = sa+x, sb+y, saa+x*x, sbb+y*y, sab+x*y
	}
	n := float64(len(a))
	return (sab/n - sa/n*sb/n) / math.Sqrt((saa/n-sa/n*sa/n)*(sbb/n-sb/n*sb/n))
}

// TestSeasons verifies that weekly load occurs from Monday to Friday, and that the season of a place follows its
// local time.
func TestSeasons(t *testing.T) {
	next := weekly(rand.New(rand.NewPCG(1, 1)))
	noon := func(day int) float64 { return next(epoch.AddDate(0, 0, day).Add(12*time.Hour).Unix(), 0) }
	assert.Equal(t, noon(0), noon(4))
	assert.Greater(t, noon(4), noon(5))
	assert.Equal(t, noon(5), noon(6))
	assert.Equal(t, noon(0), noon(7))

	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	local := officeHours(zone).start(nil)
	assert.InDelta(t, 160, local(time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC).Unix(), 0), 1e-9)
	assert.InDelta(t, 160, local(time.Date(2026, 3, 29, 11, 0, 0, 0, time.UTC).Unix(), 0), 1e-9)
}
