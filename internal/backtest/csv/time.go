// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// lastTime is the latest time that fits into 64 bits of nanoseconds.
var lastTime = time.Unix(0, math.MaxInt64)

var (
	errTime  = errors.New("not a time: use 2006-01-02 15:04:05, optionally with T, a fraction, and a zone, or Unix seconds or milliseconds")
	errOrder = fmt.Errorf("the order of day and month is ambiguous: %w", errTime)
)

// timeFormat is the common format of a column of times.
type timeFormat struct {
	order  Order // of day and month in dates such as 05/01/2026
	serial bool  // numbers are days since the end of 1899, as in spreadsheets
}

// Order is the order of day and month in a date that ends with the year.
type Order uint8

// Orders. OrderUnknown is that of a single ambiguous date such as 05/01/2026.
const (
	OrderUnknown Order = iota
	DayFirst
	MonthFirst
)

// ParseTime parses a timestamp: a date with or without a time of day, in UTC unless an offset follows, or a number of
// seconds, milliseconds, microseconds, or nanoseconds since 1970, distinguished by size. A date that ends with the
// year must have a day above 12.
func ParseTime(s string) (time.Time, error) {
	t, _, err := timeFormat{}.parse(s)
	return t, err
}

// parse parses a timestamp. shown is the order of day and month that it proves. The error is errOrder if the order is
// needed and unknown, and errTime for other text.
func (f timeFormat) parse(s string) (t time.Time, shown Order, err error) {
	s = strings.TrimSpace(s)
	t, ok := parseISO(s)
	if !ok {
		t, ok = f.parseNumber(s)
	}
	if !ok {
		t, shown, ok = parseDate(s, f.order)
		if !ok && shown == bothOrders {
			return time.Time{}, OrderUnknown, errOrder
		}
	}
	if !ok || t.Before(time.Unix(0, 0)) || t.After(lastTime) {
		return time.Time{}, OrderUnknown, errTime
	}
	return t, shown, nil
}

// parseISO parses the most common format: 2006-01-02 15:04:05.
func parseISO(s string) (time.Time, bool) {
	const length = len(time.DateTime)
	if len(s) < length || s[4] != '-' {
		return time.Time{}, false
	}
	end := length
	if end < len(s) && (s[end] == '.' || s[end] == ',') {
		for end++; end < len(s) && isDigit(s[end]); end++ {
		}
	}
	date, zone := s[:end], strings.TrimSpace(s[end:])
	layout := time.DateTime
	if s[10] == 'T' || s[10] == 't' {
		layout = "2006-01-02" + s[10:11] + "15:04:05"
	}
	return parseZoned(layout, date, zone)
}

// parseZoned parses a time that is in UTC unless a zone follows.
func parseZoned(layout, text, zone string) (time.Time, bool) {
	switch {
	case zone == "" || zone == "Z" || zone == "z" || zone == "UTC" || zone == "GMT":
	case len(zone) == len("+01:00"):
		layout, text = layout+"-07:00", text+zone
	case len(zone) == len("+0100"):
		layout, text = layout+"-0700", text+zone
	default:
		layout, text = layout+"-07", text+zone
	}
	t, err := time.Parse(layout, text)
	return t, err == nil
}

// Range of numbers that may be days since the end of 1899: from 2000 to 2100.
const firstSerial, lastSerial, unixSerial = 36526, 73051, 25569

func isSerial(s string) bool {
	v, err := strconv.ParseFloat(s, 64)
	return err == nil && firstSerial <= v && v < lastSerial
}

func (f timeFormat) parseNumber(s string) (time.Time, bool) {
	if !f.serial {
		return parseUnix(s)
	}
	days, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(math.Round((days - unixSerial) * 86400e3))).UTC(), true
}

// parseUnix interprets a number below 1e11 as seconds, which is before the year 5138, and each further factor of a
// thousand as the next smaller unit. Fractions have the precision of a float64.
func parseUnix(s string) (time.Time, bool) {
	for unit, limit := time.Second, 1e11; unit >= 1; unit, limit = unit/1000, limit*1000 {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			if float64(n) < limit || unit == 1 {
				return unix(n, 0, unit), true
			}
			continue
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || !(math.Abs(f) < math.MaxInt64) {
			return time.Time{}, false
		}
		if f < limit || unit == 1 {
			whole, fraction := math.Modf(f)
			return unix(int64(whole), time.Duration(math.Round(fraction*float64(unit))), unit), true
		}
	}
	return time.Time{}, false
}

// unix returns the time n units plus more after 1970.
func unix(n int64, more, unit time.Duration) time.Time {
	perSecond := int64(time.Second / unit)
	return time.Unix(n/perSecond, n%perSecond*int64(unit)).Add(more).UTC()
}
