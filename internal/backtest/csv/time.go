// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// lastTime is the latest time that 64 bits of nanoseconds reach.
var lastTime = time.Unix(0, math.MaxInt64)

var errTime = errors.New("not a time: use 2006-01-02 15:04:05, with T, a fraction and a zone if need be, or Unix seconds or milliseconds")

// ParseTime reads a timestamp: a date with a time of day, between them a space
// or T, in UTC unless an offset follows; or a number of seconds, milliseconds,
// microseconds or nanoseconds since 1970, told apart by their size.
func ParseTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	t, ok := parseDate(s)
	if !ok {
		t, ok = parseUnix(s)
	}
	if !ok || t.Before(time.Unix(0, 0)) || t.After(lastTime) {
		return time.Time{}, errTime
	}
	return t, nil
}

func parseDate(s string) (time.Time, bool) {
	const length = len(time.DateTime)
	if len(s) < length || s[4] != '-' {
		return time.Time{}, false
	}
	end := length
	if end < len(s) && (s[end] == '.' || s[end] == ',') {
		for end++; end < len(s) && '0' <= s[end] && s[end] <= '9'; end++ {
		}
	}
	date, zone := s[:end], strings.TrimSpace(s[end:])
	layout := time.DateTime
	if s[10] == 'T' || s[10] == 't' {
		layout = "2006-01-02" + s[10:11] + "15:04:05"
	}
	switch {
	case zone == "" || zone == "Z" || zone == "z" || zone == "UTC":
	case len(zone) == len("+01:00"):
		layout, date = layout+"-07:00", date+zone
	case len(zone) == len("+0100"):
		layout, date = layout+"-0700", date+zone
	default:
		layout, date = layout+"-07", date+zone
	}
	t, err := time.Parse(layout, date)
	return t, err == nil
}

// parseUnix takes a number below 1e11 for seconds, which is before the year
// 5138, and every further thousandfold for the next smaller unit. The fraction
// of a number is exact as far as a float64 is.
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

// unix returns n units since 1970, and some more.
func unix(n int64, more, unit time.Duration) time.Time {
	perSecond := int64(time.Second / unit)
	return time.Unix(n/perSecond, n%perSecond*int64(unit)).Add(more).UTC()
}
