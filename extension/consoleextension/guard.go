// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// requestHeader must be set on every request that changes something. A page of
// another origin cannot set it without asking, and the console answers no such question.
const requestHeader = "X-Auspex-Request"

// contentPolicy lets the page load its own files and nothing else.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// localHostOnly refuses requests that were sent to another name than this
// machine's own. A web page can make its name resolve to 127.0.0.1 and then
// read, as its own origin, what listens there; the Host header still gives the
// page's name away.
func localHostOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLocalHost(r.Host) {
			putError(w, http.StatusForbidden, fmt.Sprintf(
				"the Host header is %q, but this API answers on loopback only: ask localhost, 127.0.0.1 or [::1]", r.Host))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// sameOriginOnly refuses requests that a page of another origin sent, and changes
// without the header that only a page of this origin can set. It sets the headers
// that restrict what a browser does with an answer.
func sameOriginOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if origin := r.Header.Get("Origin"); origin != "" && !isOrigin(origin, r.Host) {
			putError(w, http.StatusForbidden, fmt.Sprintf("the Origin header is %q, but this console answers its own page at %q only", origin, r.Host))
			return
		}
		if r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
			putError(w, http.StatusForbidden, "a page of another site sent this request, but this console answers its own page only")
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Header.Get(requestHeader) == "" {
			putError(w, http.StatusForbidden, "a request that changes something needs the header "+requestHeader+": set it to any value, such as 1")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isOrigin reports whether an Origin header is that of a page that was loaded from a host.
func isOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Host, host)
}

// isLocalHost tells whether a Host header, with or without a port, is
// localhost or the number of a loopback address, which no name server can change.
func isLocalHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil && addr.IsLoopback()
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
