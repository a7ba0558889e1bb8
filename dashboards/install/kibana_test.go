// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeKibana is a Kibana made from the documentation of its API: status and saved objects.
type fakeKibana struct {
	version string
	objects map[string]savedObject
	imports int
	// refuse is the status of imports, 0 for none. The import with number breakAt stores half of the objects and reports a failure.
	refuse, breakAt int
}

func newFakeKibana() *fakeKibana {
	return &fakeKibana{version: "8.19.9", objects: map[string]savedObject{}}
}

func (f *fakeKibana) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := func(status int, body any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	switch {
	case r.Header.Get("Authorization") != "ApiKey secret":
		answer(http.StatusUnauthorized, nil)
	case r.Method != http.MethodGet && r.Header.Get("kbn-xsrf") == "":
		answer(http.StatusBadRequest, nil)
	case r.URL.Path == "/api/status":
		answer(http.StatusOK, map[string]any{"version": map[string]string{"number": f.version}})
	case r.URL.Path == "/api/saved_objects/_bulk_get":
		var ids, found []map[string]any
		_ = json.NewDecoder(r.Body).Decode(&ids)
		for _, id := range ids {
			o, ok := f.objects[id["id"].(string)]
			if !ok {
				found = append(found, map[string]any{"id": id["id"], "type": id["type"], "error": map[string]any{"statusCode": 404}})
				continue
			}
			found = append(found, map[string]any{"id": o.ID, "type": o.Type, "attributes": o.Attributes, "references": o.References})
		}
		answer(http.StatusOK, map[string]any{"saved_objects": found})
	case r.URL.Path == "/api/saved_objects/_import":
		f.load(r, answer)
	case r.Method == http.MethodDelete:
		id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		if _, ok := f.objects[id]; !ok {
			answer(http.StatusNotFound, nil)
			return
		}
		delete(f.objects, id)
		answer(http.StatusOK, map[string]any{})
	}
}

func (f *fakeKibana) load(r *http.Request, answer func(int, any)) {
	f.imports++
	if f.refuse != 0 {
		answer(f.refuse, nil)
		return
	}
	file, _, err := r.FormFile("file")
	if err != nil || r.URL.Query().Get("overwrite") != "true" {
		answer(http.StatusBadRequest, nil)
		return
	}
	text, _ := io.ReadAll(file)
	n := 0
	for line := range bytes.Lines(text) {
		var o savedObject
		_ = json.Unmarshal(line, &o)
		if n++; f.imports == f.breakAt && n > 3 {
			answer(http.StatusOK, map[string]any{"success": false, "errors": []any{map[string]any{"id": o.ID, "error": map[string]string{"type": "unsupported_type"}}}})
			return
		}
		f.objects[o.ID] = o
	}
	answer(http.StatusOK, map[string]any{"success": true})
}

func (f *fakeKibana) install(t *testing.T, key string, dry bool) (string, []Change, error) {
	t.Helper()
	s := httptest.NewServer(f)
	defer s.Close()
	return Kibana(t.Context(), Options{URL: s.URL, Key: key, DryRun: dry, Client: s.Client()})
}

func TestKibanaFirstTimeThenAgain(t *testing.T) {
	f := newFakeKibana()
	_, changes, err := f.install(t, "secret", true)
	require.NoError(t, err)
	assert.Equal(t, map[Action]int{Created: 7}, actions(changes))
	assert.Zero(t, f.imports, "a dry run")

	version, changes, err := f.install(t, "secret", false)
	require.NoError(t, err)
	assert.Equal(t, "8.19.9", version)
	assert.Equal(t, map[Action]int{Created: 7}, actions(changes))
	assert.Len(t, f.objects, 7)

	_, changes, err = f.install(t, "secret", false)
	require.NoError(t, err)
	assert.Equal(t, map[Action]int{Unchanged: 7}, actions(changes))
	assert.Equal(t, 1, f.imports, "the second time writes nothing")

	f.objects["auspex-overview"].Attributes["description"] = "earlier"
	_, changes, err = f.install(t, "secret", false)
	require.NoError(t, err)
	assert.Equal(t, map[Action]int{Unchanged: 6, Updated: 1}, actions(changes))
}

func TestKibanaRefused(t *testing.T) {
	for _, c := range []struct {
		name, key, says string
		prepare         func(*fakeKibana)
	}{
		{"old version", "secret", "runs Kibana 8.18.4, but the dashboards need Kibana 8.19 or newer", func(f *fakeKibana) { f.version = "8.18.4" }},
		{"wrong key", "other", "rejects the API key (status 401)", func(*fakeKibana) {}},
		{"no permission", "secret", "the API key may not import saved objects in Kibana", func(f *fakeKibana) { f.refuse = http.StatusForbidden }},
		{"id in use", "secret", `has an object "Mine" with the id auspex-overview that is not from Auspex`, func(f *fakeKibana) {
			f.objects["auspex-overview"] = savedObject{Type: "dashboard", ID: "auspex-overview", Attributes: map[string]any{"title": "Mine"}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFakeKibana()
			c.prepare(f)
			before := maps.Clone(f.objects)
			_, _, err := f.install(t, c.key, false)
			require.ErrorContains(t, err, c.says)
			assert.Equal(t, before, f.objects)
		})
	}
}

// TestKibanaRevertsHalfAnImport checks that created objects are deleted and replaced ones are restored.
func TestKibanaRevertsHalfAnImport(t *testing.T) {
	f := newFakeKibana()
	f.objects["auspex-incidents"] = savedObject{Type: "index-pattern", ID: "auspex-incidents", Attributes: map[string]any{"name": "Auspex incidents", "title": "earlier"}, References: []any{}}
	f.breakAt = 1
	_, _, err := f.install(t, "secret", false)
	require.ErrorContains(t, err, "rejects the saved object")
	require.ErrorContains(t, err, "nothing was installed")
	require.Len(t, f.objects, 1)
	assert.Equal(t, "earlier", f.objects["auspex-incidents"].Attributes["title"])
}
