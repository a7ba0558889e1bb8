// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package filestorageextension

func inodeOf(string) (uint64, bool) { return 0, false }
