// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProxy(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer server.Close()
	p := startProxy(t, strings.TrimPrefix(server.URL, "http://"))
	ask := func() (took time.Duration, err error) {
		began := time.Now()
		res, err := http.Post("http://"+p.address, "text/plain", strings.NewReader("hello"))
		if err != nil {
			return 0, err
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		assert.Equal(t, "hello", string(text))
		return time.Since(began), err
	}
	_, err := ask()
	require.NoError(t, err)
	p.set(true, 0)
	_, err = ask()
	require.Error(t, err)
	p.set(false, 50*time.Millisecond)
	took, err := ask()
	require.NoError(t, err)
	assert.GreaterOrEqual(t, took, 100*time.Millisecond)
}
