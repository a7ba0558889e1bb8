// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// TestGatewayIsNotExposed verifies that a gateway does not listen on every interface without authentication.
func TestGatewayIsNotExposed(t *testing.T) {
	env := peertest.Shipped(t, "AUSPEX_OTLP_GRPC=0.0.0.0:0", "AUSPEX_OTLP_HTTP=0.0.0.0:0", "AUSPEX_REMOTE_WRITE=http://127.0.0.1:1/api/v1/write")
	c := peertest.NewCollector(t, peertest.CollectorOptions{Base: "auspex:gateway", Env: env})
	output, code := c.Run(30 * time.Second)
	assert.NotZero(t, code)
	for _, s := range []string{"receivers::otlp::protocols::grpc::endpoint: listens on 0.0.0.0:0", "receivers::otlp::protocols::http::endpoint", "AUSPEX_BEARER_TOKEN", "AUSPEX_INSECURE_LISTEN=true"} {
		assert.Contains(t, output, s)
	}
	peertest.StartCollector(t, peertest.CollectorOptions{Base: "auspex:gateway", Env: append(env, "AUSPEX_INSECURE_LISTEN=true")})
}

// TestAuthenticationOfSenders verifies that a gateway serves only clients with its credentials, and that the agent
// can provide them.
func TestAuthenticationOfSenders(t *testing.T) {
	users := filepath.Join(t.TempDir(), "htpasswd")
	require.NoError(t, os.WriteFile(users, []byte("agent:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"), 0o600)) // "password"
	for name, c := range map[string]struct{ env, secret string }{
		"token":    {"AUSPEX_BEARER_TOKEN=token-1", "Bearer token-1"},
		"password": {"AUSPEX_HTPASSWD=" + users, "Basic YWdlbnQ6cGFzc3dvcmQ="},
	} {
		t.Run(name, func(t *testing.T) {
			prometheus := newWritten(t)
			gateway := peertest.StartCollector(t, peertest.CollectorOptions{
				Base: "auspex:gateway", Env: peertest.Shipped(t, "AUSPEX_REMOTE_WRITE="+prometheus.URL, c.env),
			})
			assert.Equal(t, http.StatusUnauthorized, postGauge(t, gateway.OTLP2, ""))
			assert.Equal(t, http.StatusUnauthorized, postGauge(t, gateway.OTLP2, "Bearer other"))
			assert.Equal(t, http.StatusOK, postGauge(t, gateway.OTLP2, c.secret))
			before := prometheus.requests.Load()

			agent := peertest.StartCollector(t, peertest.CollectorOptions{
				Base: "auspex:agent", Env: peertest.Shipped(t, "AUSPEX_GATEWAY="+gateway.OTLP, "AUSPEX_GATEWAY_INSECURE=true", "AUSPEX_GATEWAY_AUTHORIZATION="+c.secret),
			})
			assert.Equal(t, http.StatusOK, postGauge(t, agent.OTLP2, ""))
			require.Eventually(t, func() bool { return prometheus.requests.Load() > before }, 30*time.Second, 10*time.Millisecond, "the gateway accepts the agent's data")
		})
	}
}

func postGauge(t *testing.T, address, authorization string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/v1/metrics", strings.NewReader(oneGauge))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

// written is a backend that accepts and counts remote-write requests.
type written struct {
	*httptest.Server
	requests atomic.Int64
}

func newWritten(t *testing.T) *written {
	t.Helper()
	w := &written{}
	w.Server = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { w.requests.Add(1) }))
	t.Cleanup(w.Close)
	return w
}
