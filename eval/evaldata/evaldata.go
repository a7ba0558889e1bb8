// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package evaldata locates the public data sets that the quality reports read.
package evaldata

import (
	"cmp"
	"os"
	"path/filepath"
)

// Env is the environment variable that names the folder of the data sets.
const Env = "AUSPEX_EVAL"

// Folder returns $AUSPEX_EVAL, or ../shared/eval, relative to the root of the
// repository, if the variable is empty. The folder need not exist.
func Folder() string { return cmp.Or(os.Getenv(Env), "../shared/eval") }

// FolderFrom returns Folder for a program that does not run in the root of the repository. root is the path to it.
func FolderFrom(root string) string {
	if dir := Folder(); filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(root, Folder())
}
