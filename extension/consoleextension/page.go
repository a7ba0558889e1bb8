// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/incident"
)

// bundle holds the files that `make console` built from web/src, and a placeholder.
//
//go:embed web/dist
var bundle embed.FS

// views are the paths at which the page shows something.
var views = []string{"/{$}", "/incidents", "/incidents/{id}", "/series", "/series/{id}", "/logs", "/services", "/pipelines", "/silences", "/backtests", "/about"}

// assets are the files of the page, by their path; there are no others.
var assets = map[string]string{
	"app.js": "text/javascript; charset=utf-8", "app.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml",
}

// incidentsMark is the place in the page where the open incidents stand as plain HTML.
const incidentsMark = "<!--incidents-->"

var plainIncidents = template.Must(template.New("incidents").Parse(`<noscript>
<h1>Open incidents</h1>
{{range .}}<article><h2>{{.Service}}</h2><p>{{.Sentence}}</p><p>Open since {{.Opened.Format "2006-01-02 15:04:05 MST"}}. <a href="/api/v1/incidents/{{.ID}}/report">Report</a></p></article>
{{else}}<p>There are none.</p>
{{end}}<p>Reload this page to update it. The other views need JavaScript.</p>
</noscript>`))

// addPage adds the page and its files to a mux.
func (a *api) addPage(mux *http.ServeMux) error {
	dist, err := fs.Sub(bundle, "web/dist")
	if err != nil {
		return err
	}
	index, err := fs.ReadFile(dist, "index.html")
	if err != nil { // it was never built
		if index, err = fs.ReadFile(dist, "placeholder.html"); err != nil {
			return err
		}
	}
	for name, media := range assets {
		content, err := fs.ReadFile(dist, name)
		if err != nil {
			continue
		}
		mux.Handle(path.Join("/", name), methods{http.MethodGet: asset(name, media, content)})
	}
	page := methods{http.MethodGet: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, status := index, http.StatusOK
		if e, err := a.theEngine(); err == nil {
			body, status = bytes.Replace(index, []byte(incidentsMark), plain(e), 1), known(e, r)
		}
		putAs(w, status, "text/html; charset=utf-8", body)
	})}
	for _, at := range views {
		mux.Handle(at, page)
	}
	mux.Handle("/backtests/{name}", methods{http.MethodGet: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := a.reports.read(r.PathValue("name"))
		if err != nil {
			putAs(w, http.StatusNotFound, "text/html; charset=utf-8", index) // the page shows that there is none
			return
		}
		a.reports.serve(w, body)
	})})
	return nil
}

// known returns 404 if a request names an incident or a series that there is not; the page shows why.
func known(e *engine.Engine, r *http.Request) int {
	ok, id := true, r.PathValue("id")
	switch {
	case id == "":
	case strings.HasPrefix(r.URL.Path, "/incidents/"):
		_, ok = e.Incident(id)
	default:
		_, err := detailOf(e, id)
		ok = err == nil
	}
	if !ok {
		return http.StatusNotFound
	}
	return http.StatusOK
}

// plain returns the open incidents as plain HTML, for browsers without JavaScript.
func plain(e *engine.Engine) []byte {
	list := []brief{}
	open := e.Incidents(incident.StateOpen)
	for i := range open[:min(maxOpen, len(open))] {
		list = append(list, briefOf(&open[i]))
	}
	var b bytes.Buffer
	if err := plainIncidents.Execute(&b, list); err != nil {
		return nil
	}
	return b.Bytes()
}

// asset serves one file, which a browser asks for again only if it changed.
func asset(name, media string, content []byte) http.Handler {
	sum := sha256.Sum256(content)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", media)
		h.Set("ETag", tag)
		h.Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	})
}
