// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engineextension

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"
)

// memoryShare is the part of the memory that the engine may take by default. The rest is for
// the collector itself, for requests, and for what is not collected as garbage yet.
const memoryShare = 0.25

// Bytes is an amount of memory, written as in 512MiB.
type Bytes int64

var units = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// UnmarshalText reads an amount with its unit.
func (b *Bytes) UnmarshalText(text []byte) error {
	for _, u := range units {
		if number, ok := strings.CutSuffix(string(text), u.name); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
			if err != nil || n < 0 || n > math.MaxInt64/u.bytes {
				break
			}
			*b = Bytes(n * u.bytes)
			return nil
		}
	}
	return fmt.Errorf("%q is no amount of memory: write it as in 512MiB", text)
}

// MarshalText writes an amount in the largest unit in which it is whole.
func (b Bytes) MarshalText() ([]byte, error) {
	for _, u := range units {
		if int64(b)%u.bytes == 0 {
			return fmt.Appendf(nil, "%d%s", int64(b)/u.bytes, u.name), nil
		}
	}
	return nil, nil
}

// NotifyConfig takes the limit of the collector's memory from its whole configuration, before
// telemetry arrives.
func (e *engineExtension) NotifyConfig(_ context.Context, conf *confmap.Conf) error {
	limit, from := int64(e.cfg.MaxMemory), "max_memory"
	if limit == 0 {
		var whole int64
		if whole, from = e.available(conf); whole == 0 {
			return nil
		}
		limit = int64(memoryShare * float64(whole))
	}
	e.engine.SetMaxMemory(int(limit))
	e.logger.Info("the memory of the engine is bounded", zap.Int64("bytes", limit), zap.String("from", from))
	return nil
}

// available returns how many bytes the collector may use, and what says so: the lowest
// limit of a memory limiter, else the memory of the process. It is 0 if nothing does.
func (e *engineExtension) available(conf *confmap.Conf) (bytes int64, from string) {
	total := totalMemory(e.root)
	for _, section := range [...]string{"processors", "extensions"} {
		components, _ := conf.Get(section).(map[string]any)
		for id, settings := range components {
			of, _ := settings.(map[string]any)
			if kind, _, _ := strings.Cut(id, "/"); kind != "memory_limiter" || of == nil {
				continue
			}
			limit := number(of["limit_mib"]) << 20
			if limit == 0 {
				limit = total / 100 * number(of["limit_percentage"])
			}
			if limit > 0 && (bytes == 0 || limit < bytes) {
				bytes, from = limit, section+"::"+id
			}
		}
	}
	if bytes == 0 {
		return total, "memory of the process"
	}
	return bytes, from
}

// number reads a number of a configuration, 0 if it is none.
func number(v any) int64 {
	n, err := strconv.ParseInt(fmt.Sprint(v), 10, 32)
	if err != nil {
		return 0
	}
	return max(0, n)
}

// totalMemory returns the lowest limit of the process's control groups, and of the
// machine's memory, in bytes; 0 where the system does not tell.
func totalMemory(root fs.FS) int64 {
	least := int64(0)
	note := func(n int64) {
		if n > 0 && (least == 0 || n < least) {
			least = n
		}
	}
	read := func(name string) string {
		b, err := fs.ReadFile(root, name)
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(b))
	}
	for line := range strings.Lines(read("proc/meminfo")) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "MemTotal:" {
			note(number(fields[1]) << 10)
		}
	}
	for line := range strings.Lines(read("proc/self/cgroup")) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		folder, file := "sys/fs/cgroup", "memory.max"
		if parts[1] == "memory" { // version 1
			folder, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		} else if parts[0] != "0" {
			continue
		}
		for at := path.Join("/", parts[2]); ; at = path.Dir(at) {
			if n, err := strconv.ParseInt(read(path.Join(folder, at, file)), 10, 64); err == nil {
				note(n)
			}
			if at == "/" {
				break
			}
		}
	}
	return least
}

// reportRoom tells, where it has changed, whether there is room for more series.
func (e *engineExtension) reportRoom() {
	if e.engine.Rejecting() == e.rejecting {
		return
	}
	e.rejecting = !e.rejecting
	if !e.rejecting {
		e.logger.Info("there is room for all series again")
		componentstatus.ReportStatus(e.host, componentstatus.NewEvent(componentstatus.StatusOK))
		return
	}
	crowd := e.engine.Crowd()
	err := fmt.Errorf("there is no room for all series, so some are not watched: raise max_memory or max_series, or drop attributes; "+
		"the most series come from the services %v and the attributes %v", crowd.Services, crowd.Attributes)
	e.logger.Warn("there is no room for all series, so some are not watched: raise max_memory or max_series, or drop attributes",
		zap.Any("services", crowd.Services), zap.Any("attributes", crowd.Attributes))
	componentstatus.ReportStatus(e.host, componentstatus.NewRecoverableErrorEvent(err))
}
