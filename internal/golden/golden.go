// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package golden compares what tests produce with files under testdata. With
// -rewrite, as in `go test ./internal/trace -rewrite`, tests write the files
// instead of comparing them.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

var rewrite = flag.Bool("rewrite", false, "write what the tests produce into testdata")

// Files runs a subtest for each file that matches pattern. play gets the text of
// the file and returns the text that the file must have. The test fails if no file
// matches.
func Files(t *testing.T, pattern string, play func(t *testing.T, text string) string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files, "no file matches %s", pattern)
	for _, file := range files {
		t.Run(name(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			got := play(t, string(text))
			if *rewrite {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
				return
			}
			assert.Equal(t, string(text), got, "expected is the file, actual what the code does; run the test with -rewrite to accept it")
		})
	}
}

// Archives is Files for txtar archives.
func Archives(t *testing.T, pattern string, play func(t *testing.T, archive *txtar.Archive) *txtar.Archive) {
	t.Helper()
	Files(t, pattern, func(t *testing.T, text string) string {
		t.Helper()
		return string(txtar.Format(play(t, txtar.Parse([]byte(text)))))
	})
}

// Play runs a scenario: a text in which each line that begins in the first column is a command, and the indented
// lines below it are its answers. It returns the text with the answers of do. It keeps empty lines and lines that
// begin with #.
func Play(text string, do func(words []string) (answers []string)) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, " ") {
			continue
		}
		out.WriteString(line)
		if words := strings.Fields(line); len(words) > 0 && words[0] != "#" {
			for _, answer := range do(words) {
				out.WriteString("  " + answer + "\n")
			}
		}
	}
	return out.String()
}

// name returns the path of a file below testdata, without its extension.
func name(file string) string {
	file = strings.TrimSuffix(filepath.ToSlash(file), filepath.Ext(file))
	if _, below, ok := strings.Cut(file, "testdata/"); ok {
		return below
	}
	return file
}
