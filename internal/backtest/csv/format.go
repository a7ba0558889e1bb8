// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Format states how to read the texts of a file. The zero value infers everything from the file.
type Format struct {
	// Decimal is the decimal mark, '.' or ',', or 0 to infer it.
	Decimal byte
	// Order is the order of day and month in dates such as 05/01/2026.
	Order Order
}

// format is the format of one file.
type format struct {
	times       timeFormat
	decimal     byte
	newestFirst bool
}

// survey reads a whole file to determine its format, because a single row may not show whether 1,234 is about one or
// about a thousand, or whether 05/01 is in January or May.
type survey struct {
	asked     Format
	separator byte

	decimals, either [2]int // lines that prove the mark '.' or ',', and that allow it
	long             int    // line with at least four digits before any mark
	orders           [bothOrders + 1]int
	words            int // line of a time that is not a serial date
	serials          int
	last             map[string][2]time.Time // by series and order
	falls            [2]int                  // rows earlier than their predecessors, minus later ones
}

// takeFormat returns the format of a file. The error names the line that contradicts an earlier one, or that is
// ambiguous.
func takeFormat(in io.Reader, c Columns, asked Format) (format, error) {
	rows, err := newRowReader(in, c)
	if err != nil {
		return format{}, err
	}
	s := survey{asked: asked, separator: rows.separator, last: map[string][2]time.Time{}}
	for {
		r, err := rows.next()
		if errors.Is(err, io.EOF) {
			return s.format()
		}
		if err != nil {
			return format{}, err
		}
		s.value(r)
		s.time(r)
	}
}

func (s *survey) value(r row) {
	n, ok := cutNumber(plain(r.value))
	if !ok {
		return
	}
	mark, either := n.decimal()
	switch {
	case mark != 0:
		note(&s.decimals[markIndex(mark)], r.line)
	case either != 0:
		note(&s.either[markIndex(either)], r.line)
	case len(n.digits) > 4 || len(n.digits) == 4 && n.digits[0] != '-':
		note(&s.long, r.line)
	}
}

func markIndex(mark byte) int {
	if mark == ',' {
		return 1
	}
	return 0
}

// note stores the first line number.
func note(at *int, line int) {
	if *at == 0 {
		*at = line
	}
}

func (s *survey) time(r row) {
	text := plain(r.timestamp)
	if isSerial(text) {
		note(&s.serials, r.line)
	}
	var times [2]time.Time
	t, order, err := timeFormat{}.parse(text)
	switch {
	case err == nil:
		times = [2]time.Time{t, t}
	case errors.Is(err, errOrder):
		order = bothOrders
		for i := range times {
			times[i], _, _ = timeFormat{order: Order(i + 1)}.parse(text)
		}
	default:
		return
	}
	note(&s.orders[order], r.line)
	if !isSerial(text) {
		note(&s.words, r.line)
	}
	s.direction(string(r.series), times)
}

func (s *survey) direction(series string, times [2]time.Time) {
	before, again := s.last[series]
	if !again && len(s.last) >= maxSeries {
		return // an error follows
	}
	for i, t := range times {
		if again {
			s.falls[i] += before[i].Compare(t)
		}
	}
	s.last[series] = times
}

func (s *survey) format() (f format, err error) {
	f.times.serial = s.serials > 0 && s.words == 0
	if f.decimal, err = s.decimal(); err != nil {
		return f, err
	}
	if f.times.order, err = s.order(); err != nil {
		return f, err
	}
	f.newestFirst = s.falls[max(f.times.order, DayFirst)-DayFirst] > 0
	return f, nil
}

// decimal decides by unambiguous numbers, then by the separator: files with semicolons usually have decimal commas,
// and a comma within a field of a comma-separated file is a group mark.
func (s *survey) decimal() (byte, error) {
	switch point, comma := s.decimals[0], s.decimals[1]; {
	case s.asked.Decimal != 0:
		return s.asked.Decimal, nil
	case point > 0 && comma > 0:
		return 0, fmt.Errorf("line %d: the decimal mark is a comma here and a point in line %d: state it with --decimal point or --decimal comma", comma, point)
	case point > 0:
		return '.', nil
	case comma > 0:
		return ',', nil
	}
	point, comma := s.either[0], s.either[1]
	switch {
	case s.separator == ',' || comma == 0 && (point == 0 || s.long > 0):
		return '.', nil
	case point == 0 && (s.separator == ';' || s.long > 0):
		return ',', nil
	}
	return 0, fmt.Errorf("line %d: the mark in the value is a decimal mark or separates thousands: state --decimal point or --decimal comma", max(point, comma))
}

// order decides by dates with a day above 12.
func (s *survey) order() (Order, error) {
	day, month, both := s.orders[DayFirst], s.orders[MonthFirst], s.orders[bothOrders]
	switch {
	case s.asked.Order != OrderUnknown:
		return s.asked.Order, nil
	case day > 0 && month > 0:
		return 0, fmt.Errorf("line %d: the month comes first here and the day in line %d: state the order with --dates day-first or --dates month-first", month, day)
	case day > 0:
		return DayFirst, nil
	case both > 0 && month == 0:
		return 0, fmt.Errorf("line %d: the date can have the day or the month first: state the order with --dates day-first or --dates month-first", both)
	default:
		return MonthFirst, nil
	}
}
