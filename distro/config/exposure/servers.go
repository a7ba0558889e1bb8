// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package exposure

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/auspex-otel/auspex/internal/conftree"
)

// server is a section of the configuration with a listening server.
type server struct {
	key, address            string
	canAuthenticate, hasTLS bool
}

// listener describes the configuration of the servers of a component.
type listener struct {
	// sections lists the paths of its servers within its configuration, "" for the configuration itself.
	sections []string
	// address is the key of the address within a section.
	address string
	// auth and tls report whether a section may have these keys.
	auth, tls bool
}

var (
	collectorHTTP = listener{sections: []string{""}, address: "endpoint", auth: true, tls: true}
	stream        = listener{sections: []string{""}, address: "listen_address", tls: true}
	datagram      = listener{sections: []string{""}, address: "listen_address"}
)

// receivers lists the receivers of the distribution that listen, by type. Others connect to their endpoint.
var receivers = map[string]listener{
	"otlp":                    {sections: []string{"protocols::grpc", "protocols::http"}, address: "endpoint", auth: true, tls: true},
	"jaeger":                  {sections: []string{"protocols::grpc", "protocols::thrift_http", "protocols::thrift_binary", "protocols::thrift_compact"}, address: "endpoint", auth: true, tls: true},
	"zipkin":                  collectorHTTP,
	"elasticsearch_bulk":      collectorHTTP,
	"prometheus_remote_write": collectorHTTP,
	"lumberjack":              {sections: []string{""}, address: "endpoint", tls: true},
	"syslog":                  {sections: []string{"tcp", "udp"}, address: "listen_address", tls: true},
	"tcp_log":                 stream,
	"tcplog":                  stream,
	"udp_log":                 datagram,
	"udplog":                  datagram,
	"statsd":                  {sections: []string{""}, address: "endpoint"},
	"fluent_forward":          {sections: []string{""}, address: "endpoint"},
	"fluentforward":           {sections: []string{""}, address: "endpoint"},
}

// extensions lists the extensions of the distribution that serve data.
var extensions = map[string]listener{"anomaly_console": collectorHTTP}

// exposed returns the servers in use that other machines can reach without
// authentication, in the order of their keys.
func exposed(conf map[string]any) (found []server) {
	service := conftree.Section(conf, "service")
	inUse := map[string]bool{}
	for name := range conftree.Section(service, "pipelines") {
		for _, id := range list(conftree.Section(service, "pipelines", name), "receivers") {
			inUse[id] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(inUse)) {
		found = append(found, receivers[conftree.Kind(id)].exposed("receivers::"+id, conftree.Section(conf, "receivers", id))...)
	}
	for _, id := range slices.Sorted(slices.Values(list(service, "extensions"))) {
		found = append(found, extensions[conftree.Kind(id)].exposed("extensions::"+id, conftree.Section(conf, "extensions", id))...)
	}
	return found
}

func (l listener) exposed(key string, component map[string]any) (found []server) {
	for _, path := range l.sections {
		of, at := component, key
		if path != "" {
			of, at = conftree.Section(component, strings.Split(path, "::")...), key+"::"+path
		}
		address, _ := of[l.address].(string)
		transport, _ := of["transport"].(string)
		if address == "" || strings.HasPrefix(transport, "unix") || strings.HasPrefix(address, "/") || isLoopback(address) || l.isAuthenticated(of) {
			continue // Without an address, all of these listen on localhost.
		}
		found = append(found, server{key: at + "::" + l.address, address: address, canAuthenticate: l.auth, hasTLS: l.tls})
	}
	return found
}

// isAuthenticated reports whether a server requires a secret or a certificate from its clients.
func (l listener) isAuthenticated(of map[string]any) bool {
	authenticator, _ := conftree.Section(of, "auth")["authenticator"].(string)
	ca, _ := conftree.Section(of, "tls")["client_ca_file"].(string)
	return l.auth && authenticator != "" || l.tls && ca != ""
}

// isLoopback reports whether only this machine can reach an address. A name other than localhost may be any address.
// Invalid addresses prevent the start anyway.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func list(of map[string]any, key string) (ids []string) {
	all, _ := of[key].([]any)
	for _, id := range all {
		if text, ok := id.(string); ok {
			ids = append(ids, text)
		}
	}
	return ids
}
