// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package evidence

import (
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
		Error: s.Status().Code() == ptrace.StatusCodeError, Start: int64(s.StartTimestamp()), End: int64(s.EndTimestamp()), Peer: peerOf(s.Attributes()),
	}
}

// The attributes that name what a span calls, newer names first.
var (
	databaseKeys = []string{"db.system.name", "db.system"}
	queueKeys    = []string{"messaging.destination.name", "messaging.destination"}
	externalKeys = []string{"peer.service", "server.address", "net.peer.name"}
)

func peerOf(attributes pcommon.Map) trace.Peer {
	host := first(attributes, externalKeys...)
	if system := first(attributes, databaseKeys...); system != "" {
		return trace.Peer{System: "database", Name: strings.Trim(system+" "+first(attributes, "db.namespace", "db.name")+" "+host, " ")}
	}
	if queue := first(attributes, queueKeys...); queue != "" {
		return trace.Peer{System: "queue", Name: queue}
	}
	if host != "" {
		return trace.Peer{System: "external", Name: host}
	}
	return trace.Peer{}
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
