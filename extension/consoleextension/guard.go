// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

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
