// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// untar returns the files of an archive by their base name.
func untar(t *testing.T, name string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	z, err := gzip.NewReader(bytes.NewReader(b))
	require.NoError(t, err)
	files := map[string]string{}
	for r := tar.NewReader(z); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		content, err := io.ReadAll(r)
		require.NoError(t, err)
		files[path.Base(header.Name)] = string(content)
	}
}

// fakeCollector answers like a collector, each address with its path; requests for the paths in fails fail.
func fakeCollector(t *testing.T, answers map[string]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			answer = `{"error":"there is nothing here"}`
		}
		io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestSupportBundle(t *testing.T) {
	at := fakeCollector(t, map[string]string{
		"/api/v1/status": `{"version":"1"}`, "/api/v1/pipelines": `{}`, "/api/v1/incidents": `{}`, "/api/v1/silences": `{}`,
		"/api/v1/config": `{"config":"exporters:\n  elasticsearch:\n    password: hunter2\n"}`, "/metrics": "up 1\n", "/debug/pprof/heap": "\x1f\x8bheap",
		"/debug/pprof/goroutine": "g", "/debug/pprof/profile": "c",
	})
	dir := t.TempDir()
	log, out := filepath.Join(dir, "collector.log"), filepath.Join(dir, "out.tar.gz")
	require.NoError(t, os.WriteFile(log, []byte("cut off"+strings.Repeat("x", maxLog)+"\nAuthorization: Bearer abcdefghijklmnop\nready\n"), 0o600))
	code, text, errs := auspex("support-bundle", "--endpoint", at, "--metrics", at+"/metrics", "--pprof", at, "--log", log, "--during", "0s", "--out", out)
	require.Equal(t, exitOK, code, errs)
	assert.Contains(t, text, "config.yaml                "+at+"/api/v1/config\n")
	assert.Contains(t, text, out+": 12 files, ")
	files := untar(t, out)
	assert.Len(t, files, 12)
	assert.Contains(t, files["versions.txt"], "auspex "+version)
	assert.Equal(t, "exporters:\n  elasticsearch:\n    password: <*>\n", files["config.yaml"])
	assert.Equal(t, "up 1\n", files["metrics-1.txt"])
	assert.Equal(t, "up 1\n", files["metrics-2.txt"])
	assert.Equal(t, "\x1f\x8bheap", files["heap.pprof"])
	assert.Equal(t, "Authorization: Bearer <*>\nready\n", files["1-collector.log"])
	info, err := os.Stat(out)
	require.NoError(t, err)
	assert.EqualValues(t, 0o600, info.Mode().Perm())

	code, _, errs = auspex("support-bundle", "--endpoint", at, "--metrics", "", "--out", out)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, errs, "cannot write the archive: open "+out+": file exists")
}

func TestSupportBundleWithoutACollector(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.tar.gz")
	code, text, errs := auspex("support-bundle", "--endpoint", "http://127.0.0.1:1", "--metrics", "http://user:secret@127.0.0.1:1/metrics", "--during", "0s", "--out", out)
	require.Equal(t, exitOK, code, errs)
	assert.Contains(t, text, "left out: status.json: no collector answers at http://127.0.0.1:1 (connection refused)")
	files := untar(t, out)
	assert.Len(t, files, 2)
	assert.Contains(t, files["errors.txt"], "metrics-1.txt: ")
	assert.NotContains(t, text+files["errors.txt"], "secret")
}

func TestSupportBundleList(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.tar.gz")
	code, text, _ := auspex("support-bundle", "--list", "--out", out)
	assert.Equal(t, exitOK, code)
	assert.Contains(t, text, "FILE ")
	assert.NoFileExists(t, out)
}
