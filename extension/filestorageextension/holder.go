// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package filestorageextension

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// holder returns the process that has locked a file. It is known only on Linux, and only if the
// process is in the same container.
func holder(path string) string {
	inode, ok := inodeOf(path)
	locks, err := os.ReadFile("/proc/locks")
	if !ok || err != nil {
		return "another process"
	}
	for line := range strings.Lines(string(locks)) {
		// The format is "1: FLOCK ADVISORY WRITE 4711 fe:00:1234 0 EOF".
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[1] != "FLOCK" || !strings.HasSuffix(fields[5], ":"+strconv.FormatUint(inode, 10)) {
			continue
		}
		if program, err := os.Readlink(filepath.Join("/proc", fields[4], "exe")); err == nil {
			return fmt.Sprintf("process %s (%s)", fields[4], program)
		}
		return "process " + fields[4]
	}
	return "another process"
}
