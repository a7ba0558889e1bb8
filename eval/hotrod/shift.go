// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// nanoseconds matches a timestamp in OTLP JSON.
var nanoseconds = regexp.MustCompile(`(?:[tT]imeUnixNano)":"(\d+)"`)

// shifted returns a line with all timestamps moved later by d.
func shifted(line []byte, d time.Duration) []byte {
	out, from := make([]byte, 0, len(line)), 0
	for _, at := range nanoseconds.FindAllSubmatchIndex(line, -1) {
		t, err := strconv.ParseInt(string(line[at[2]:at[3]]), 10, 64)
		if err != nil || t == 0 { // unset
			continue
		}
		out = append(out, line[from:at[2]]...)
		out, from = strconv.AppendInt(out, t+int64(d), 10), at[3]
	}
	return append(out, line[from:]...)
}

// copyShifted copies the files of a folder with all timestamps moved later by d. Their names begin with the number of
// the copy.
func copyShifted(from, to string, number int, d time.Duration) error {
	names, err := filepath.Glob(filepath.Join(from, "*.json.gz"))
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("no recording in %s", from)
	}
	for _, name := range names {
		if err := copyFile(name, filepath.Join(to, fmt.Sprintf("%d-%s", number, filepath.Base(name))), d); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func copyFile(from, to string, d time.Duration) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	packed, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() {
		if e := out.Close(); err == nil {
			err = e
		}
	}()
	w, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return err
	}
	r := bufio.NewReader(packed)
	for {
		line, end := r.ReadBytes('\n')
		if _, err := w.Write(shifted(line, d)); err != nil {
			return err
		}
		if end == io.EOF {
			return w.Close()
		}
		if end != nil {
			return end
		}
	}
}
