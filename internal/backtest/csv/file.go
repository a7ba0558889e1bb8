// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/auspex-otel/auspex/internal/backtest"
)

// maxSeries bounds the number of series in one file.
const maxSeries = 10_000

var errSeries = fmt.Errorf("the file has more than %d series", maxSeries)

// file is the run of one file.
type file struct {
	name   string
	format format
	series map[string]*track
	order  []*track
	err    error
}

func newFile(name string) *file { return &file{name: name, series: map[string]*track{}} }

// run reads the file and writes its output. It removes the output after an error.
func (f *file) run(o *Options, size int64) (err error) {
	name := filepath.FromSlash(f.name)
	path := filepath.Join(o.In, name)
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // errors do not matter after reading
	meter := backtest.NewMeter(in, o.Progress, size)
	defer meter.End()
	if f.format, err = takeFormat(in, o.Columns, o.Format); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	target := filepath.Join(o.Out, name)
	if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
		return err
	}
	out, err := os.Create(target)
	if err != nil {
		return err
	}
	if err := f.judge(o, meter, out); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", path, err), out.Close(), os.Remove(target))
	}
	return out.Close()
}

// judge writes one output row for each input row, in the same order.
func (f *file) judge(o *Options, in *backtest.Meter, out io.Writer) error {
	rows, err := newRowReader(in, o.Columns)
	if err != nil {
		return err
	}
	buffer := bufio.NewWriterSize(out, 1<<16)
	_, _ = buffer.WriteString(header) // Flush returns the error
	if len(rows.columns.series) > 0 {
		_, _ = buffer.WriteString("," + seriesName)
	}
	_ = buffer.WriteByte('\n')
	judge := f.forward
	if f.format.newestFirst {
		judge = f.backward
	}
	if err := judge(o, rows, in, buffer); err != nil {
		return err
	}
	return errors.Join(buffer.Flush(), f.unreadable())
}

// forward judges rows in the order of the file.
func (f *file) forward(o *Options, rows *rowReader, in *backtest.Meter, out *bufio.Writer) error {
	var line []byte
	for {
		r, err := rows.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			line, err = f.appendRow(o, line[:0], r, len(rows.columns.series) > 0)
		}
		if err != nil {
			return err
		}
		in.Points++
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
}

// backward judges rows from the last to the first. It holds them in memory.
func (f *file) backward(o *Options, rows *rowReader, in *backtest.Meter, out *bufio.Writer) error {
	var list []row
	for {
		r, err := rows.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		list = append(list, r.clone())
	}
	lines := make([][]byte, len(list))
	for i, r := range slices.Backward(list) {
		line, err := f.appendRow(o, nil, r, len(rows.columns.series) > 0)
		if err != nil {
			return err
		}
		lines[i] = line
		in.Points++
	}
	for _, line := range lines {
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// appendRow judges a row and appends its output row.
func (f *file) appendRow(o *Options, line []byte, r row, withSeries bool) ([]byte, error) {
	t, err := f.track(o, r.series)
	if err != nil {
		return line, fmt.Errorf("line %d: %w", r.line, err)
	}
	v, err := t.observe(r, f.format)
	if err != nil {
		return line, fmt.Errorf("line %d: %w", r.line, err)
	}
	line = appendRaw(append(appendRaw(line, r.timestamp), ','), r.value)
	if v == nil {
		line = append(line, ",0,0,,,"...)
	} else {
		for _, x := range [...]float64{v.Score, v.Opening, v.Expected, v.Lower, v.Upper} {
			line = strconv.AppendFloat(append(line, ','), x, 'g', -1, 64)
		}
	}
	if withSeries {
		line = appendField(append(line, ','), string(r.series))
	}
	return append(line, '\n'), nil
}

// track returns the track of a series and creates it if necessary.
func (f *file) track(o *Options, series []byte) (*track, error) {
	if t := f.series[string(series)]; t != nil {
		return t, nil
	}
	if len(f.series) == maxSeries {
		return nil, errSeries
	}
	name := f.name
	if len(series) > 0 {
		name += ": " + string(series)
	}
	windows, known := o.Truth[name]
	if !known {
		windows, known = o.Truth[f.name]
	}
	t := newTrack(name, o.Engine, windows, known)
	f.series[string(series)] = t
	f.order = append(f.order, t)
	return t, nil
}

// unreadable returns an error if there are rows but no points.
func (f *file) unreadable() error {
	sum := backtest.Summary{}
	for _, t := range f.order {
		s := t.summary
		sum.Rows, sum.Points = sum.Rows+s.Rows, sum.Points+s.Points
		keepFirst(&sum.FirstNoTime, s.FirstNoTime)
		keepFirst(&sum.FirstNoNumber, s.FirstNoNumber)
	}
	switch {
	case sum.Points > 0:
		return nil
	case sum.FirstNoTime > 0:
		return fmt.Errorf("line %d: %w", sum.FirstNoTime, errTime)
	case sum.FirstNoNumber > 0:
		return fmt.Errorf("line %d: the value is %w", sum.FirstNoNumber, errNumber)
	default:
		return nil
	}
}

// keepFirst keeps the smaller of two line numbers. 0 means none.
func keepFirst(line *int, other int) {
	if other > 0 && (*line == 0 || other < *line) {
		*line = other
	}
}

// appendRaw appends a field in its original form, in quotes if the file's separator is not the comma.
func appendRaw(b, field []byte) []byte {
	if bytes.IndexByte(field, ',') >= 0 && bytes.TrimSpace(field)[0] != '"' {
		return appendField(b, string(field))
	}
	return append(b, field...)
}

// appendField appends a field, in quotes if necessary.
func appendField(b []byte, text string) []byte {
	if !strings.ContainsAny(text, "\",\r\n") {
		return append(b, text...)
	}
	return append(append(append(b, '"'), strings.ReplaceAll(text, `"`, `""`)...), '"')
}
