// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/eval/evaldata"
)

func TestScore(t *testing.T) {
	truth := labels{strings.Fields("a a b b c"), []string{"x <*>", "x <*>", "y", "y", "z <*> <*>"}}
	assert.Equal(t, scores{1, 1, 1}, score(truth, truth))
	split := labels{strings.Fields("1 2 3 3 4"), []string{"x <*>", "x <*>", "why", "why", "z  <*><*> <*>"}}
	assert.Equal(t, scores{.6, 4. / 7, 2. / 7}, score(truth, split), "a is split, b has another template, c is right")
	one := labels{strings.Fields("1 1 1 1 1"), truth.template}
	assert.Zero(t, score(truth, one))
}

// TestScorerAgreesWithTheOneThatDecides compares the scorer with the independent reference scorer.
func TestScorerAgreesWithTheOneThatDecides(t *testing.T) {
	shared := evaldata.FolderFrom("../..")
	script := filepath.Join(shared, "loghub_score.py")
	list, err := readCorpora(filepath.Join(shared, "loghub"))
	require.NoError(t, err)
	python, err := exec.LookPath("python3")
	if _, missing := os.Stat(script); missing != nil || err != nil || len(list) == 0 {
		t.Skip("needs python3 and the data sets in " + shared)
	}
	dir := t.TempDir()
	want := map[string]scores{}
	for _, c := range list {
		m := mine(c.lines, straight(len(c.lines)))
		want[c.name] = score(c.truth, m.resolved)
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		require.NoError(t, w.Write([]string{"LineId", "EventId", "EventTemplate"}))
		for i := range c.lines {
			require.NoError(t, w.Write([]string{strconv.Itoa(i + 1), m.resolved.group[i], m.resolved.template[i]}))
		}
		w.Flush()
		require.NoError(t, os.WriteFile(filepath.Join(dir, c.name+".csv"), b.Bytes(), 0o600))
	}
	out, err := exec.CommandContext(t.Context(), python, script, "--json", "--truth", filepath.Join(shared, "loghub"), "--pred", dir).Output()
	require.NoError(t, err)
	var said struct {
		Systems map[string]struct{ GA, FGA, FTA float64 }
	}
	require.NoError(t, json.Unmarshal(out, &said))
	require.Len(t, said.Systems, len(want))
	for name, s := range said.Systems {
		assert.InDelta(t, s.GA, want[name].ga, 1e-9, name)
		assert.InDelta(t, s.FGA, want[name].fga, 1e-9, name)
		assert.InDelta(t, s.FTA, want[name].fta, 1e-9, name)
	}
}

// small writes labeled logs of two synthetic systems.
func small(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for k, name := range names {
		var b strings.Builder
		b.WriteString("LineId,Content,EventId,EventTemplate\n")
		for i := range 50 {
			fmt.Fprintf(&b, "%d,job %d of kind%c done,E1,job <*> of kind%c done\n", 2*i, i, 'a'+k, 'a'+k)
			fmt.Fprintf(&b, "%d,\"job %d, failed\",E2,\"job <*>, failed\"\n", 2*i+1, i)
		}
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, name+truthSuffix), []byte(b.String()), 0o600))
	}
	return dir
}

func report1(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(append(args, "-cost=false", "-junk", "2000", "-records", "0"), &out, &errs)
	assert.Empty(t, errs.String())
	return code, out.String()
}

// figures removes times and memory, the only figures that may differ between runs.
func figures(out string) string {
	var kept []string
	for line := range strings.Lines(out) {
		if !strings.Contains(line, "junk") && !strings.Contains(line, "heap") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func TestReportIsTheSameTwiceAndWithFilesRenamed(t *testing.T) {
	code, once := report1(t, "-in", small(t, "Aaa", "Bbb"))
	assert.Zero(t, code)
	_, again := report1(t, "-in", small(t, "Aaa", "Bbb"))
	assert.Equal(t, figures(once), figures(again))
	_, renamed := report1(t, "-in", small(t, "Zzz", "Ccc"))
	assert.Equal(t, figures(once), figures(strings.NewReplacer("Zzz", "Aaa", "Ccc", "Bbb").Replace(renamed)))
	assert.Contains(t, once, "mean             1.0000   1.0000   1.0000   1.0000")
}

func TestReportSaysThatItSkips(t *testing.T) {
	code, out := report1(t, "-in", t.TempDir())
	assert.Zero(t, code)
	assert.Contains(t, out, "skipped: no labeled logs in ")
	assert.Contains(t, out, "all targets met")
}

// TestReportCanFail verifies that labels that put all lines into one group miss the targets.
func TestReportCanFail(t *testing.T) {
	dir := small(t, "Aaa")
	file := filepath.Join(dir, "Aaa", "Aaa"+truthSuffix)
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, bytes.ReplaceAll(b, []byte(",E2,"), []byte(",E1,")), 0o600))
	code, out := report1(t, "-in", dir)
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "5 targets missed")
}

func TestWrongUse(t *testing.T) {
	for _, args := range [][]string{{"x"}, {"-junk", "0"}, {"-nonsense"}} {
		var out, errs bytes.Buffer
		assert.Equal(t, 2, run(args, &out, &errs))
		assert.NotEmpty(t, errs.String())
	}
}

func TestRedrawKeepsTheShape(t *testing.T) {
	c := shuffle(3, 1)
	assert.Len(t, c, 3)
	line := "job 1009 of 0, v2"
	for seed := range uint64(20) {
		got := redraw(line, newRand(seed))
		assert.Len(t, got, len(line))
		assert.Regexp(t, `^job [1-9]\d\d[1-9] of 0, v[1-9]$`, got)
	}
}

// TestGeneratedFormatsSettle verifies that each common format has few templates after the first block, and few new
// ones after that.
func TestGeneratedFormatsSettle(t *testing.T) {
	for _, f := range formats {
		t.Run(f.name, func(t *testing.T) {
			assert.Len(t, f.shapes, 10)
			g := grow(f, 5, 2*growthBlock)
			assert.LessOrEqual(t, g.templates, wantTemplates)
			require.Len(t, g.fresh, 2)
			assert.LessOrEqual(t, g.fresh[1], wantFresh)
			assert.Equal(t, g, grow(f, 5, 2*growthBlock), "the same seed gives the same records")
		})
	}
}

// TestGrowthCanFail verifies that a format whose records have no word in common is reported as growing.
func TestGrowthCanFail(t *testing.T) {
	chaos := format{name: "chaos", shapes: []func(*values) string{func(v *values) string { return junk(v.rng) }}}
	g := grow(chaos, 1, 2*growthBlock)
	assert.Greater(t, g.templates, wantTemplates)
	assert.Greater(t, g.fresh[1], wantFresh)
}

func TestPoolsHoldDifferentValues(t *testing.T) {
	v := newValues(3)
	for _, pool := range [][]string{v.users, v.hosts, v.paths, v.agents, v.sizes, v.sentences} {
		assert.Len(t, pool, poolSize)
		slices.Sort(pool)
		assert.Len(t, slices.Compact(pool), poolSize)
	}
}
