// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Columns selects the columns to read. Case and surrounding spaces of names are ignored.
type Columns struct {
	// Time and Value are the names of the time and value columns. If one is empty, the usual names are tried. The
	// only remaining column can also be the value.
	Time, Value string
	// Series are the names of the columns that identify the series of a file. By default it is a column named series.
	// Without one, a file is one series.
	Series []string
}

// Usual column names in lower case, in order of preference.
var (
	timeNames  = []string{"timestamp", "@timestamp", "time", "datetime", "date time", "date", "ts", "_time"}
	valueNames = []string{"value", "_value", "val"}
)

const seriesName = "series"

// separators lists the field separators in the order of preference.
const separators = ",;\t|"

// columns holds the indexes of the columns in a row.
type columns struct {
	time, value int
	series      []int
}

// readHeader reads the header, and determines the separator and the columns. It skips empty lines, comments (#), and
// Excel's line sep=; before it.
func (r *rowReader) readHeader(c Columns) error {
	tried := separators
	for {
		switch err := r.read(); {
		case errors.Is(err, io.EOF):
			return errNoHeader
		case err != nil:
			return r.at(err)
		}
		if bytes.HasPrefix(r.record, []byte("\xff\xfe")) || bytes.HasPrefix(r.record, []byte("\xfe\xff")) {
			return r.at(errUTF16)
		}
		line := bytes.Trim(r.record, `" `)
		if sep, ok := bytes.CutPrefix(line, []byte("sep=")); ok && len(sep) == 1 {
			tried = string(sep)
		} else if len(line) > 0 && line[0] != '#' {
			return r.findColumns(c, tried)
		}
	}
}

// findColumns locates the columns in the header with the first separator that has them.
func (r *rowReader) findColumns(c Columns, tried string) error {
	var failed error
	for i := range len(tried) {
		r.separator = tried[i]
		if !r.split() {
			continue
		}
		found, err := c.find(r.names())
		if err == nil {
			r.columns = found
			return nil
		}
		if failed == nil || len(r.fields) > 1 {
			failed = err
		}
	}
	return r.at(failed)
}

// names returns the fields of the header.
func (r *rowReader) names() []string {
	names := make([]string, len(r.fields))
	for i, f := range r.fields {
		names[i] = strings.ToLower(plain(f))
	}
	return names
}

// find locates the columns among names in lower case.
func (c Columns) find(names []string) (found columns, err error) {
	times, values, series := timeNames, valueNames, c.Series
	if c.Time != "" {
		times = []string{c.Time}
	}
	if c.Value != "" {
		values = []string{c.Value}
	}
	if found.time = first(names, times); found.time < 0 {
		return found, missing("the time", "--time", c.Time, names)
	}
	if len(series) == 0 && c.Value != seriesName && slices.Contains(names, seriesName) {
		series = []string{seriesName}
	}
	for _, name := range series {
		i := first(names, []string{name})
		if i < 0 {
			return found, missing("the series", "--series", name, names)
		}
		found.series = append(found.series, i)
	}
	if found.value = first(names, values); found.value < 0 && c.Value == "" {
		found.value = theRest(names, append(found.series, found.time))
	}
	if found.value < 0 {
		return found, missing("the value", "--value", c.Value, names)
	}
	return found, nil
}

// first returns the index of the first wanted name that exists, or -1.
func first(names, wanted []string) int {
	for _, name := range wanted {
		if i := slices.Index(names, strings.ToLower(strings.TrimSpace(name))); i >= 0 {
			return i
		}
	}
	return -1
}

// theRest returns the index of the only name that is not at one of the given indexes, or -1.
func theRest(names []string, but []int) int {
	rest := -1
	for i, name := range names {
		switch {
		case name == "" || slices.Contains(but, i):
		case rest >= 0:
			return -1
		default:
			rest = i
		}
	}
	return rest
}

func missing(what, flag, asked string, names []string) error {
	for i, name := range names {
		names[i] = fmt.Sprintf("%q", name)
	}
	list := strings.Join(names, ", ")
	if asked != "" {
		return fmt.Errorf("the header has no column %q, which %s sets; it has %s", asked, flag, list)
	}
	return fmt.Errorf("the header has no known name for the column of %s; it has %s; choose one with %s", what, list, flag)
}
