// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"cmp"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/engine"
)

func TestIndex(t *testing.T) {
	a := getJSON(t, startConsole(t, newHost(newEngine()))+"/api/v1")
	assert.Equal(t, "1.2.3", a.body["version"])
	paths := []any{}
	for _, r := range a.list(t, "routes") {
		paths = append(paths, r["path"])
		assert.NotEmpty(t, r["about"])
	}
	assert.Equal(t, []any{
		"/api/v1/status", "/api/v1/incidents", "/api/v1/incidents/{id}", "/api/v1/incidents/{id}/report", "/api/v1/anomalies",
		"/api/v1/series", "/api/v1/series/{id}", "/api/v1/series/{id}/points", "/api/v1/templates", "/api/v1/services", "/api/v1/health",
		"/api/v1/pipelines", "/api/v1/tap", "/api/v1/config", "/api/v1/backtests",
		"/api/v1/silences", "/api/v1/silences", "/api/v1/silences/{id}",
	}, paths)
}

func TestStatus(t *testing.T) {
	before := time.Now().Add(-time.Second)
	base := startConsole(t, newHost(busyEngine(t)))
	a := getJSON(t, base+"/api/v1/status")
	require.Equal(t, http.StatusOK, a.status)
	assert.Equal(t, "1.2.3", a.body["version"])
	started, err := time.Parse(time.RFC3339, a.body["started"].(string))
	require.NoError(t, err)
	assert.WithinRange(t, started, before, time.Now())
	assert.EqualValues(t, 3, a.body["series"])
	assert.EqualValues(t, 2400, a.body["points"])
	assert.EqualValues(t, 1, a.body["open_incidents"])
	assert.Equal(t, false, a.body["persisted"])
	assert.Equal(t, "no-store", a.header.Get("Cache-Control"))
	assert.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
	assert.Empty(t, a.header.Get("Access-Control-Allow-Origin"))
}

func TestIncidents(t *testing.T) {
	base := startConsole(t, newHost(busyEngine(t)))
	for query, want := range map[string][]string{
		"": {"checkout"}, "?state=open": {"checkout"}, "?state=closed": {"cart"}, "?state=all": {"checkout", "cart"},
	} {
		got := []string{}
		for _, i := range getJSON(t, base+"/api/v1/incidents"+query).list(t, "incidents") {
			got = append(got, i["service"].(string))
			assert.NotEmpty(t, i["suspects"])
			assert.NotEmpty(t, i["anomalies"])

			one := getJSON(t, base+"/api/v1/incidents/"+i["id"].(string))
			require.Equal(t, http.StatusOK, one.status)
			assert.Equal(t, i, one.body)
		}
		assert.Equal(t, want, got, query)
	}
}

func TestAnomalies(t *testing.T) {
	base := startConsole(t, newHost(busyEngine(t)))
	for query, want := range map[string][]string{
		"": {"checkout"}, "?state=open": {"checkout"}, "?state=closed": {"cart"}, "?state=all": {"checkout", "cart"},
	} {
		got := []string{}
		for _, a := range getJSON(t, base+"/api/v1/anomalies"+query).list(t, "anomalies") {
			got = append(got, a["service"].(string))
			assert.Equal(t, "queue.length", a["metric"])
			assert.Equal(t, "high", a["kind"])
			assert.Greater(t, a["max_score"], 1.0)
			assert.InDelta(t, 50, a["observed"], 5)
			assert.Equal(t, map[string]any{"queue": "orders"}, a["attributes"])
		}
		assert.Equal(t, want, got, query)
	}
}

func TestSeries(t *testing.T) {
	base := startConsole(t, newHost(busyEngine(t)))
	for query, want := range map[string]int{
		"":                  3,
		"?service=checkout": 1,
		"?service=checkout&metric=queue.length&statistic=value": 1,
		"?statistic=p95":  0,
		"?metric=nothing": 0,
		"?limit=2":        2,
	} {
		assert.Len(t, getJSON(t, base+"/api/v1/series"+query).list(t, "series"), want, query)
	}
	first := getJSON(t, base+"/api/v1/series?service=checkout").list(t, "series")[0]
	assert.Greater(t, first["score"], 1.0)
	assert.InDelta(t, 10, first["expected"], 5)
}

func TestEmptyLists(t *testing.T) {
	base := startConsole(t, newHost(newEngine()))
	for _, key := range []string{"incidents", "anomalies", "series"} {
		assert.Equal(t, `{"`+key+`":[]}`+"\n", getJSON(t, base+"/api/v1/"+key).raw)
	}
}

func TestWrongRequests(t *testing.T) {
	base := startConsole(t, newHost(newEngine()))
	for _, tt := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"GET", "/api/v1/incidents?state=opened", 400, `state is "opened": it must be one of open|closed|all`},
		{"GET", "/api/v1/incidents?state=", 400, `state is ""`},
		{"GET", "/api/v1/anomalies?state=OPEN", 400, `state is "OPEN"`},
		{"GET", "/api/v1/incidents?status=open", 400, `unknown parameter "status": there are state`},
		{"GET", "/api/v1/incidents?state=open&state=all", 400, "parameter state is there 2 times"},
		{"GET", "/api/v1/incidents?state=%zz", 400, "the query cannot be read"},
		{"GET", "/api/v1/incidents/0123456789abcdef?state=open", 400, `unknown parameter "state": there are none here`},
		{"GET", "/api/v1/status?b&a", 400, `unknown parameter "a", "b"`},
		{"GET", "/api/v1?x=1", 400, `unknown parameter "x"`},
		{"GET", "/api/v1/series?statistic=p42", 400, `statistic is "p42": it must be one of value|rate|mean|p50|p95|p99`},
		{"GET", "/api/v1/series?limit=0", 400, `limit is "0": it must be a number, 1..10000`},
		{"GET", "/api/v1/series?limit=10001", 400, `limit is "10001"`},
		{"GET", "/api/v1/series?limit=many", 400, `limit is "many"`},
		{"GET", "/api/v1/incidents/0123456789abcdef", 404, `no incident has the id "0123456789abcdef"`},
		{"GET", "/api/v1/incidents/", 404, "there is nothing at /api/v1/incidents/: GET /api/v1 lists what there is"},
		{"GET", "/api/v2/status", 404, "there is nothing at /api/v2/status"},
		{"POST", "/api/v1/incidents", 405, "POST is not supported: the API only answers GET here"},
		{"PATCH", "/api/v1/silences", 405, "PATCH is not supported: the API only answers GET and POST here"},
		{"GET", "/api/v1/silences/0123456789abcdef", 405, "GET is not supported: the API only answers DELETE here"},
		{"DELETE", "/api/v1/silences/0123456789abcdef?who=ann", 404, `no silence has the id "0123456789abcdef": GET /api/v1/silences lists`},
		{"DELETE", "/api/v1/silences/0123456789abcdef", 400, "who must not be empty"},
		{"POST", "/api/v1/silences", 415, "the body must be JSON"},
		{"DELETE", "/api/v1/incidents/0123456789abcdef", 405, "DELETE is not supported"},
		{"OPTIONS", "/api/v1/status", 405, "OPTIONS is not supported"},
		{"PUT", "/", 405, "PUT is not supported"},
	} {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			a := ask(t, request(t, tt.method, base+tt.path))
			assert.Equal(t, tt.status, a.status)
			assert.Contains(t, a.body["error"], tt.want)
			if tt.status == http.StatusMethodNotAllowed {
				want := map[string]string{"/api/v1/silences": "GET, HEAD, POST", "/api/v1/silences/0123456789abcdef": "DELETE"}
				assert.Equal(t, cmp.Or(want[tt.path], "GET, HEAD"), a.header.Get("Allow"))
			}
		})
	}
}

func TestHead(t *testing.T) {
	base := startConsole(t, newHost(newEngine()))
	a := ask(t, request(t, http.MethodHead, base+"/api/v1/incidents"))
	assert.Equal(t, http.StatusOK, a.status)
	assert.Empty(t, a.raw)
}

func TestEngineIsFoundAtTheFirstRequest(t *testing.T) {
	h := newHost(newEngine(), newEngine())
	base := startConsole(t, h)
	a := getJSON(t, base+"/api/v1/status")
	assert.Equal(t, http.StatusServiceUnavailable, a.status)
	assert.Contains(t, a.body["error"], "several anomaly engines")

	h.setEngines(busyEngine(t))
	for range 2 { // and remembered
		assert.EqualValues(t, 3, getJSON(t, base+"/api/v1/status").body["series"])
		h.setEngines(newEngine())
	}
}

func TestNoEngineYet(t *testing.T) {
	for name, find := range map[string]func() (*engine.Engine, error){
		"the engine is not there yet: ask again in a second": func() (*engine.Engine, error) { return nil, nil },
		"there is no engine to ask: two of them":             func() (*engine.Engine, error) { return nil, errors.New("two of them") },
	} {
		w := httptest.NewRecorder()
		h, err := (&api{find: find}).handler()
		require.NoError(t, err)
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/status", http.NoBody))
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.JSONEq(t, `{"error":"`+name+`"}`, w.Body.String())
	}
}

func TestAnswersThatFail(t *testing.T) {
	for _, tt := range []struct {
		value any
		err   error
		want  string
	}{
		{math.NaN(), nil, "cannot be written as JSON"},
		{nil, errors.New("broken"), "broken"},
	} {
		w := httptest.NewRecorder()
		h := answers(nil, func(*http.Request, url.Values) (any, error) { return tt.value, tt.err })
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
		assert.Equal(t, http.StatusInternalServerError, w.Code)
		assert.Contains(t, w.Body.String(), tt.want)
	}
}
