// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package score

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Names of the score columns in the output of a backtest.
const (
	ScoreColumn   = "anomaly_score"
	OpeningColumn = "opening_score"
	// oldPointColumn holds the point score in outputs whose anomaly_score is the opening score.
	oldPointColumn = "point_score"
)

// Column is one of the two scores of a row.
type Column int

// Point is the score of the row itself, Opening its opening score.
const (
	Point Column = iota
	Opening
)

// String returns the name of the column in reports.
func (c Column) String() string { return [...]string{"point", "opening"}[c] }

// Row holds both scores of a row of a backtest's output in their written form.
type Row [2]string

// ListCSV returns the CSV files under a folder, relative to it, in lexical order.
func ListCSV(dir string) (names []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".csv" {
			return err
		}
		name, err := filepath.Rel(dir, path)
		names = append(names, name)
		return err
	})
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("no CSV files in %s", dir)
	}
	return names, err
}

// ReadCSV returns the rows of a file. The first is the header.
func ReadCSV(path string) ([][]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s is empty", path)
	}
	return rows, nil
}

// ReadRows returns the two scores of every row of the output of a backtest.
func ReadRows(path string) ([]Row, error) {
	rows, err := ReadCSV(path)
	if err != nil {
		return nil, err
	}
	at, err := columns(rows[0])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	list := make([]Row, 0, len(rows)-1)
	for _, row := range rows[1:] {
		list = append(list, Row{row[at[Point]], row[at[Opening]]})
	}
	return list, nil
}

// columns returns the indexes of both scores. A header without opening_score has the older format, in which
// anomaly_score is the opening score.
func columns(header []string) (at [2]int, err error) {
	names := [2]string{Point: ScoreColumn, Opening: OpeningColumn}
	if !slices.Contains(header, OpeningColumn) {
		names = [2]string{Point: oldPointColumn, Opening: ScoreColumn}
	}
	for c, name := range names {
		if at[c] = slices.Index(header, name); at[c] < 0 {
			return at, fmt.Errorf("no column %s in %q", name, header)
		}
	}
	return at, nil
}

// number parses a score. An empty field means that the row was not evaluated, and returns 0.
func number(s string) (float64, error) {
	if s == "" {
		return 0, nil
	}
	return strconv.ParseFloat(s, 64)
}

// ReadScores returns one column of the output of a backtest.
func ReadScores(path string, c Column) ([]float64, error) {
	rows, err := ReadRows(path)
	if err != nil {
		return nil, err
	}
	scores := make([]float64, len(rows))
	for i, row := range rows {
		if scores[i], err = number(row[c]); err != nil {
			return nil, fmt.Errorf("%s, row %d: %w", path, i+1, err)
		}
	}
	return scores, nil
}
