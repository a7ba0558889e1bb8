// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func post(t *testing.T, url, contentType, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set(requestHeader, "1")
	return ask(t, req)
}

// tomorrow is the expiry of the silences in these tests.
func tomorrow() string { return time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339) }

func TestSilences(t *testing.T) {
	e := newEngine()
	e.Tick(time.Now())
	base := startConsole(t, newHost(e)) + "/api/v1/silences"
	assert.JSONEq(t, `{"silences":[],"audit":[]}`, getJSON(t, base).raw)

	body := `{"kind":"silence","service":"cart","who":"ann","why":"load test","expires":"` + tomorrow() + `"}`
	added := post(t, base, "application/json; charset=utf-8", body)
	require.Equal(t, http.StatusOK, added.status, added.raw)
	assert.Len(t, added.body["id"], 16)
	assert.Equal(t, "cart", added.body["service"])
	list := getJSON(t, base)
	require.Len(t, list.list(t, "silences"), 1)
	assert.Equal(t, added.body, list.list(t, "silences")[0])
	assert.Equal(t, "add", list.list(t, "audit")[0]["action"])

	removed := ask(t, request(t, http.MethodDelete, base+"/"+added.body["id"].(string)+"?who=bob"))
	require.Equal(t, http.StatusOK, removed.status, removed.raw)
	assert.Equal(t, added.body, removed.body)
	list = getJSON(t, base)
	assert.Empty(t, list.list(t, "silences"))
	assert.Equal(t, "bob", list.list(t, "audit")[0]["who"])
}

func TestWrongSilences(t *testing.T) {
	e := newEngine()
	e.Tick(time.Now())
	base := startConsole(t, newHost(e)) + "/api/v1/silences"
	for _, tt := range []struct {
		contentType, body string
		status            int
		want              string
	}{
		{"text/plain", `{}`, 415, "Content-Type: application/json"},
		{"application/x-www-form-urlencoded", `{}`, 415, "Content-Type: application/json"},
		{"application/json", `{`, 400, "the body cannot be read as a silence"},
		{"application/json", `[]`, 400, "the body cannot be read as a silence"},
		{"application/json", `{"kinds":"silence"}`, 400, `unknown field "kinds"`},
		{"application/json", `{"kind":"silence","id":"x"}`, 400, "leave them out"},
		{"application/json", `{"kind":"silence","service":"cart","who":"ann","why":"x"}`, 400, "must be in the future"},
		{"application/json", `{"kind":"silence","who":"ann","why":"x"}`, 400, "the target is empty"},
		{"application/json", `{"kind":"silence","who":"` + strings.Repeat("x", maxBody) + `"}`, 400, "the body cannot be read"},
	} {
		a := post(t, base, tt.contentType, tt.body)
		assert.Equal(t, tt.status, a.status, a.raw)
		assert.Contains(t, a.body["error"], tt.want)
	}
	assert.Empty(t, e.Feedback().Audit)
}

// Where every client may read, no client may change anything.
func TestSilencesAreReadOnlyForTheNetwork(t *testing.T) {
	e := newEngine()
	e.Tick(time.Now())
	c := newTestConsole("0.0.0.0:0")
	require.NoError(t, c.Start(t.Context(), newHost(e)))
	defer func() { require.NoError(t, c.Shutdown(context.WithoutCancel(t.Context()))) }()
	_, port, err := net.SplitHostPort(c.addr.String())
	require.NoError(t, err)
	base := "http://127.0.0.1:" + port + "/api/v1/silences"
	a := post(t, base, "application/json", `{"kind":"silence","service":"cart","who":"ann","why":"x","expires":"`+tomorrow()+`"}`)
	assert.Equal(t, http.StatusForbidden, a.status, a.raw)
	assert.Equal(t, http.StatusForbidden, ask(t, request(t, http.MethodDelete, base+"/0123456789abcdef?who=ann")).status)
	assert.Equal(t, http.StatusOK, getJSON(t, base).status)
	assert.Empty(t, e.Feedback().Audit)
}
