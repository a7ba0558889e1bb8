// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Read calls do with each letter below a directory, folder by folder, the oldest first in each
// folder. It returns the number of lines that are not letters, for example after a crash. A
// missing directory has no letters.
func Read(directory string, do func(Letter) error) (damaged int, err error) {
	entries, err := os.ReadDir(directory)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		all, err := segments(filepath.Join(directory, e.Name()))
		if err != nil {
			return damaged, err
		}
		for _, s := range all {
			err := s.each(func(line []byte) error {
				var l Letter
				if bad := json.Unmarshal(line, &l) != nil || l.Time.IsZero(); bad {
					damaged++
					return nil
				}
				return do(l)
			})
			if err != nil {
				return damaged, err
			}
		}
	}
	return damaged, nil
}
