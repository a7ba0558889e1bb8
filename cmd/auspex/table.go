// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// table aligns text in columns.
type table struct {
	right []bool // columns of numbers
	rows  [][]string
}

// newTable returns a table with the given heads. A head that begins with > marks a column of numbers. Without heads the table has no head line.
func newTable(heads ...string) *table {
	t := &table{right: make([]bool, len(heads))}
	row := make([]string, len(heads))
	for i, h := range heads {
		row[i], t.right[i] = strings.CutPrefix(h, ">")
	}
	if len(row) > 0 {
		t.rows = append(t.rows, row)
	}
	return t
}

// add appends a line. Every line has as many cells as the first.
func (t *table) add(cells ...string) {
	for i := range cells {
		cells[i] = clean(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// print writes the lines, each after the given indent.
func (t *table) print(out *bytes.Buffer, indent string) {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		b.Reset()
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i < len(t.right) && t.right[i] {
				b.WriteString(pad + cell + "  ")
			} else {
				b.WriteString(cell + pad + "  ")
			}
		}
		out.WriteString(indent + strings.TrimRight(b.String(), " ") + "\n")
	}
}

// clean removes control characters from telemetry text, because a terminal would interpret them.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, s)
}
