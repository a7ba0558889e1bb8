// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package memory determines the memory that the collector may use.
package memory

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/auspex-otel/auspex/internal/conftree"
)

// Available returns the number of bytes that a collector with this configuration may use, and the key or fact that
// limits it: the lowest limit of its memory limiters, otherwise the memory of the process. It returns 0 if the memory
// is unknown. root is the root of the file system.
func Available(conf map[string]any, root fs.FS) (bytes int64, from string) {
	total := total(root)
	for _, section := range [...]string{"processors", "extensions"} {
		components := conftree.Section(conf, section)
		for id := range components {
			of := conftree.Section(components, id)
			if conftree.Kind(id) != "memory_limiter" || of == nil {
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

// number returns a number of a configuration, or 0 if v is not a positive number.
func number(v any) int64 {
	n, err := strconv.ParseInt(fmt.Sprint(v), 10, 32)
	if err != nil {
		return 0
	}
	return max(0, n)
}

// total returns the lowest limit of the process's control groups and of the machine's memory, in bytes. It returns 0
// if the system does not report it.
func total(root fs.FS) int64 {
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
