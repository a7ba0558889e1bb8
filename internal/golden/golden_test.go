// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package golden

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

func TestPlay(t *testing.T) {
	text := "# twice\n\ndouble a b\n  stale\nnothing\n"
	got := Play(text, func(words []string) (answers []string) {
		for _, w := range words[1:] {
			answers = append(answers, w+w)
		}
		return answers
	})
	assert.Equal(t, "# twice\n\ndouble a b\n  aa\n  bb\nnothing\n", got)
}

func TestRewrite(t *testing.T) {
	defer func(before bool) { *rewrite = before }(*rewrite)
	file := filepath.Join(t.TempDir(), "testdata", "a.txtar")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, []byte("-- in --\nx\n-- out --\nstale\n"), 0o600))
	answer := func(_ *testing.T, a *txtar.Archive) *txtar.Archive {
		return &txtar.Archive{Files: []txtar.File{a.Files[0], {Name: "out", Data: []byte(strings.ToUpper(string(a.Files[0].Data)))}}}
	}
	*rewrite = true
	Archives(t, file, answer)
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "-- in --\nx\n-- out --\nX\n", string(b))
	*rewrite = false
	Archives(t, file, answer)
}

func TestName(t *testing.T) {
	assert.Equal(t, "backtest/csv", name("testdata/backtest/csv.txtar"))
	assert.Equal(t, "a", name("/tmp/testdata/a.txt"))
	assert.Equal(t, "a", name("a.txt"))
}
