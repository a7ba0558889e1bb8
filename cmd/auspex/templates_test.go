// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTemplatesReadsGzip(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte("job 1 done\njob 2 done\n"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	file := filepath.Join(t.TempDir(), "a.gz")
	require.NoError(t, os.WriteFile(file, b.Bytes(), 0o600))
	code, out, errs := auspex("templates", file)
	assert.Equal(t, exitOK, code)
	assert.Empty(t, errs)
	assert.Contains(t, out, "2 lines, 1 template\n\n2 × (100.00 %)")

	require.NoError(t, os.WriteFile(file, b.Bytes()[:15], 0o600))
	code, _, errs = auspex("templates", file)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, errs, file)
}

// TestTemplatesTakesLongLines verifies that reading continues after a line that is too long.
func TestTemplatesTakesLongLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.log")
	require.NoError(t, os.WriteFile(file, []byte("job 1 done\n"+strings.Repeat("x", 3<<20)+"\njob 2 done"), 0o600))
	code, out, errs := auspex("templates", file)
	assert.Equal(t, exitOK, code)
	assert.Empty(t, errs)
	assert.Contains(t, out, "3 lines, 2 templates\n\n2 × (66.67 %)")
}

func TestTemplatesSaysWhereItCouldNotWrite(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.csv")
	require.NoError(t, os.WriteFile(file, []byte("text\na\n"), 0o600))
	code, _, errs := auspex("templates", "--csv", file, "--column", "text", "--out", filepath.Join(dir, "no", "b.csv"))
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, errs, "b.csv")
}
