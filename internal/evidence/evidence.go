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
	"github.com/auspex-otel/auspex/internal/trace"
)

// Span returns a span of a service.
func Span(service string, s ptrace.Span) trace.Span {
	return trace.Span{
		Trace: s.TraceID(), ID: s.SpanID(), Parent: s.ParentSpanID(), Service: service, Name: s.Name(), Kind: trace.Kind(s.Kind()),
		Error: s.Status().Code() == ptrace.StatusCodeError, Start: int64(s.StartTimestamp()), End: int64(s.EndTimestamp()), Peer: called(s),
	}
}

// called is what a span calls. One that serves names its own address or its client's.
func called(s ptrace.Span) trace.Peer {
	if k := s.Kind(); k == ptrace.SpanKindServer || k == ptrace.SpanKindConsumer {
		return trace.Peer{}
	}
	return peerOf(s.Attributes())
}

// The attributes that name what a span calls, newer names first.
var (
	databaseKeys = []string{"db.system.name", "db.system"}
	queueKeys    = []string{"messaging.destination.name", "messaging.destination"}
	addressKeys  = []string{"server.address", "net.peer.name"}
)

// peerOf names what a span calls. peer.service is a name that people gave; without
// it a database is named by its system, namespace and address.
func peerOf(attributes pcommon.Map) trace.Peer {
	name, address := first(attributes, "peer.service"), first(attributes, addressKeys...)
	if loopback(address) {
		address = "" // it names nothing, for each host has its own
	}
	if system := first(attributes, databaseKeys...); system != "" {
		return trace.Peer{System: "database", Name: cmp.Or(name, strings.Join(strings.Fields(system+" "+first(attributes, "db.namespace", "db.name")+" "+address), " "))}
	}
	if queue := first(attributes, queueKeys...); queue != "" {
		return trace.Peer{System: "queue", Name: queue}
	}
	if name = cmp.Or(name, address); name != "" {
		return trace.Peer{System: "external", Name: name}
	}
	return trace.Peer{}
}

func loopback(address string) bool {
	ip, err := netip.ParseAddr(address)
	return address == "localhost" || err == nil && ip.IsLoopback()
}

func first(attributes pcommon.Map, keys ...string) string {
	for _, key := range keys {
		if v, ok := attributes.Get(key); ok {
			if s := v.AsString(); s != "" {
				return s
			}
		}
	}
	return ""
}

// Instance names the pod, container, process or host that a resource stands for.
func Instance(attributes pcommon.Map) string {
	return first(attributes, "k8s.pod.uid", "k8s.pod.name", "container.id", "service.instance.id", "host.name")
}

// Place tells where a resource runs.
func Place(attributes pcommon.Map) causes.Place {
	return causes.Place{
		Pod: first(attributes, "k8s.pod.name"), Node: first(attributes, "k8s.node.name"),
		Host: first(attributes, "host.name"), Deployment: first(attributes, "k8s.deployment.name"),
	}
}

// Quantity tells the metrics of CPU and memory that a pod uses from all others:
// a limit, a request or a node's use is not the pod's.
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
