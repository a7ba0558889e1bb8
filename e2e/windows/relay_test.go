// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package windows

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// relay stands between the collector and a backend. It forces retries: the backend accepts
// a request, and the collector gets an error.
type relay struct {
	*httptest.Server
	armed, forced atomic.Int64
}

// writes are the paths of requests that write data.
var writes = []string{"/_bulk", "/api/v1/write", "/api/v2/alerts"}

func newRelay(t *testing.T, backend string) *relay {
	t.Helper()
	to, err := url.Parse(backend)
	require.NoError(t, err)
	r := &relay{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(to) },
		ModifyResponse: func(res *http.Response) error {
			if res.StatusCode/100 == 2 && writesData(res.Request) && r.armed.Add(-1) >= 0 {
				r.forced.Add(1)
				return http.ErrAbortHandler
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusServiceUnavailable) },
	}
	r.Server = httptest.NewServer(proxy)
	t.Cleanup(r.Close)
	return r
}

func writesData(req *http.Request) bool {
	for _, path := range writes {
		if strings.HasSuffix(req.URL.Path, path) {
			return true
		}
	}
	return false
}

// force makes the next requests that the backend accepts fail for the collector.
func (r *relay) force(requests int64) { r.armed.Store(requests) }
