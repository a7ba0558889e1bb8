// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fake is a Grafana made from the documentation of its HTTP API: health, folders, and dashboards.
type fake struct {
	version string
	key     string
	folders map[string]bool
	boards  map[string]stored
	// writes counts requests that change something. From the one with number failAt on, saving fails with failWith.
	writes, failAt, failWith int
}

type stored struct {
	Dashboard map[string]any
	FolderUID string
}

func newFake() *fake {
	return &fake{version: "12.3.1", key: "secret", folders: map[string]bool{}, boards: map[string]stored{}}
}

func (f *fake) state() map[string]stored { return maps.Clone(f.boards) }

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := func(status int, body any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	if r.URL.Path == "/api/health" {
		answer(http.StatusOK, map[string]string{"commit": "x", "database": "ok", "version": f.version})
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+f.key {
		answer(http.StatusUnauthorized, map[string]string{"message": "Invalid API key"})
		return
	}
	uid := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	if r.Method != http.MethodGet {
		f.writes++
		if r.Method == http.MethodPost && f.failAt > 0 && f.writes == f.failAt {
			answer(f.failWith, map[string]string{"message": "no"})
			return
		}
	}
	switch r.Method + " " + strings.TrimSuffix(r.URL.Path, uid) {
	case "GET /api/folders/":
		if !f.folders[uid] {
			answer(http.StatusNotFound, map[string]string{"message": "folder not found"})
			return
		}
		answer(http.StatusOK, map[string]any{"uid": uid, "canSave": true})
	case "POST /api/":
		var body struct{ UID string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		f.folders[body.UID] = true
		answer(http.StatusOK, map[string]any{"uid": body.UID})
	case "DELETE /api/folders/":
		delete(f.folders, uid)
		answer(http.StatusOK, map[string]any{})
	case "GET /api/dashboards/uid/":
		b, ok := f.boards[uid]
		if !ok {
			answer(http.StatusNotFound, map[string]string{"message": "Dashboard not found"})
			return
		}
		answer(http.StatusOK, map[string]any{"dashboard": b.Dashboard, "meta": map[string]any{"folderUid": b.FolderUID}})
	case "POST /api/dashboards/":
		f.save(r, answer)
	case "DELETE /api/dashboards/uid/":
		delete(f.boards, uid)
		answer(http.StatusOK, map[string]any{})
	default:
		answer(http.StatusNotFound, map[string]string{"message": r.URL.Path})
	}
}

// save stores a dashboard with what Grafana adds to it.
func (f *fake) save(r *http.Request, answer func(int, any)) {
	var body struct {
		Dashboard map[string]any
		FolderUID string
		Overwrite bool
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	uid := body.Dashboard["uid"].(string)
	if _, ok := f.boards[uid]; ok && !body.Overwrite {
		answer(http.StatusPreconditionFailed, map[string]string{"status": "version-mismatch"})
		return
	}
	body.Dashboard["id"], body.Dashboard["version"], body.Dashboard["schemaVersion"] = 7., 1., 39.
	f.boards[uid] = stored{body.Dashboard, body.FolderUID}
	answer(http.StatusOK, map[string]any{"uid": uid, "status": "success"})
}

// install runs against the fake.
func (f *fake) install(t *testing.T, key string, dry bool) (string, []Change, error) {
	t.Helper()
	s := httptest.NewServer(f)
	defer s.Close()
	return Grafana(t.Context(), Options{URL: s.URL + "/", Key: key, DryRun: dry, Client: s.Client()})
}

func actions(changes []Change) map[Action]int {
	m := map[Action]int{}
	for _, c := range changes {
		m[c.Action]++
	}
	return m
}

func TestFirstTimeThenAgain(t *testing.T) {
	f := newFake()
	version, changes, err := f.install(t, "secret", false)
	require.NoError(t, err)
	assert.Equal(t, "12.3.1", version)
	assert.Equal(t, map[Action]int{Created: 6}, actions(changes))
	assert.Len(t, f.boards, 6)
	assert.Equal(t, folderUID, f.boards["auspex-overview"].FolderUID)
	assert.Equal(t, 7, f.writes)

	_, changes, err = f.install(t, "secret", false)
	require.NoError(t, err)
	assert.Equal(t, map[Action]int{Unchanged: 6}, actions(changes))
	assert.Equal(t, 7, f.writes, "the second time writes nothing")
}

func TestUpdateOfAnEarlierVersion(t *testing.T) {
	f := newFake()
	_, _, err := f.install(t, "secret", false)
	require.NoError(t, err)
	f.boards["auspex-series"].Dashboard["title"] = "an earlier title"
	_, changes, err := f.install(t, "secret", false)
	require.NoError(t, err)
	assert.Equal(t, map[Action]int{Unchanged: 5, Updated: 1}, actions(changes))
	assert.Equal(t, "Auspex: series", f.boards["auspex-series"].Dashboard["title"])
}

func TestDryRunWritesNothing(t *testing.T) {
	f := newFake()
	_, changes, err := f.install(t, "secret", true)
	require.NoError(t, err)
	assert.Equal(t, map[Action]int{Created: 6}, actions(changes))
	assert.Zero(t, f.writes)
}

func TestRefusedBeforeTheFirstChange(t *testing.T) {
	t.Run("old version", func(t *testing.T) {
		f := newFake()
		f.version = "10.4.2"
		_, _, err := f.install(t, "secret", false)
		require.ErrorContains(t, err, "runs Grafana 10.4.2, but the dashboards need Grafana 11 or newer")
		assert.Zero(t, f.writes)
	})
	t.Run("wrong key", func(t *testing.T) {
		f := newFake()
		_, _, err := f.install(t, "other", false)
		require.ErrorContains(t, err, "rejects the API key (status 401)")
		assert.Zero(t, f.writes)
	})
	t.Run("uid of another dashboard", func(t *testing.T) {
		f := newFake()
		f.boards["auspex-self"] = stored{Dashboard: map[string]any{"title": "Mine", "uid": "auspex-self"}}
		_, _, err := f.install(t, "secret", false)
		require.ErrorContains(t, err, `has a dashboard "Mine" with the uid auspex-self that is not from Auspex`)
		assert.Zero(t, f.writes)
	})
	t.Run("no Grafana", func(t *testing.T) {
		s := httptest.NewServer(http.NotFoundHandler())
		defer s.Close()
		_, _, err := Grafana(t.Context(), Options{URL: s.URL, Client: s.Client()})
		require.ErrorContains(t, err, "does not answer like Grafana")
	})
	t.Run("unreachable", func(t *testing.T) {
		s := httptest.NewServer(http.NotFoundHandler())
		s.Close()
		_, _, err := Grafana(t.Context(), Options{URL: s.URL, Client: s.Client()})
		require.ErrorContains(t, err, "cannot reach Grafana at "+s.URL)
		assert.Equal(t, 1, strings.Count(err.Error(), s.URL))
	})
}

// TestFailureRevertsEveryChange lets each write fail in turn, in an empty Grafana and in one with an earlier version.
func TestFailureRevertsEveryChange(t *testing.T) {
	for status, text := range map[int]string{
		http.StatusForbidden:          "(status 403): give it a role that allows this; nothing was installed",
		http.StatusPreconditionFailed: "the name is in use already (status 412); rename or delete what has it; nothing was installed",
	} {
		for at := 1; at <= 7; at++ {
			f := newFake()
			f.failAt, f.failWith = at, status
			_, _, err := f.install(t, "secret", false)
			require.ErrorContains(t, err, text)
			assert.Empty(t, f.boards)
			assert.Empty(t, f.folders)
		}
	}
	f := newFake()
	_, _, err := f.install(t, "secret", false)
	require.NoError(t, err)
	for uid := range f.boards {
		f.boards[uid].Dashboard["title"] = "earlier"
	}
	delete(f.boards, "auspex-overview")
	before := f.state()
	f.failAt, f.failWith = f.writes+6, http.StatusForbidden
	_, _, err = f.install(t, "secret", false)
	require.ErrorContains(t, err, "nothing was installed")
	after := f.state()
	require.Len(t, after, len(before))
	for uid, b := range after {
		assert.Equal(t, "earlier", b.Dashboard["title"], uid)
	}
}

func TestContains(t *testing.T) {
	shipped := map[string]any{"a": []any{1., map[string]any{"b": "c"}}, "schemaVersion": 42.}
	assert.True(t, contains(map[string]any{"a": []any{1., map[string]any{"b": "c", "more": true}}, "schemaVersion": 39.}, shipped))
	assert.False(t, contains(map[string]any{"a": []any{1., map[string]any{"b": "d"}}}, shipped))
	assert.False(t, contains(map[string]any{"a": []any{1.}}, shipped))
	assert.False(t, contains(map[string]any{}, shipped))
	assert.False(t, contains(nil, shipped))
}
