// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package template

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/auspex-otel/auspex/internal/golden"
)

// TestScenarios runs testdata/*.txtar. The part "lines" is the input, one record per line. In it
// \n, \t, \e, and \0 stand for a line end, a tab, an escape character, and a zero. "#n TEXT" stands
// for n lines in which % is the number of the line, and {a,b,c} for one line each. The part
// "emitted" lists the distinct matches, with their numbers, and a + for new templates. The part
// "templates" lists the final templates. The results must be the same if the state is saved and
// restored after every line, and the ids must not depend on the order of the lines.
func TestScenarios(t *testing.T) {
	golden.Archives(t, "testdata/*.txtar", func(t *testing.T, archive *txtar.Archive) *txtar.Archive {
		t.Helper()
		lines := expand(t, string(archive.Files[0].Data))
		emitted, templates, ids := play(t, lines, false)
		again, templatesAgain, _ := play(t, lines, true)
		assert.Equal(t, emitted, again, "saved and restored after every line it must go the same way")
		assert.Equal(t, templates, templatesAgain)
		checkOtherOrder(t, lines, ids, templates)
		return &txtar.Archive{Comment: archive.Comment, Files: []txtar.File{
			archive.Files[0], {Name: "emitted", Data: []byte(emitted)}, {Name: "templates", Data: []byte(templates)},
		}}
	})
}

func expand(t *testing.T, text string) (lines []string) {
	t.Helper()
	unescape := strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\e`, "\x1b", `\0`, "\x00")
	for line := range strings.Lines(text) {
		line = unescape.Replace(strings.TrimSuffix(line, "\n"))
		if count, rest, ok := strings.Cut(line, " "); ok && strings.HasPrefix(count, "#") {
			n, err := strconv.Atoi(count[1:])
			require.NoError(t, err)
			for i := range n {
				lines = append(lines, strings.ReplaceAll(rest, "%", strconv.Itoa(i+1)))
			}
			continue
		}
		before, rest, many := strings.Cut(line, "{{")
		list, after, closed := strings.Cut(rest, "}}")
		if !many || !closed {
			lines = append(lines, line)
			continue
		}
		for word := range strings.SplitSeq(list, ",") {
			lines = append(lines, before+word+after)
		}
	}
	return lines
}

// play observes the lines with a miner, and with a restored one after every line if restore is
// set.
func play(t *testing.T, lines []string, restore bool) (emitted, templates string, ids map[string]ID) {
	t.Helper()
	m := New(DefaultConfig())
	var said []string
	ids = map[string]ID{}
	for _, line := range lines {
		match := m.Observe("shop", Body(line))
		if known, ok := ids[line]; ok {
			require.Equal(t, known, match.ID, "a line always has the same id: %s", line)
		}
		ids[line] = match.ID
		s := fmt.Sprintf("%s %s", match.ID, match.Template)
		if match.New {
			s = "+" + s
		}
		var params strings.Builder
		for _, p := range m.Params(nil) {
			fmt.Fprintf(&params, " %d.%d", p.Slot, p.Nth)
		}
		s += params.String()
		if !slices.Contains(said, s) {
			said = append(said, s)
		}
		if restore {
			m = restored(t, m)
		}
	}
	var b strings.Builder
	for _, info := range m.All() {
		fmt.Fprintf(&b, "%s %d %s\n", info.ID, info.Count, info.Template)
	}
	return strings.Join(said, "\n") + "\n", b.String(), ids
}

func restored(t *testing.T, m *Miner) *Miner {
	t.Helper()
	b, err := m.AppendBinary(nil)
	require.NoError(t, err)
	other := New(m.cfg)
	require.NoError(t, other.UnmarshalBinary(b))
	again, err := other.AppendBinary(nil)
	require.NoError(t, err)
	require.Equal(t, b, again)
	return other
}

// checkOtherOrder checks that a replica that observes the lines in another order has the same ids
// and templates.
func checkOtherOrder(t *testing.T, lines []string, ids map[string]ID, templates string) {
	t.Helper()
	for seed := range uint64(5) {
		other := slices.Clone(lines)
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		_, otherTemplates, otherIDs := play(t, other, false)
		assert.Equal(t, ids, otherIDs)
		assert.Equal(t, templates, otherTemplates, "seed %d", seed)
	}
}
