// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxRow bounds the bytes of one row.
const maxRow = 1 << 20

var (
	errNoHeader = errors.New("the file is empty: the first line must name the columns of the time and the value")
	errUTF16    = errors.New("the file is UTF-16: save it as UTF-8")
	errRowLong  = errors.New("a row is longer than 1 MiB")
	errQuote    = errors.New("a quoted field is not closed")
)

// row is one row of a CSV file. Its fields have their original form, including quotes, and are valid until the next
// row is read. The series is the plain text of the series columns, separated by commas.
type row struct {
	line             int
	timestamp, value []byte
	series           []byte
}

// clone returns a copy that remains valid.
func (r row) clone() row {
	return row{r.line, bytes.Clone(r.timestamp), bytes.Clone(r.value), bytes.Clone(r.series)}
}

// rowReader reads the rows of a CSV file with a header. Every line after the header is a row, including empty ones,
// unless it continues a quoted field. Missing fields are empty.
type rowReader struct {
	in        *bufio.Reader
	line      int // lines read
	separator byte
	columns   columns
	record    []byte
	fields    [][]byte
	series    []byte
}

func newRowReader(in io.Reader, c Columns) (*rowReader, error) {
	r := &rowReader{in: bufio.NewReaderSize(in, 1<<16), separator: ','}
	return r, r.readHeader(c)
}

// next returns the next row, or io.EOF after the last.
func (r *rowReader) next() (row, error) {
	line := r.line + 1
	if err := r.read(); err != nil {
		if errors.Is(err, io.EOF) {
			return row{}, io.EOF
		}
		return row{}, r.at(err)
	}
	return row{line, r.field(r.columns.time), r.field(r.columns.value), r.seriesName()}, nil
}

func (r *rowReader) seriesName() []byte {
	r.series = r.series[:0]
	for i, c := range r.columns.series {
		if i > 0 {
			r.series = append(r.series, ", "...)
		}
		r.series = append(r.series, plain(r.field(c))...)
	}
	return r.series
}

func (r *rowReader) at(err error) error { return fmt.Errorf("line %d: %w", r.line, err) }

func (r *rowReader) field(i int) []byte {
	if i >= len(r.fields) {
		return nil
	}
	return r.fields[i]
}

// read reads one record and splits it into fields.
func (r *rowReader) read() error {
	first := r.line + 1
	r.record = r.record[:0]
	for {
		if err := r.readLine(); err != nil {
			if errors.Is(err, io.EOF) && len(r.record) > 0 {
				err = errQuote
			}
			r.line = first
			return err
		}
		if first == 1 && r.line == 1 {
			r.record = bytes.TrimPrefix(r.record, []byte("\ufeff"))
		}
		if r.split() {
			return nil
		}
		r.record = append(r.record, '\n')
	}
}

// readLine appends a line to the record, without its line ending.
func (r *rowReader) readLine() error {
	begun := false
	for {
		part, err := r.in.ReadSlice('\n')
		begun = begun || len(part) > 0
		if begun && !errors.Is(err, bufio.ErrBufferFull) {
			r.line++
		}
		switch {
		case len(r.record)+len(part) > maxRow:
			return errRowLong
		case err == nil:
			r.record = append(r.record, bytes.TrimSuffix(part[:len(part)-1], []byte("\r"))...)
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
			r.record = append(r.record, part...)
		case errors.Is(err, io.EOF) && begun:
			r.record = append(r.record, bytes.TrimSuffix(part, []byte("\r"))...)
			return nil
		default:
			return err
		}
	}
}

// split splits the record into fields. It returns false if a quoted field is not closed.
func (r *rowReader) split() bool {
	r.fields = r.fields[:0]
	blank := " \t"
	if r.separator == '\t' {
		blank = " "
	}
	for rest := r.record; ; {
		end := 0
		if quoted := bytes.TrimLeft(rest, blank); len(quoted) > 0 && quoted[0] == '"' {
			length := quotedLength(quoted)
			if length < 0 {
				return false
			}
			end = len(rest) - len(quoted) + length
		}
		separator := bytes.IndexByte(rest[end:], r.separator)
		if separator < 0 {
			r.fields = append(r.fields, rest)
			return true
		}
		r.fields = append(r.fields, rest[:end+separator])
		rest = rest[end+separator+1:]
	}
}

// quotedLength returns the length of the quoted text at the start of b, or -1 if it is not closed.
func quotedLength(b []byte) int {
	for i := 1; i < len(b); i++ {
		if b[i] != '"' {
			continue
		}
		if i+1 == len(b) || b[i+1] != '"' {
			return i + 1
		}
		i++
	}
	return -1
}

// plain returns the text of a field, without surrounding spaces and quotes.
func plain(field []byte) string {
	field = bytes.TrimSpace(field)
	if len(field) >= 2 && field[0] == '"' && field[len(field)-1] == '"' {
		return strings.TrimSpace(strings.ReplaceAll(string(field[1:len(field)-1]), `""`, `"`))
	}
	return string(field)
}
