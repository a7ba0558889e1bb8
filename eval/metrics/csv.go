// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/auspex-otel/auspex/eval/score"
)

// change describes the changes to a copy of a folder of CSV files.
type change struct {
	rename        bool
	weeks         int
	scale, offset float64
	crlf          bool
}

// copyFolder writes the changed copy and returns the new name of each file. Because a scaled count is not a count,
// files of counts keep their values, and are omitted if the change has an offset.
func (c change) copyFolder(in, out string) (names map[string]string, err error) {
	list, err := score.ListCSV(in)
	if err != nil {
		return nil, err
	}
	names = map[string]string{}
	random := rand.New(rand.NewPCG(20, 26))
	for _, name := range list {
		names[name] = name
		if c.rename {
			names[name] = filepath.Join(fmt.Sprintf("%04x", random.Uint32()&0xffff), fmt.Sprintf("%016x.csv", random.Uint64()))
		}
		rows, err := score.ReadCSV(filepath.Join(in, name))
		if err != nil {
			return nil, err
		}
		d := c
		if isCount(rows) {
			d.scale = 1
			if c.offset != 0 {
				delete(names, name)
				continue
			}
		}
		if err := writeRows(filepath.Join(out, names[name]), d.rows(rows), c.crlf); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// fewCounts is the mean from which on whole numbers are treated like other values.
const fewCounts = 100

// isCount reports whether all values of a file are nonnegative integers with a small mean.
func isCount(rows [][]string) bool {
	sum := 0.0
	for _, row := range rows[1:] {
		v, err := strconv.ParseFloat(row[1], 64)
		if err == nil && (v < 0 || v != math.Trunc(v)) {
			return false
		}
		sum += v
	}
	return sum < fewCounts*float64(len(rows)-1)
}

// countFiles returns the files of counts in a folder.
func countFiles(dir string) (names []string, err error) {
	list, err := score.ListCSV(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range list {
		rows, err := score.ReadCSV(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if isCount(rows) {
			names = append(names, name)
		}
	}
	return names, nil
}

// cutFolder writes a copy that contains the given share of each file's rows, with identical bytes.
func cutFolder(in, out string, share float64) error {
	list, err := score.ListCSV(in)
	if err != nil {
		return err
	}
	for _, name := range list {
		b, err := os.ReadFile(filepath.Join(in, name))
		if err != nil {
			return err
		}
		lines := bytes.SplitAfter(b, []byte("\n"))
		if len(lines[len(lines)-1]) == 0 {
			lines = lines[:len(lines)-1]
		}
		kept := lines[:1+int(share*float64(len(lines)-1))] // without the header
		path := filepath.Join(out, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(path, bytes.Join(kept, nil), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// rows returns changed copies of rows. The first is the header. Invalid times and numbers remain unchanged.
func (c change) rows(rows [][]string) [][]string {
	changed := [][]string{rows[0]}
	for _, row := range rows[1:] {
		when, value := row[0], row[1]
		if t, err := time.Parse(time.DateTime, when); err == nil {
			when = t.AddDate(0, 0, 7*c.weeks).Format(time.DateTime)
		}
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			value = strconv.FormatFloat(v*c.scale+c.offset, 'g', -1, 64)
		}
		changed = append(changed, []string{when, value})
	}
	return changed
}

func writeRows(path string, rows [][]string, crlf bool) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = crlf
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}

func text(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// comparison compares the rows of two outputs of one input.
type comparison struct {
	rows   int
	differ int    // rows with a score that is not bit-identical
	above  [2]int // rows of the first output at or above 1, by column
	flips  [2]int // rows at or above 1 in only one output
}

var errRows = errors.New("different number of rows")

// compareScores compares the results of two backtests by row. names maps files of the first to those of the second.
func compareScores(a, b string, names map[string]string) (c comparison, err error) {
	for name, other := range names {
		x, err := score.ReadRows(filepath.Join(a, name))
		if err != nil {
			return c, err
		}
		y, err := score.ReadRows(filepath.Join(b, other))
		if err != nil {
			return c, err
		}
		if len(x) != len(y) {
			return c, fmt.Errorf("%s has %d rows, its changed copy %d: %w", name, len(x), len(y), errRows)
		}
		for i := range x {
			if err := c.add(x[i], y[i]); err != nil {
				return c, fmt.Errorf("%s, row %d: %w", name, i+1, err)
			}
		}
	}
	return c, nil
}

func (c *comparison) add(x, y score.Row) error {
	c.rows++
	same := true
	for k := range x {
		p, errX := strconv.ParseFloat(x[k], 64)
		q, errY := strconv.ParseFloat(y[k], 64)
		if err := errors.Join(errX, errY); err != nil {
			return err
		}
		same = same && p == q
		if p >= 1 {
			c.above[k]++
		}
		if (p >= 1) != (q >= 1) {
			c.flips[k]++
		}
	}
	if !same {
		c.differ++
	}
	return nil
}

// comparePrefix counts the lines of the outputs in cut that are not byte-identical to the beginning of the outputs in
// whole. input holds the source of cut.
func comparePrefix(whole, cut, input string) (c comparison, err error) {
	names, err := score.ListCSV(input)
	if err != nil {
		return c, err
	}
	for _, name := range names {
		var lines [3][][]byte
		for k, dir := range [...]string{whole, cut, input} {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				return c, err
			}
			lines[k] = bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))
		}
		if len(lines[1]) != len(lines[2]) || len(lines[0]) < len(lines[1]) {
			return c, fmt.Errorf("%s: %d lines in the cut input, %d in its output, %d in the whole one: %w", name, len(lines[2]), len(lines[1]), len(lines[0]), errRows)
		}
		c.rows += len(lines[1])
		for i, line := range lines[1] {
			if !bytes.Equal(line, lines[0][i]) {
				c.differ++
			}
		}
	}
	return c, nil
}
