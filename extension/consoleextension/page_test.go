// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine"
)

// fetch asks as a browser's address bar does.
func fetch(t *testing.T, url string, header ...string) (status int, h http.Header, body string) {
	t.Helper()
	req := request(t, http.MethodGet, url)
	req.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := browser.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, resp.Header, string(b)
}

// The bundle is committed, so this finds sources that were changed without `make console`.
func TestBundleIsMadeFromTheSources(t *testing.T) {
	var names []string
	require.NoError(t, filepath.WalkDir("web/src", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.Contains(p, ".test.") {
			names = append(names, strings.TrimPrefix(filepath.ToSlash(p), "web/"))
		}
		return err
	}))
	names = append(names, "build.mjs", "package.json", "tsconfig.json")
	slices.Sort(names)
	h := sha256.New()
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("web", name))
		require.NoError(t, err)
		h.Write([]byte(name + "\n"))
		h.Write(text)
		h.Write([]byte("\n"))
	}
	recorded, err := os.ReadFile("web/dist/sources.sha256")
	require.NoError(t, err, "run make console")
	assert.Equal(t, strings.TrimSpace(string(recorded)), hex.EncodeToString(h.Sum(nil)), "web/src has changed: run make console")
}

func TestBundleIsSmallAndSelfContained(t *testing.T) {
	total := 0
	for _, name := range []string{"index.html", "app.js", "app.css", "icon.svg"} {
		text, err := os.ReadFile(filepath.Join("web/dist", name))
		require.NoError(t, err)
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(text)
		require.NoError(t, w.Close())
		total += b.Len()
		for _, url := range regexp.MustCompile(`https?://[a-z0-9.-]+`).FindAllString(string(text), -1) {
			assert.Contains(t, []string{"http://www.w3.org"}, url, "%s names another host", name)
		}
		assert.NotContains(t, string(text), "eval(")
	}
	t.Logf("the bundle has %d bytes with gzip", total)
	assert.Less(t, total, 150_000)
}

func TestPage(t *testing.T) {
	e := busyEngine(t)
	base := startConsole(t, newHost(e))
	id := e.Incidents("open")[0].ID
	series := e.Series(engine.SeriesQuery{})[0].ID
	for path, status := range map[string]int{
		"/": 200, "/incidents/" + id: 200, "/series/" + series: 200, "/logs?q=x": 200, "/about": 200,
		"/incidents/0000000000000000": 404, "/series/nothing": 404, "/nowhere": 404, "/app.js": 200, "/app.css": 200, "/icon.svg": 200,
	} {
		got, h, body := fetch(t, base+path)
		assert.Equal(t, status, got, path)
		assert.Equal(t, contentPolicy, h.Get("Content-Security-Policy"), path)
		assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
		assert.NotContains(t, h.Get("Content-Security-Policy"), "unsafe")
		if strings.HasPrefix(h.Get("Content-Type"), "text/html") {
			assert.Contains(t, body, `src="/app.js"`, path)
			assert.NotRegexp(t, `(?i)<script>|<style|<[^>]* (style|on[a-z]+)=`, body, path)
		}
	}
	status, h, _ := fetch(t, base+"/app.js")
	require.Equal(t, 200, status)
	status, _, body := fetch(t, base+"/app.js", "If-None-Match", h.Get("ETag"))
	assert.Equal(t, 304, status)
	assert.Empty(t, body)
}

// A page whose bundle was never built says how to build it.
func TestPlaceholder(t *testing.T) {
	text, err := fs.ReadFile(bundle, "web/dist/placeholder.html")
	require.NoError(t, err)
	assert.Contains(t, string(text), "make console")
	assert.Contains(t, string(text), incidentsMark)
}

const markup = `<img src=x onerror=alert(1)>`

// hostileEngine has an open incident whose names are markup.
func hostileEngine(t *testing.T) *engine.Engine {
	t.Helper()
	e := newEngine()
	e.Tick(start.Add(8000 * time.Second))
	for i := range 800 {
		v := 10 + float64(i*7919%100)/100
		if i >= 797 {
			v += 40
		}
		md := pmetric.NewMetrics()
		addGauge(md, "shop"+markup, start.Add(time.Duration(i)*10*time.Second), v)
		e.ObserveMetrics(md, engine.Output{Select: engine.SelectNone})
	}
	require.Len(t, e.Incidents("open"), 1)
	return e
}

func TestTelemetryIsTextWithoutJavaScript(t *testing.T) {
	e := hostileEngine(t)
	c := newTestConsole("127.0.0.1:0")
	base := startThis(t, c, newHost(e))
	_, _, body := fetch(t, base+"/")
	assert.Contains(t, body, "Open incidents")
	assert.Contains(t, body, "shop&lt;img")
	assert.NotContains(t, body, "<img")

	status, h, report := fetch(t, base+"/api/v1/incidents/"+e.Incidents("open")[0].ID+"/report")
	require.Equal(t, 200, status)
	assert.Contains(t, h.Get("Content-Disposition"), "attachment")
	assert.Contains(t, report, "shop&lt;img")
	assert.NotContains(t, report, "<img")
	assert.NotContains(t, report, "<script")
	assert.NotRegexp(t, `<[^>]*(src|href)=`, report, "it needs nothing else")
}

func TestReportHasCharts(t *testing.T) {
	e := newEngine()
	c := newTestConsole("127.0.0.1:0")
	e.SetCharts(c.api.charts)
	busy(e)
	base := startThis(t, c, newHost(e))
	_, _, report := fetch(t, base+"/api/v1/incidents/"+e.Incidents("open")[0].ID+"/report")
	assert.Contains(t, report, "<svg")
	assert.Contains(t, report, `class="dot"`)
	assert.Contains(t, report, "Likely cause: checkout")
	got := ask(t, request(t, http.MethodGet, base+"/api/v1/incidents/nothing/report"))
	assert.Equal(t, 404, got.status)
}
