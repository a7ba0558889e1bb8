// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/trace"
)

// attributes parses pairs such as "db.system=redis", separated by commas.
func attributes(text string) pcommon.Map {
	m := pcommon.NewMap()
	for pair := range strings.SplitSeq(text, ",") {
		if key, value, ok := strings.Cut(pair, "="); ok {
			m.PutStr(key, value)
		}
	}
	return m
}

func TestPeers(t *testing.T) {
	for text, want := range map[string]trace.Peer{
		"": {},
		"db.system.name=redis,server.address=carts-cache,db.namespace=carts": {System: "database", Name: "carts-cache"},
		"db.system=mysql,db.name=orders,net.peer.name=10.0.0.3":              {System: "database", Name: "mysql orders 10.0.0.3"},
		"db.system=mysql,db.name=orders,server.address=127.0.0.1":            {System: "database", Name: "mysql orders"},
		"db.system=mysql,db.name=orders,server.address=localhost":            {System: "database", Name: "mysql orders"},
		"db.system=mysql,peer.service=orders-db,server.address=db-1":         {System: "database", Name: "orders-db"},
		"messaging.destination.name=mails,server.address=kafka-1":            {System: "queue", Name: "mails"},
		"server.address=api.example.com":                                     {System: "external", Name: "api.example.com"},
		"peer.service=bank,server.address=10.0.0.4":                          {System: "external", Name: "bank"},
		"server.address=127.0.0.1":                                           {},
	} {
		s := ptrace.NewSpan()
		s.SetKind(ptrace.SpanKindClient)
		attributes(text).CopyTo(s.Attributes())
		assert.Equal(t, want, Span("shop", s).Peer, text)
		s.SetKind(ptrace.SpanKindServer)
		assert.Empty(t, Span("shop", s).Peer, "a server names itself")
	}
}

func TestSignsOfSaturation(t *testing.T) {
	for metric, want := range map[string]string{
		"system.cpu.utilization,state=user": "high", "system.cpu.utilization,state=idle": "low", "system.cpu.time,cpu.mode=idle": "low",
		"node_cpu_seconds_total,mode=idle": "low", "cpu_usage_idle": "low", "system.cpu.load_average.1m": "high", "node_load1": "high",
		"system.memory.utilization,state=used": "high", "system.memory.utilization,state=free": "low", "node_memory_MemAvailable_bytes": "low",
		"system.paging.usage,state=used": "high", "system.disk.io_time": "high", "system.disk.pending_operations": "high",
		"system.filesystem.utilization": "high", "system.network.dropped": "high", "system.network.errors": "high",
		"system.network.io": "work", "system.network.packets": "work", "system.disk.io": "work", "system.disk.operations": "work",
		"system.paging.faults,type=major": "work", "node_context_switches_total": "work",
		"temperature": "", "downloads": "", "upload.size": "",
	} {
		name, rest, _ := strings.Cut(metric, ",")
		got := Saturates(name, attributes(rest))
		if Work(name, attributes(rest)) {
			got += "work"
		}
		assert.Equal(t, want, got, metric)
	}
}
