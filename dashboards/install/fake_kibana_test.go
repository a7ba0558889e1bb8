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
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fakeKibana is a Kibana made from the documentation of its APIs: status, saved objects, dashboards, and alert rules.
type fakeKibana struct {
	version    string
	objects    map[string]savedObject
	dashboards map[string]map[string]any
	rules      map[string]map[string]any
	// writes counts requests that change something. The one with number failAt fails with the status failWith; failWith 0
	// stores half of an import and reports a failure, and closed makes the change and then closes the connection.
	writes, failAt, failWith int
	// said lists the requests that the API rejects because of their form.
	said []string
}

// closed is a value of failWith.
const closed = -1

func newFakeKibana(version string) *fakeKibana {
	return &fakeKibana{version: version, objects: map[string]savedObject{}, dashboards: map[string]map[string]any{}, rules: map[string]map[string]any{}}
}

// state returns what is stored, as JSON.
func (f *fakeKibana) state() string {
	text, _ := json.Marshal([]any{f.objects, f.dashboards, f.rules})
	return string(text)
}

type answerer = func(status int, body any)

func (f *fakeKibana) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := func(status int, body any) {
		w.WriteHeader(status)
		if body != nil {
			_ = json.NewEncoder(w).Encode(body)
		}
	}
	write := r.Method != http.MethodGet && r.URL.Path != "/api/saved_objects/_bulk_get"
	if write {
		f.writes++
	}
	if write && f.writes == f.failAt && f.failWith == closed {
		f.failAt = 0
		f.writes--
		f.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	switch {
	case r.Header.Get("Authorization") != "ApiKey secret":
		answer(http.StatusUnauthorized, nil)
	case r.Method != http.MethodGet && r.Header.Get("kbn-xsrf") == "":
		answer(http.StatusBadRequest, nil)
	case write && f.writes == f.failAt && f.failWith != 0:
		answer(f.failWith, map[string]any{"statusCode": f.failWith, "message": "because of a test"})
	case r.URL.Path == "/api/status":
		answer(http.StatusOK, map[string]any{"version": map[string]string{"number": f.version}})
	case r.URL.Path == "/api/saved_objects/_bulk_get":
		f.bulkGet(r, answer)
	case r.URL.Path == "/api/saved_objects/_import":
		f.load(r, answer)
	case strings.HasPrefix(r.URL.Path, "/api/saved_objects/"):
		remove(f.objects, r, answer)
	case strings.HasPrefix(r.URL.Path, "/api/dashboards/") && !strings.HasPrefix(f.version, "8."):
		f.dashboard(r, answer)
	case r.URL.Path == "/api/alerting/rules/_find":
		f.find(r, answer)
	case strings.HasPrefix(r.URL.Path, "/api/alerting/rule/"):
		f.rule(r, answer)
	default:
		f.reject(r, answer, "no such API")
	}
}

func (f *fakeKibana) reject(r *http.Request, answer answerer, why string) {
	f.said = append(f.said, r.Method+" "+r.URL.Path+": "+why)
	answer(http.StatusBadRequest, map[string]any{"message": why})
}

func remove[V any](from map[string]V, r *http.Request, answer answerer) {
	id := path.Base(r.URL.Path)
	if _, ok := from[id]; !ok || r.Method != http.MethodDelete {
		answer(http.StatusNotFound, map[string]any{"message": "Not Found"})
		return
	}
	delete(from, id)
	answer(http.StatusNoContent, nil)
}

func (f *fakeKibana) bulkGet(r *http.Request, answer answerer) {
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
}

func (f *fakeKibana) load(r *http.Request, answer answerer) {
	file, _, err := r.FormFile("file")
	if err != nil || r.URL.Query().Get("overwrite") != "true" {
		f.reject(r, answer, "no file, or no overwrite")
		return
	}
	text, _ := io.ReadAll(file)
	n := 0
	for line := range bytes.Lines(text) {
		var o savedObject
		_ = json.Unmarshal(line, &o)
		if n++; f.writes == f.failAt && n > 3 {
			answer(http.StatusOK, map[string]any{"success": false, "errors": []any{map[string]any{"id": o.ID, "error": map[string]string{"type": "unsupported_type"}}}})
			return
		}
		f.objects[o.ID] = o
	}
	answer(http.StatusOK, map[string]any{"success": true})
}

// dashboard serves the API of dashboards. It adds the options that Kibana returns with each dashboard.
func (f *fakeKibana) dashboard(r *http.Request, answer answerer) {
	id := path.Base(r.URL.Path)
	present, ok := f.dashboards[id]
	respond := func(status int) {
		answer(status, map[string]any{"id": id, "data": f.dashboards[id], "meta": map[string]any{}})
	}
	switch {
	case r.Method == http.MethodPut:
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		if unknown := others(body, "title", "description", "time_range", "panels", "options"); len(unknown) > 0 || body["title"] == nil {
			f.reject(r, answer, "unknown or missing keys: "+strings.Join(unknown, ", "))
			return
		}
		body["options"] = map[string]any{"use_margins": true}
		f.dashboards[id] = body
		if ok {
			respond(http.StatusOK)
		} else {
			respond(http.StatusCreated)
		}
	case r.Method == http.MethodGet && present != nil:
		respond(http.StatusOK)
	default:
		remove(f.dashboards, r, answer)
	}
}

// others returns the keys of a map that are not among those that are known, in order.
func others(m map[string]any, known ...string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(m)), func(k string) bool { return slices.Contains(known, k) })
}

// ruleID has the form of the ids that Kibana accepts for alert rules: a UUID of version 1 or 4.
var ruleID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[14][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// rule serves the API of alert rules. It rejects keys that the requests do not have, and adds some of those that answers have.
func (f *fakeKibana) rule(r *http.Request, answer answerer) {
	id := path.Base(r.URL.Path)
	present, ok := f.rules[id]
	known := append([]string{"actions"}, settings...)
	var body map[string]any
	switch {
	case r.Method == http.MethodPost && ok:
		answer(http.StatusConflict, map[string]any{"message": "Saved object [alert/" + id + "] conflict"})
		return
	case r.Method == http.MethodPost:
		known = append(known, "rule_type_id", "consumer", "enabled")
		body = map[string]any{"id": id, "execution_status": map[string]any{"status": "pending"}, "mute_all": false}
	case r.Method == http.MethodPut && ok:
		body = maps.Clone(present)
	case r.Method == http.MethodGet && ok:
		answer(http.StatusOK, present)
		return
	default:
		remove(f.rules, r, answer)
		return
	}
	var sent map[string]any
	_ = json.NewDecoder(r.Body).Decode(&sent)
	actions, _ := sent["actions"].([]any)
	for _, a := range actions {
		if unknown := others(a.(map[string]any), "id", "group", "params", "frequency", "uuid", "alerts_filter", "use_alert_data_for_template"); len(unknown) > 0 {
			f.reject(r, answer, "[request body.actions]: definition for this key is missing: "+strings.Join(unknown, ", "))
			return
		}
	}
	if unknown := others(sent, known...); len(unknown) > 0 || !ruleID.MatchString(id) {
		f.reject(r, answer, "[request body]: definition for this key is missing, or no UUID: "+strings.Join(unknown, ", "))
		return
	}
	maps.Copy(body, sent)
	for _, a := range actions {
		a.(map[string]any)["connector_type_id"] = ".email"
	}
	f.rules[id] = body
	answer(http.StatusOK, body)
}

// find searches names of rules for a phrase.
func (f *fakeKibana) find(r *http.Request, answer answerer) {
	found := []any{}
	for _, rule := range f.rules {
		if name, _ := rule["name"].(string); r.URL.Query().Get("search_fields") == "name" && strings.Contains(name, strings.Trim(r.URL.Query().Get("search"), `"`)) {
			found = append(found, rule)
		}
	}
	answer(http.StatusOK, map[string]any{"page": 1, "per_page": 100, "total": len(found), "data": found})
}

func (f *fakeKibana) install(t *testing.T, key string, dry bool) (string, []Change, error) {
	t.Helper()
	s := httptest.NewServer(f)
	defer s.Close()
	return Kibana(t.Context(), Options{URL: s.URL, Key: key, DryRun: dry, Client: s.Client()})
}
