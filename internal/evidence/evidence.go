// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"cmp"
	"net/netip"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/causes"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/trace"
)

// Span converts a span of a service for package trace.
func Span(service string, s ptrace.Span) trace.Span {
	return trace.Span{
		Trace: s.TraceID(), ID: s.SpanID(), Parent: s.ParentSpanID(), Service: service, Name: s.Name(), Kind: trace.Kind(s.Kind()),
		Error: s.Status().Code() == ptrace.StatusCodeError, Start: int64(s.StartTimestamp()), End: int64(s.EndTimestamp()), Peer: called(s),
	}
}

// called returns the peer that a span calls. A server span has none: it names its own address or
// its client's.
func called(s ptrace.Span) trace.Peer {
	if k := s.Kind(); k == ptrace.SpanKindServer || k == ptrace.SpanKindConsumer {
		return trace.Peer{}
	}
	return peerOf(s.Attributes())
}

// These attributes name the peer of a span, newer names first.
var (
	databaseKeys = []string{"db.system.name", "db.system"}
	queueKeys    = []string{"messaging.destination.name", "messaging.destination"}
	addressKeys  = []string{"server.address", "net.peer.name"}
)

// peerOf returns the peer of a span: its peer.service, else its address. If the address of a
// database is not a name, the peer includes the database system and namespace.
func peerOf(attributes pcommon.Map) trace.Peer {
	name, address := first(attributes, "peer.service"), first(attributes, addressKeys...)
	ip, err := netip.ParseAddr(address)
	if address == "localhost" || err == nil && ip.IsLoopback() {
		address = "" // every host has its own loopback address
	}
	if system := first(attributes, databaseKeys...); system != "" {
		if name == "" && err != nil {
			name = address
		}
		whole := strings.Fields(system + " " + first(attributes, "db.namespace", "db.name") + " " + address)
		return trace.Peer{System: "database", Name: cmp.Or(name, strings.Join(whole, " "))}
	}
	if queue := first(attributes, queueKeys...); queue != "" {
		return trace.Peer{System: "queue", Name: queue}
	}
	if name = cmp.Or(name, address); name != "" {
		return trace.Peer{System: "external", Name: name}
	}
	return trace.Peer{}
}

func first(attributes pcommon.Map, keys ...string) string {
	for _, key := range keys {
		if v, ok := attributes.Get(key); ok {
			if s := v.AsString(); s != "" {
				return series.Short(s)
			}
		}
	}
	return ""
}

// Instance returns the name of the pod, container, process, or host of a resource.
func Instance(attributes pcommon.Map) string {
	return first(attributes, "k8s.pod.uid", "k8s.pod.name", "container.id", "service.instance.id", "host.name")
}

// Place returns where a resource runs.
func Place(attributes pcommon.Map) causes.Place {
	return causes.Place{
		Pod: first(attributes, "k8s.pod.name"), Node: first(attributes, "k8s.node.name"),
		Host: first(attributes, "host.name"), Deployment: first(attributes, "k8s.deployment.name"),
	}
}

// Quantity returns the kind of CPU or memory usage of a pod that a metric measures. It returns ""
// for other metrics, such as limits, requests, and the usage of a node.
func Quantity(metric string) string {
	name := strings.ToLower(metric)
	for _, not := range [...]string{"node", "limit", "request", "system"} {
		if strings.Contains(name, not) {
			return ""
		}
	}
	if strings.Contains(name, "cpu") || strings.Contains(name, "memory") {
		return metric
	}
	return ""
}
