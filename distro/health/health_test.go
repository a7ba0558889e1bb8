// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package health

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRun(t *testing.T) {
	status := func(code int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
		t.Cleanup(s.Close)
		return strings.TrimPrefix(s.URL, "http://")
	}
	ready, starting := status(http.StatusOK), status(http.StatusServiceUnavailable)
	for _, test := range []struct {
		name, env string
		args      []string
		code      int
		out, errs string
	}{
		{"ready", "", []string{"--address", ready}, 0, "ready\n", ""},
		{"address from the environment", ready, nil, 0, "ready\n", ""},
		{"the flag wins", starting, []string{"--address", ready}, 0, "ready\n", ""},
		{"not ready", starting, nil, 1, "", "not ready: http://" + starting + "/ answers 503 Service Unavailable\n"},
		{"no server", "127.0.0.1:1", nil, 1, "", "not ready: Get \"http://127.0.0.1:1/\": dial tcp 127.0.0.1:1: connect: connection refused\n"},
		{"no port", "", []string{"--address", "host"}, 2, "", "--address host: address host: missing port in address; use host:port\n"},
		{"argument", "", []string{"now"}, 2, "", "unexpected argument \"now\"; see otelcol-auspex health --help\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := Run(test.args, func(string) string { return test.env }, &out, &errs)
			assert.Equal(t, test.code, code)
			assert.Equal(t, test.out, out.String())
			assert.Equal(t, test.errs, errs.String())
		})
	}
}

func TestAllInterfaces(t *testing.T) {
	for address, want := range map[string]string{
		":13133":           "http://localhost:13133/",
		"0.0.0.0:13133":    "http://localhost:13133/",
		"[::]:13133":       "http://localhost:13133/",
		"[::1]:13133":      "http://[::1]:13133/",
		"collector:13133":  "http://collector:13133/",
		"192.0.2.10:13133": "http://192.0.2.10:13133/",
	} {
		url, err := probeURL(address)
		assert.NoError(t, err)
		assert.Equal(t, want, url)
	}
}
