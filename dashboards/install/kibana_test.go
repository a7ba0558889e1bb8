// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Objects of an installation: three data views, a Discover session, three dashboards, and two alert rules.
const all = 9

// The requests that change something, in the order in which an installation sends them, by the version of Kibana.
var writes = map[string]int{"8.19.9": 1 + 2, "9.4.2": 1 + 2, "9.5.0": 1 + 3 + 2, "10.0.0": 1 + 3 + 2}

const (
	incidentRule = "9e7345ae-fd18-4e27-a796-c77c6ff4fb1e"
	anomalyRule  = "78180761-2635-4207-bf8a-ff3cfe410e35"
)

func TestKibanaFirstTimeThenAgain(t *testing.T) {
	for number, requests := range writes {
		t.Run(number, func(t *testing.T) {
			f := newFakeKibana(number)
			_, changes, err := f.install(t, "secret", true)
			require.NoError(t, err)
			assert.Equal(t, map[Action]int{Created: all}, actions(changes))
			assert.Contains(t, changes, Change{"alert rule", "Auspex: open incident", Created}, "a dry run lists the rules")
			assert.Zero(t, f.writes, "a dry run")

			version, changes, err := f.install(t, "secret", false)
			require.NoError(t, err)
			assert.Equal(t, number, version)
			assert.Equal(t, map[Action]int{Created: all}, actions(changes))
			assert.Equal(t, requests, f.writes)
			assert.Equal(t, all, len(f.objects)+len(f.dashboards)+len(f.rules))
			assert.Len(t, f.rules, 2)
			byAPI := requests > 3
			assert.Equal(t, byAPI, f.dashboards["auspex-overview"] != nil)
			assert.Equal(t, !byAPI, f.objects["auspex-overview"].ID != "")

			_, changes, err = f.install(t, "secret", false)
			require.NoError(t, err)
			assert.Equal(t, map[Action]int{Unchanged: all}, actions(changes))
			assert.Equal(t, requests, f.writes, "the second time writes nothing")
			assert.Empty(t, f.said)
		})
	}
}

func TestKibanaUpdate(t *testing.T) {
	f := newFakeKibana("9.5.0")
	_, _, err := f.install(t, "secret", false)
	require.NoError(t, err)
	installed, before := f.state(), f.writes

	f.objects["auspex-incidents-session"].Attributes["description"] = "earlier"
	f.dashboards["auspex-overview"]["description"] = "earlier"
	f.rules[incidentRule]["params"].(map[string]any)["timeWindowSize"] = 3
	f.rules[anomalyRule]["enabled"] = false // a choice of the user
	_, changes, err := f.install(t, "secret", false)
	require.NoError(t, err)
	assert.Equal(t, map[Action]int{Unchanged: all - 3, Updated: 3}, actions(changes))
	assert.Equal(t, before+3, f.writes)
	assert.Equal(t, false, f.rules[anomalyRule]["enabled"])
	f.rules[anomalyRule]["enabled"] = true
	assert.JSONEq(t, installed, f.state())
	assert.Empty(t, f.said)
}

// TestKibanaKeepsActions checks that an update sends back the actions that a user has added, in the form of a request.
func TestKibanaKeepsActions(t *testing.T) {
	f := newFakeKibana("9.5.0")
	_, _, err := f.install(t, "secret", false)
	require.NoError(t, err)
	mail := map[string]any{"id": "c", "group": "query matched", "params": map[string]any{}, "uuid": "u", "connector_type_id": ".email"}
	f.rules[incidentRule]["actions"] = []any{mail}
	_, changes, err := f.install(t, "secret", false)
	require.NoError(t, err)
	assert.Equal(t, map[Action]int{Unchanged: all}, actions(changes))

	f.rules[incidentRule]["name"] = "Auspex: earlier"
	_, _, err = f.install(t, "secret", false)
	require.NoError(t, err)
	assert.Equal(t, "Auspex: open incident", f.rules[incidentRule]["name"])
	assert.Equal(t, []any{mail}, f.rules[incidentRule]["actions"])
	assert.Empty(t, f.said)
}

func TestKibanaRefused(t *testing.T) {
	for _, c := range []struct {
		name, version, key, says string
		prepare                  func(*fakeKibana)
	}{
		{"old version", "8.18.4", "secret", "runs Kibana 8.18.4, but the dashboards need Kibana 8.19 or newer", nil},
		{"wrong key", "8.19.9", "other", "rejects the API key (status 401)", nil},
		{"id of an object in use", "8.19.9", "secret", `has an object "Mine" with the id auspex-overview that is not from Auspex`, func(f *fakeKibana) {
			f.objects["auspex-overview"] = savedObject{Type: "dashboard", ID: "auspex-overview", Attributes: map[string]any{"title": "Mine"}}
		}},
		{"id of a dashboard in use", "9.5.0", "secret", `has a dashboard "Mine" with the id auspex-overview that is not from Auspex`, func(f *fakeKibana) {
			f.dashboards["auspex-overview"] = map[string]any{"title": "Mine"}
		}},
		{"id of a rule in use", "8.19.9", "secret", `has an alert rule "Mine" with the id ` + incidentRule + " that is not from Auspex (it lacks the tag auspex)", func(f *fakeKibana) {
			f.rules[incidentRule] = map[string]any{"id": incidentRule, "name": "Mine", "tags": []any{"mine"}}
		}},
		{"name of a rule in use", "9.5.0", "secret", `has an alert rule "Auspex: open incident" with the id 1 that is not from Auspex: rename or delete it, nothing was installed`, func(f *fakeKibana) {
			f.rules["1"] = map[string]any{"id": "1", "name": "Auspex: open incident"}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFakeKibana(c.version)
			if c.prepare != nil {
				c.prepare(f)
			}
			before := f.state()
			_, _, err := f.install(t, c.key, false)
			require.ErrorContains(t, err, c.says)
			assert.JSONEq(t, before, f.state())
			assert.Zero(t, f.writes)
		})
	}
}

// TestKibanaFailureRevertsEveryChange lets each request fail in turn, in an empty Kibana and in one with an earlier version.
func TestKibanaFailureRevertsEveryChange(t *testing.T) {
	for number, requests := range writes {
		for status, text := range map[int]string{
			http.StatusForbidden:  "(status 403): give it a role that allows this; nothing was installed",
			http.StatusConflict:   "the name is in use already (status 409); rename or delete what has it; nothing was installed",
			http.StatusBadRequest: `answers with status 400: "because of a test"; nothing was installed`,
			closed:                "EOF; nothing was installed",
		} {
			for at := 1; at <= requests; at++ {
				f := newFakeKibana(number)
				empty := f.state()
				f.failAt, f.failWith = at, status
				_, changes, err := f.install(t, "secret", false)
				require.ErrorContains(t, err, text)
				assert.Empty(t, changes)
				assert.JSONEq(t, empty, f.state(), "%s, request %d", number, at)

				f.failAt = 0
				_, _, err = f.install(t, "secret", false)
				require.NoError(t, err)
				for _, o := range f.objects {
					o.Attributes["description"] = "earlier"
				}
				for _, d := range f.dashboards {
					d["description"] = "earlier"
				}
				for _, r := range f.rules {
					r["schedule"] = map[string]any{"interval": "5m"}
				}
				earlier := f.state()
				f.failAt = f.writes + at
				_, _, err = f.install(t, "secret", false)
				require.ErrorContains(t, err, text)
				assert.JSONEq(t, earlier, f.state(), "%s, request %d", number, at)
			}
		}
	}
}

// TestKibanaRevertsHalfAnImport checks that created objects are deleted and replaced ones are restored.
func TestKibanaRevertsHalfAnImport(t *testing.T) {
	f := newFakeKibana("8.19.9")
	f.objects["auspex-incidents"] = savedObject{Type: "index-pattern", ID: "auspex-incidents", Attributes: map[string]any{"name": "Auspex incidents", "title": "earlier"}, References: []any{}}
	f.failAt = 1
	_, _, err := f.install(t, "secret", false)
	require.ErrorContains(t, err, "rejects the saved object")
	require.ErrorContains(t, err, "nothing was installed")
	require.Len(t, f.objects, 1)
	assert.Equal(t, "earlier", f.objects["auspex-incidents"].Attributes["title"])
}
