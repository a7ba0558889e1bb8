// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// raw sends a request line as it is, which clients would clean.
func raw(t *testing.T, base, target string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", target)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

func TestNoPathLeadsOutOfTheBundle(t *testing.T) {
	base := startConsole(t, newHost(newEngine()))
	for _, target := range []string{
		"/../page.go", "/..%2fpage.go", "/%2e%2e/page.go", "/app.js/../../page.go", "//etc/passwd", "/web/dist/app.js", "/dist/app.js",
		"/index.html", "/placeholder.html", "/sources.sha256", `/..\page.go`, "/%00", "/app.js%00.html", "/series/..%2f..%2fapp.js", "/incidents/..%2fapp.js",
	} {
		status, body := raw(t, base, target)
		assert.NotEqual(t, 200, status, target)
		assert.NotContains(t, body, "package consoleextension", target)
		assert.NotContains(t, body, "root:", target)
	}
}

func TestCrossSiteRequestsAreRefused(t *testing.T) {
	base := startConsole(t, newHost(newEngine()))
	host := strings.TrimPrefix(base, "http://")
	for _, tt := range []struct {
		name, method, path string
		header             []string
		status             int
	}{
		{"a page of another origin reads", "GET", "/api/v1/status", []string{"Origin", "http://evil.example"}, 403},
		{"another port is another origin", "GET", "/api/v1/status", []string{"Origin", "http://127.0.0.1:1"}, 403},
		{"a sandboxed page", "GET", "/api/v1/status", []string{"Origin", "null"}, 403},
		{"the page's own origin", "GET", "/api/v1/status", []string{"Origin", base}, 200},
		{"a subresource of another site", "GET", "/api/v1/status", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403},
		{"a link on another site", "GET", "/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 200},
		{"the stream of another origin", "GET", "/api/v1/stream", []string{"Origin", "http://evil.example"}, 403},
		{"a form of another site", "POST", "/api/v1/silences", []string{"Origin", "http://evil.example", requestHeader, "1"}, 403},
		{"a change without the header", "POST", "/api/v1/silences", []string{requestHeader, ""}, 403},
		{"a removal without the header", "DELETE", "/api/v1/silences/0123456789abcdef?who=a", []string{requestHeader, ""}, 403},
		{"a preflight", "OPTIONS", "/api/v1/silences", []string{"Origin", base, "Access-Control-Request-Method", "POST", requestHeader, ""}, 403},
		{"a change with the header", "DELETE", "/api/v1/silences/0123456789abcdef?who=a", []string{"Origin", "http://" + host, requestHeader, "1"}, 404},
	} {
		req := request(t, tt.method, base+tt.path)
		for i := 0; i < len(tt.header); i += 2 {
			req.Header.Set(tt.header[i], tt.header[i+1])
		}
		resp, err := browser.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, tt.status, resp.StatusCode, tt.name)
		assert.Empty(t, resp.Header.Get("Access-Control-Allow-Origin"), tt.name)
	}
}

// A page may make its own name resolve to 127.0.0.1; the Host header gives that away, for the page and the stream as for the API.
func TestReboundNames(t *testing.T) {
	base := startConsole(t, newHost(newEngine()))
	for _, path := range []string{"/", "/app.js", "/api/v1/stream", "/incidents/x"} {
		req := request(t, http.MethodGet, base+path)
		req.Host = "evil.example"
		assert.Equal(t, http.StatusForbidden, ask(t, req).status, path)
	}
}
