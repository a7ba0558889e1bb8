// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package filestorageextension

import "syscall"

func inodeOf(path string) (uint64, bool) {
	var info syscall.Stat_t
	err := syscall.Stat(path, &info)
	return info.Ino, err == nil
}
