// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/auspex-otel/auspex/internal/golden"
)

// TestFileCases runs testdata/{backtest,incidents,templates}/*.txtar. In each
// case, arguments holds the command line, and in/* holds the files of DIR/in. DIR
// stands for a new folder. The expected output is stdout, stderr, exit, and the
// files of DIR/out. Of the report, only the name is compared.
func TestFileCases(t *testing.T) {
	golden.Archives(t, "testdata/*/*.txtar", runFileCase)
}

func runFileCase(t *testing.T, is *txtar.Archive) *txtar.Archive {
	t.Helper()
	dir, arguments := t.TempDir(), ""
	require.NoError(t, os.Mkdir(filepath.Join(dir, "in"), 0o750))
	for _, f := range is.Files {
		switch {
		case f.Name == "arguments":
			arguments = string(f.Data)
		case strings.HasPrefix(f.Name, "in/"):
			path := filepath.Join(dir, f.Name)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
			require.NoError(t, os.WriteFile(path, f.Data, 0o600))
		}
	}
	code, out, errs := auspex(strings.Fields(strings.ReplaceAll(arguments, "DIR", dir))...)
	got := []txtar.File{
		{Name: "stdout", Data: []byte(strings.ReplaceAll(out, dir, "DIR"))},
		{Name: "stderr", Data: []byte(strings.ReplaceAll(errs, dir, "DIR"))},
		{Name: "exit", Data: fmt.Appendln(nil, code)},
	}
	return outcome(is, append(got, outputs(t, dir)...))
}

func outputs(t *testing.T, dir string) (files []txtar.File) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "out"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if filepath.Ext(path) == ".html" {
			assert.Contains(t, string(b), "<!doctype html>")
			b = nil
		}
		name, _ := filepath.Rel(dir, path)
		files = append(files, txtar.File{Name: filepath.ToSlash(name), Data: b})
		return err
	})
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return files
}
