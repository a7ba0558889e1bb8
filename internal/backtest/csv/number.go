// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var errNumber = errors.New("not a finite number")

// numeral holds the parts of a value in the format of spreadsheets and dashboards: "-1,234.5e3 ms" has the digits
// "-1,234.5", the exponent "e3", and the unit "ms".
type numeral struct{ digits, exponent, unit string }

// cutNumber splits a text into the parts of a number. Signs, currency symbols, and the parentheses of negative
// amounts precede the digits.
func cutNumber(text string) (n numeral, ok bool) {
	text = strings.TrimSpace(text)
	negative := false
	if inner, is := strings.CutPrefix(text, "("); is && strings.HasSuffix(inner, ")") {
		text, negative = inner[:len(inner)-1], true
	}
	var prefix strings.Builder
	for text != "" && !isDigit(text[0]) && text[0] != '.' && text[0] != ',' {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == '-' || r == '−':
			negative = !negative
		case r == '+' || unicode.IsSpace(r):
		case unicode.Is(unicode.Sc, r):
			prefix.WriteRune(r)
		default:
			return n, false
		}
		text = text[size:]
	}
	digits, rest := cutDigits(text)
	exponent := exponentLength(rest)
	n = numeral{digits, rest[:exponent], prefix.String() + strings.TrimSpace(rest[exponent:])}
	if negative {
		n.digits = "-" + n.digits
	}
	return n, strings.ContainsAny(digits, "0123456789") && !strings.ContainsAny(n.unit, "0123456789") && len(n.unit) <= longestUnit
}

// longestUnit is the maximum size of a unit in bytes. A number followed by longer text is not a number.
const longestUnit = 24

// cutDigits splits off digits, decimal marks, and group marks. It removes spaces and apostrophes between digits,
// which are group marks.
func cutDigits(text string) (digits, rest string) {
	var b strings.Builder
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case isDigit(text[0]) || r == '.' || r == ',':
			b.WriteByte(text[0])
		case (unicode.IsSpace(r) || r == '\'' || r == '’') && len(text) > size && isDigit(text[size]) && b.Len() > 0:
		default:
			return b.String(), text
		}
		text = text[size:]
	}
	return b.String(), text
}

func exponentLength(s string) int {
	if s == "" || s[0] != 'e' && s[0] != 'E' {
		return 0
	}
	i := 1
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	start := i
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i == start {
		return 0
	}
	return i
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// decimal returns the decimal mark that the number proves, or 0. For an ambiguous number such as 1,234, either is its
// only mark.
func (n numeral) decimal() (mark, either byte) {
	digits := strings.TrimPrefix(n.digits, "-")
	point, comma := strings.LastIndexByte(digits, '.'), strings.LastIndexByte(digits, ',')
	last := max(point, comma)
	switch {
	case last < 0:
		return 0, 0
	case point >= 0 && comma >= 0:
		return digits[last], 0
	case strings.Count(digits, digits[last:last+1]) > 1:
		return '.' + ',' - digits[last], 0
	case last < 1 || last > 3 || digits[0] == '0' || len(digits)-last != 4 || n.exponent != "":
		return digits[last], 0
	default:
		return 0, digits[last]
	}
}

// value returns the number with the given decimal mark, without its unit.
func (n numeral) value(mark byte) (float64, error) {
	whole, fraction, has := strings.Cut(n.digits, string(mark))
	group := string('.' + ',' - mark)
	parts := strings.Split(whole, group)
	for i, p := range parts[1:] {
		if last := i == len(parts)-2; len(p) != 3 && (last || len(p) != 2) { // the Indian system groups 1,00,000
			return 0, errNumber
		}
	}
	text := strings.Join(parts, "")
	if has {
		text += "." + fraction
	}
	v, err := strconv.ParseFloat(text+n.exponent, 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, errNumber
	}
	return v, nil
}

// unit is the unit of a series, taken from its first value.
type unit struct {
	name  string
	known bool
}

// scale converts a value to the unit of the series. It returns an error if the units measure different quantities.
func (u *unit) scale(v float64, name string) (float64, error) {
	if v == 0 || u.known && name == u.name {
		return v, nil
	}
	if !u.known {
		u.name, u.known = name, true
		return v, nil
	}
	to, from := measure(u.name), measure(name)
	if to.of != from.of {
		return 0, fmt.Errorf("its unit is %q, but the unit of an earlier value is %q", name, u.name)
	}
	return v * (from.factor / to.factor), nil
}

// measured is the quantity of a unit and its size in the smallest unit of that quantity.
type measured struct {
	of     string
	factor float64
}

// measure returns the quantity and size of a unit. An unknown unit is its own quantity.
func measure(name string) measured {
	name, perSecond := strings.CutSuffix(name, "/s")
	m, ok := measures[name]
	if !ok {
		m = measured{"unit " + name, 1}
	}
	if perSecond {
		m.of += " per second"
	}
	return m
}

// measures lists the units to which Grafana scales values, with their usual spellings.
var measures = map[string]measured{
	"": {"count", 1}, "K": {"count", 1e3}, "k": {"count", 1e3}, "M": {"count", 1e6}, "Mil": {"count", 1e6},
	"G": {"count", 1e9}, "Bil": {"count", 1e9}, "T": {"count", 1e12}, "Tri": {"count", 1e12},
	"ns": {"time", 1}, "µs": {"time", 1e3}, "μs": {"time", 1e3}, "us": {"time", 1e3}, "ms": {"time", 1e6},
	"s": {"time", 1e9}, "sec": {"time", 1e9}, "second": {"time", 1e9}, "seconds": {"time", 1e9},
	"min": {"time", 60e9}, "mins": {"time", 60e9}, "minute": {"time", 60e9}, "minutes": {"time", 60e9},
	"h": {"time", 3600e9}, "hour": {"time", 3600e9}, "hours": {"time", 3600e9},
	"day": {"time", 86400e9}, "days": {"time", 86400e9}, "week": {"time", 604800e9}, "weeks": {"time", 604800e9},
	"B": {"bytes", 1}, "bytes": {"bytes", 1}, "kB": {"bytes", 1e3}, "KB": {"bytes", 1e3}, "MB": {"bytes", 1e6}, "GB": {"bytes", 1e9},
	"TB": {"bytes", 1e12}, "PB": {"bytes", 1e15}, "KiB": {"bytes", 1 << 10}, "MiB": {"bytes", 1 << 20}, "GiB": {"bytes", 1 << 30},
	"TiB": {"bytes", 1 << 40}, "PiB": {"bytes", 1 << 50},
	"b": {"bits", 1}, "kb": {"bits", 1e3}, "Kb": {"bits", 1e3}, "Mb": {"bits", 1e6}, "Gb": {"bits", 1e9}, "Tb": {"bits", 1e12},
	"Hz": {"frequency", 1}, "kHz": {"frequency", 1e3}, "MHz": {"frequency", 1e6}, "GHz": {"frequency", 1e9},
}
