// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ecs

import "strings"

// kind is the type of a metric.
type kind string

const (
	kindGauge     kind = "g"
	kindCounter   kind = "c"
	kindHistogram kind = "h"
)

// counters maps prefixes of the fields of known modules to the suffixes of counters. All other
// numbers are gauges.
var counters = map[string][]string{
	"system.cpu.":          {".ticks"},
	"system.core.":         {".ticks"},
	"system.process.cpu.":  {".ticks", ".total.value"},
	"system.network.":      {".bytes", ".packets", ".errors", ".dropped"},
	"system.diskio.":       {".count", ".bytes", ".time", ".io.time"},
	"docker.network.":      {"bound.bytes", "bound.packets", "bound.errors", "bound.dropped"},
	"docker.diskio.":       {".ops", ".bytes", ".service_time", ".wait_time", ".queued"},
	"docker.cpu.":          {".ticks"},
	"kubernetes.":          {".rx.bytes", ".tx.bytes", ".rx.errors", ".tx.errors", ".core.ns", ".pagefaults", ".majorpagefaults"},
	"nginx.stubstatus.":    {".accepts", ".handled", ".dropped", ".requests"},
	"apache.status.":       {".total_accesses", ".total_kbytes", ".total_bytes"},
	"redis.info.stats.":    {".commands_processed", ".received", ".rejected", ".input.bytes", ".output.bytes", ".hits", ".misses", ".expired", ".evicted"},
	"mysql.status.":        {".bytes.received", ".bytes.sent", ".connections", ".created", ".delete", ".insert", ".select", ".update", ".questions", ".queries", ".clients", ".connects"},
	"postgresql.database.": {".commit", ".rollback", ".read", ".hit", ".returned", ".fetched", ".inserted", ".updated", ".deleted", ".conflicts", ".deadlocks", ".temporary.bytes", ".temporary.files"},
	"postgresql.bgwriter.": {".checkpoints.scheduled", ".checkpoints.requested", ".buffers.checkpoints", ".buffers.clean", ".buffers.backend", ".buffers.allocated"},
	"mongodb.status.":      {".opcounters.insert", ".opcounters.query", ".opcounters.update", ".opcounters.delete", ".opcounters.getmore", ".opcounters.command", ".in.bytes", ".out.bytes", ".network.requests", ".total_created"},
	"memcached.stats.":     {".total", ".hits", ".misses", ".read.bytes", ".written.bytes", ".cmd.get", ".cmd.set"},
	"haproxy.stat.":        {".in.bytes", ".out.bytes", ".total", ".errors.connections", ".errors.responses"},
	"prometheus.":          {".counter"},
}

func kindOf(name string) kind {
	for from := 0; ; {
		dot := strings.IndexByte(name[from:], '.')
		if dot < 0 {
			return kindGauge
		}
		from += dot + 1
		for _, end := range counters[name[:from]] {
			if strings.HasSuffix(name, end) {
				return kindCounter
			}
		}
	}
}

// units maps the suffixes of field names in Beats to UCUM units.
var units = map[string]string{
	"pct": "1", "bytes": "By", "bytes_per_sec": "By/s", "kb": "KiBy", "celsius": "Cel", "hz": "Hz", "mhz": "MHz",
	"ns": "ns", "us": "us", "ms": "ms", "sec": "s", "seconds": "s", "millis": "ms", "nanocores": "n{core}", "packets": "{packet}",
}

// exactUnits maps names without a unit suffix to their units.
var exactUnits = map[string]string{
	"event.duration":              "ns",
	"system.process.memory.share": "By", "system.process.memory.size": "By",
	"system.memory.free": "By", "system.memory.total": "By", "system.fsstat.total_size.free": "By",
	"system.filesystem.available": "By", "system.filesystem.free": "By", "system.filesystem.total": "By",
	"system.diskio.read.time": "ms", "system.diskio.write.time": "ms", "system.diskio.io.time": "ms",
	"kubernetes.container.start_time": "s",
}

func unitOf(name string) string {
	if u, ok := exactUnits[name]; ok {
		return u
	}
	return units[name[strings.LastIndexByte(name, '.')+1:]]
}
