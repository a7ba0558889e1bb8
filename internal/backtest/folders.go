// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// SeparateFolders creates the folder out. It returns an error if one of the folders contains the other, because a
// second run would read results as inputs, or the first overwrite its inputs.
func SeparateFolders(in, out string) error {
	if err := os.MkdirAll(out, 0o750); err != nil {
		return err
	}
	var dirs [2]string
	for i, dir := range [...]string{in, out} {
		path, err := filepath.EvalSymlinks(dir)
		if err != nil {
			return err
		}
		if path, err = filepath.Abs(path); err != nil {
			return err
		}
		dirs[i] = path + string(filepath.Separator)
	}
	if strings.HasPrefix(dirs[0], dirs[1]) || strings.HasPrefix(dirs[1], dirs[0]) {
		return fmt.Errorf("%s and %s must not contain each other: choose an output folder outside the input folder", in, out)
	}
	return nil
}
