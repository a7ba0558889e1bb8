// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNothingListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	endpoint := "http://" + l.Addr().String()
	require.NoError(t, l.Close())
	for _, args := range [][]string{{"incidents"}, {"incidents", "--json"}, {"incidents", "00000000000000a1"}} {
		code, out, errs := auspex(append(args, "--endpoint", endpoint)...)
		assert.Equal(t, exitFailed, code)
		assert.Empty(t, out)
		assert.Equal(t, "auspex incidents: no collector answers at "+endpoint+
			" (connection refused): start one with otelcol-auspex, or set --endpoint\n", errs)
	}
}

func TestUnknownHost(t *testing.T) {
	code, _, errs := auspex("incidents", "--endpoint", "http://auspex.invalid:8899")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, errs, "no answer from http://auspex.invalid:8899 (")
	assert.Contains(t, errs, "or set --endpoint")
}

func TestConnectionThatBreaks(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, `{"incidents":`)
	}))
	defer server.Close()
	code, _, errs := auspex("incidents", "--endpoint", server.URL)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, errs, "no answer from "+server.URL+" (unexpected EOF)")
}

func TestSlowCollector(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	c, err := newClient(server.URL)
	require.NoError(t, err)
	c.http.Timeout = 50 * time.Millisecond
	_, err = c.get(t.Context(), "/", nil)
	assert.EqualError(t, err, server.URL+" did not answer within 50ms: check whether the collector is overloaded, or set --endpoint")
}

func TestEndlessAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for chunk := strings.Repeat(" ", 1<<20); ; {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	c, err := newClient(server.URL)
	require.NoError(t, err)
	_, err = c.get(t.Context(), "/", nil)
	assert.ErrorContains(t, err, "the response is longer than 64 MiB")
}

func TestEndpoint(t *testing.T) {
	for endpoint, peer := range map[string]string{
		"http://127.0.0.1:8899":            "http://127.0.0.1:8899",
		"http://127.0.0.1:8899/":           "http://127.0.0.1:8899",
		"https://gate.example/auspex/":     "https://gate.example/auspex",
		"https://me:secret@gate.example:1": "https://me:xxxxx@gate.example:1",
	} {
		c, err := newClient(endpoint)
		require.NoError(t, err)
		assert.Equal(t, peer, c.peer)
		assert.Equal(t, strings.TrimSuffix(endpoint, "/"), c.base)
	}
}

func TestPathOfTheEndpointIsKept(t *testing.T) {
	asked := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Path
		io.WriteString(w, `{"incidents":[]}`)
	}))
	code, out, _ := auspex("incidents", "--endpoint", server.URL+"/edge/")
	server.Close()
	assert.Equal(t, exitOK, code)
	assert.Equal(t, "No open incidents.\n", out)
	assert.Equal(t, "/edge/api/v1/incidents", asked)
}
