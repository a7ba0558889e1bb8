// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const reportHTML = "<!doctype html><title>Backtest of a &amp; b – Auspex</title><style>p { color: red }</style><p>fine</p>"

// reportsFolder has the reports old and new; a secret lies beside it.
func reportsFolder(t *testing.T) string {
	t.Helper()
	outside := t.TempDir()
	dir := filepath.Join(outside, "reports")
	write := func(file, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	write(filepath.Join(outside, reportName), "secret")
	write(filepath.Join(outside, "other", reportName), "secret")
	write(filepath.Join(dir, reportName), "in no folder of its own")
	write(filepath.Join(dir, "old", reportName), reportHTML)
	write(filepath.Join(dir, "new", reportName), "no title")
	write(filepath.Join(dir, "new", "below", reportName), "too deep")
	write(filepath.Join(dir, "empty", "series.csv"), "x")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "folder", reportName), 0o700))
	require.NoError(t, os.Symlink(filepath.Join(outside, "other"), filepath.Join(dir, "link")))
	require.NoError(t, os.Symlink("..", filepath.Join(dir, "up")))
	require.NoError(t, os.Chtimes(filepath.Join(dir, "old", reportName), start, start))
	require.NoError(t, os.Chtimes(filepath.Join(dir, "new", reportName), start, start.Add(time.Hour)))
	return dir
}

func startWithReports(t *testing.T, dir string) string {
	t.Helper()
	c := newTestConsole("127.0.0.1:0")
	c.api.reports.directory = dir
	return startThis(t, c, newHost(newEngine()))
}

// page returns the response to a browser.
type page struct {
	status int
	policy string
	body   string
}

func getPage(t *testing.T, url string) page {
	t.Helper()
	resp, err := browser.Do(request(t, http.MethodGet, url))
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return page{resp.StatusCode, resp.Header.Get("Content-Security-Policy"), string(body)}
}

func TestBacktests(t *testing.T) {
	dir := reportsFolder(t)
	base := startWithReports(t, dir)
	a := getJSON(t, base+"/api/v1/backtests")
	assert.Equal(t, map[string]any{"directory": dir, "total": 2., "backtests": []any{
		map[string]any{"name": "new", "title": "", "written": "2026-03-02T09:00:00Z", "bytes": 8.},
		map[string]any{"name": "old", "title": "Backtest of a & b", "written": "2026-03-02T08:00:00Z", "bytes": float64(len(reportHTML))},
	}}, a.body)
	old := getPage(t, base+"/backtests/old")
	assert.Equal(t, http.StatusOK, old.status)
	assert.Equal(t, reportHTML, old.body)
	assert.Equal(t, "default-src 'none'; style-src 'sha256-ngewhhP73WDIbgwseeu52VAAJgKdGUsu1IUQQsAm8m4='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		old.policy)
	assert.Contains(t, getPage(t, base+"/backtests/new").policy, "style-src 'none'")
}

func TestNoPathLeadsOutOfTheReports(t *testing.T) {
	base := startWithReports(t, reportsFolder(t))
	for _, name := range []string{
		"missing", "empty", "folder", "link", "up", "..", ".", "%2e%2e", "..%2fother", "%2e%2e%2fother", "new%2fbelow", "new%2f..", "..%5cother", "%2fetc", "%00", "old%00",
	} {
		got := getPage(t, base+"/backtests/"+name)
		assert.NotContains(t, got.body, "secret", name)
		assert.NotContains(t, got.body, "own", name)
		assert.NotContains(t, got.body, "deep", name)
		assert.NotEqual(t, reportHTML, got.body, name)
		if name != "." && name != ".." && name != "%2e%2e" { // which a client resolves
			assert.Equal(t, http.StatusNotFound, got.status, name)
		}
	}
}

func TestNoBacktests(t *testing.T) {
	base := startWithReports(t, "")
	assert.JSONEq(t, `{"directory":"","total":0,"backtests":[]}`, getJSON(t, base+"/api/v1/backtests").raw)
	assert.Equal(t, http.StatusNotFound, getPage(t, base+"/backtests/old").status)
	gone := getJSON(t, startWithReports(t, filepath.Join(t.TempDir(), "gone"))+"/api/v1/backtests")
	assert.Equal(t, http.StatusServiceUnavailable, gone.status)
	assert.Contains(t, gone.body["error"], "check backtests::directory")
}
