// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDashboardsExport(t *testing.T) {
	dir := t.TempDir()
	code, out, errs := auspex("dashboards", "export", dir)
	require.Equal(t, exitOK, code, errs)
	assert.Contains(t, out, "files written to "+dir)
	text, err := os.ReadFile(filepath.Join(dir, "grafana", "provisioning", "dashboards", "auspex", "overview.json"))
	require.NoError(t, err)
	assert.True(t, json.Valid(text))
	assert.FileExists(t, filepath.Join(dir, "grafana", "mixin.libsonnet"))
	for _, name := range []string{"auspex.ndjson", "dashboards/auspex-overview.json", "rules/9e7345ae-fd18-4e27-a796-c77c6ff4fb1e.json"} {
		assert.FileExists(t, filepath.Join(dir, "kibana", filepath.FromSlash(name)))
	}

	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	code, _, errs = auspex("dashboards", "export", file)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, errs, "cannot write the dashboards to "+file)
}

func TestDashboardsInstall(t *testing.T) {
	t.Setenv(apiKeyVariable, "from the environment")
	var keys []string
	grafana := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get("Authorization"))
		if r.URL.Path == "/api/health" {
			_, _ = w.Write([]byte(`{"version":"13.0.1"}`))
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	defer grafana.Close()
	code, out, errs := auspex("dashboards", "install", "--grafana", grafana.URL, "--dry-run")
	require.Equal(t, exitOK, code, errs)
	assert.Contains(t, out, "Grafana 13.0.1 at "+grafana.URL)
	assert.Contains(t, out, "dashboard  Auspex: overview       created")
	assert.Contains(t, out, "Dry run: nothing was changed.")
	assert.Contains(t, keys, "Bearer from the environment")

	_, _, errs = auspex("dashboards", "install", "--grafana", grafana.URL, "--api-key", "from the flag")
	assert.Contains(t, errs, "cannot create the folder Auspex")
	assert.Contains(t, keys, "Bearer from the flag")
}

func TestDashboardsUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"dashboards", "install"}, "state either --grafana or --kibana"},
		{[]string{"dashboards", "install", "--grafana", "localhost:3000"}, "but must be one such as"},
		{[]string{"dashboards", "export"}, "takes one folder"},
		{[]string{"dashboards", "exp"}, `did you mean "export"?`},
	} {
		code, _, errs := auspex(c.args...)
		assert.Equal(t, exitUsage, code, c.args)
		assert.Contains(t, errs, c.says, c.args)
	}
}
