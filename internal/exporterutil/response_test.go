// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package exporterutil

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJudge(t *testing.T) {
	for status, want := range map[int]Outcome{
		200: Accepted, 202: Accepted, 204: Accepted,
		400: Refused, 413: Refused, 415: Refused, 422: Refused,
		302: Failed, 401: Failed, 403: Failed, 404: Failed, 405: Failed, 407: Failed, 408: Failed, 429: Failed, 500: Failed, 503: Failed,
	} {
		assert.Equal(t, want, Judge(status), status)
	}
}

func TestExplain(t *testing.T) {
	res := &http.Response{Status: "302 Found", StatusCode: http.StatusFound, Header: http.Header{"Location": {"https://user:hunter2@elsewhere/write"}}}
	assert.Equal(t, "302 Found: redirects are not followed: set endpoint to https://elsewhere/write", Explain(res, []byte("moved")))
	res = &http.Response{Status: "400 Bad Request", StatusCode: http.StatusBadRequest}
	assert.Equal(t, "400 Bad Request: be cause", Explain(res, []byte("be\n cause")))
	assert.Equal(t, "400 Bad Request", Explain(res, nil))
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "soon": 0, "-5": 0, "7": 7 * time.Second, "99999999": 24 * time.Hour,
		"Mon, 23 Nov 2026 05:01:00 GMT": time.Minute, "Mon, 23 Nov 2026 04:00:00 GMT": 0,
	} {
		assert.Equal(t, want, RetryAfter(value, now), value)
	}
}

func TestRefuseRedirects(t *testing.T) {
	followed := false
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		followed = followed || r.URL.Path == "/elsewhere"
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer s.Close()
	client := s.Client()
	RefuseRedirects(client)
	res, err := client.Post(s.URL, "text/plain", http.NoBody)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, http.StatusTemporaryRedirect, res.StatusCode)
	assert.False(t, followed)
}
