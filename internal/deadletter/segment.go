// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// segmentName consists of an increasing number and the creation time, so that names of removed
// segments are not reused.
var segmentName = regexp.MustCompile(`^(\d{8,18})-\d{8}T\d{6}Z\.jsonl$`)

// segment is one file of a folder.
type segment struct {
	path   string
	number int64
	size   int64
}

// segments returns the segments of a folder, oldest first. A missing folder has none.
func segments(folder string) ([]segment, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []segment
	for _, e := range entries {
		m := segmentName.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was moved away
		}
		if err != nil {
			return nil, err
		}
		number, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			return nil, err
		}
		all = append(all, segment{filepath.Join(folder, e.Name()), number, info.Size()})
	}
	slices.SortFunc(all, func(a, b segment) int {
		if a.number != b.number {
			return int(a.number - b.number)
		}
		return strings.Compare(a.path, b.path)
	})
	return all, nil
}

func newSegment(folder string, number int64, now time.Time) segment {
	return segment{path: filepath.Join(folder, fmt.Sprintf("%08d-%s.jsonl", number, now.UTC().Format("20060102T150405Z"))), number: number}
}

// letters returns the number of lines in a segment.
func (s segment) letters() (n int) {
	file, err := os.Open(s.path)
	if err != nil {
		return 0
	}
	defer file.Close()
	for buf := make([]byte, 64<<10); ; {
		read, err := file.Read(buf)
		n += bytes.Count(buf[:read], []byte("\n"))
		if err != nil {
			return n
		}
	}
}

// whole reports whether the last line of a segment is complete. It is incomplete after a crash.
func (s segment) whole() bool {
	if s.size == 0 {
		return true
	}
	file, err := os.Open(s.path)
	if err != nil {
		return false
	}
	defer file.Close()
	last := make([]byte, 1)
	_, err = file.ReadAt(last, s.size-1)
	return err == nil && last[0] == '\n'
}

// each calls do with every line of a segment, without its line end.
func (s segment) each(do func(line []byte) error) error {
	file, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was discarded or moved away
	}
	if err != nil {
		return err
	}
	defer file.Close()
	for r := bufio.NewReader(file); ; {
		line, err := r.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if err := do(line); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
