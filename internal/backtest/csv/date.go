// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"strconv"
	"strings"
	"time"
)

// bothOrders is the order of an ambiguous date such as 05/01/2026.
const bothOrders = MonthFirst + 1

// namedDates lists layouts of dates with the name of a month, without the time of day.
var namedDates = []string{
	"2 Jan 2006", "2 January 2006", "Jan 2 2006", "January 2 2006", "2-Jan-2006", "2-Jan-06", "2/Jan/2006",
}

// clocks lists layouts of the time of day. Each also accepts a fraction of a second.
var clocks = []string{"15:04:05", "15:04", "3:04:05 PM", "3:04 PM", "3:04:05PM", "3:04PM"}

// parseDate parses a date in numbers or with the name of a month, optionally followed by a time of day and a zone.
// shown is the order of day and month that the date proves. It is bothOrders, with ok false, if the order is needed
// but unknown.
func parseDate(s string, order Order) (t time.Time, shown Order, ok bool) {
	date, clock, zone := cutDate(s)
	day, shown, ok := parseDay(date, order)
	if !ok {
		return t, shown, false
	}
	text := day.Format(time.DateOnly)
	if clock == "" {
		t, err := time.Parse(time.DateOnly, text)
		return t, shown, err == nil && zone == ""
	}
	for _, layout := range clocks {
		if t, ok = parseZoned(time.DateOnly+" "+layout, text+" "+clock, zone); ok {
			return t, shown, true
		}
	}
	return t, shown, false
}

// cutDate splits a text into a date without its weekday and commas, the time of day with AM or PM, and the zone.
func cutDate(s string) (date, clock, zone string) {
	colon := strings.IndexByte(s, ':')
	if colon < 0 {
		return strings.ReplaceAll(s, ",", ""), "", ""
	}
	start := strings.LastIndexAny(s[:colon], " T/:") + 1 // 02/Jan/2006:15:04:05 has a colon before the hour
	if day := strings.Count(s[:colon], "/"); day == 2 && !strings.ContainsAny(s[:colon], " T") {
		start = colon + 1
	}
	date = strings.TrimRight(strings.ReplaceAll(s[:max(start-1, 0)], ",", ""), " ")
	if name, rest, has := strings.Cut(date, " "); has && isWeekday(name) {
		date = rest
	}
	clock = s[start:]
	end := 0
	for end < len(clock) && (isDigit(clock[end]) || strings.IndexByte(":.,", clock[end]) >= 0) {
		end++
	}
	clock, zone = clock[:end], strings.TrimSpace(clock[end:])
	if upper := strings.ToUpper(zone); strings.HasPrefix(upper, "AM") || strings.HasPrefix(upper, "PM") {
		clock, zone = clock+" "+upper[:2], strings.TrimSpace(zone[2:])
	}
	return strings.Join(strings.Fields(date), " "), clock, zone
}

func isWeekday(name string) bool {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(name, d.String()) || strings.EqualFold(name, d.String()[:3]) {
			return true
		}
	}
	return false
}

// parseDay parses a date without a time of day.
func parseDay(s string, order Order) (day time.Time, shown Order, ok bool) {
	separator := strings.IndexAny(s, "/.-")
	if separator > 0 {
		if parts := strings.Split(s, s[separator:separator+1]); len(parts) == 3 {
			if y, m, d, shown, ok := numericDay(parts, s[separator], order); ok || shown == bothOrders {
				day = time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
				return day, shown, ok && day.Day() == d && int(day.Month()) == m
			}
		}
	}
	for _, layout := range namedDates {
		if day, err := time.Parse(layout, s); err == nil {
			return day, OrderUnknown, true
		}
	}
	return day, OrderUnknown, false
}

// numericDay parses a date in three numbers. The year is first or last. If they are separated by points, the day
// precedes the month.
func numericDay(parts []string, separator byte, order Order) (y, m, d int, shown Order, ok bool) {
	var n [3]int
	for i, p := range parts {
		v, err := strconv.Atoi(p)
		if err != nil || v < 0 || len(p) > 4 {
			return 0, 0, 0, OrderUnknown, false
		}
		n[i] = v
	}
	if len(parts[0]) == 4 {
		return n[0], n[1], n[2], OrderUnknown, true
	}
	if y = n[2]; len(parts[2]) == 2 {
		y += 2000
	}
	switch {
	case separator == '.' || n[0] == n[1]:
		return y, n[1], n[0], OrderUnknown, true
	case n[0] > 12:
		return y, n[1], n[0], DayFirst, true
	case n[1] > 12:
		return y, n[0], n[1], MonthFirst, true
	case order == DayFirst:
		return y, n[1], n[0], OrderUnknown, true
	case order == MonthFirst:
		return y, n[0], n[1], OrderUnknown, true
	}
	return 0, 0, 0, bothOrders, false
}
