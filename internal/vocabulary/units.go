// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package vocabulary

import (
	"math"
	"strconv"
	"strings"

	"github.com/auspex-otel/auspex/internal/incident"
)

// Measure formats the values of one series in one unit, so that they are easy to compare.
type Measure struct {
	factor float64 // a value times factor is in unit
	unit   string  // with a leading space; "" for bare numbers
	odds   bool    // values are surprises in nats, formatted as odds
}

// step is a unit of a ladder, with its size in the ladder's smallest unit.
type step struct {
	name string
	size float64
}

// Ladders, the largest unit first.
var (
	durations = []step{{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}, {"ms", 1e-3}, {"µs", 1e-6}, {"ns", 1e-9}}
	sizes     = []step{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}
)

// ladders maps the UCUM units that are formatted in the best unit of a ladder to the ladder and
// their size in its unit of size 1.
var ladders = map[string]struct {
	steps []step
	base  float64
}{
	"d": {durations, 86400}, "h": {durations, 3600}, "min": {durations, 60}, "s": {durations, 1},
	"ms": {durations, 1e-3}, "us": {durations, 1e-6}, "ns": {durations, 1e-9},
	"TiBy": {sizes, 1 << 40}, "GiBy": {sizes, 1 << 30}, "MiBy": {sizes, 1 << 20}, "KiBy": {sizes, 1 << 10}, "By": {sizes, 1},
}

// Laddered reports whether a UCUM unit measures time or size.
func Laddered(unit string) bool {
	_, ok := ladders[unit]
	return ok
}

// MeasureOf returns the measure for the values of an anomaly. Ratios are formatted as
// percentages.
func MeasureOf(a *incident.Anomaly) Measure {
	switch {
	case a.Metric == MetricBehavior || a.Metric == MetricCost:
		return Measure{1, "", true}
	case a.Statistic == StatErrorRatio || a.Group:
		return Measure{100, " %", false}
	}
	return newMeasure(a.Unit, math.Max(math.Abs(a.Observed), math.Abs(a.Expected)))
}

// newMeasure returns the measure for values up to greatest in a UCUM unit.
func newMeasure(ucum string, greatest float64) Measure {
	unit, per := ucum, ""
	if i := strings.LastIndexByte(ucum, '/'); i >= 0 {
		unit, per = ucum[:i], ucum[i:]
	}
	if l, ok := ladders[unit]; ok && !math.IsInf(greatest, 0) && !math.IsNaN(greatest) {
		chosen := step{unit, l.base}
		for _, s := range l.steps {
			chosen = s
			if greatest*l.base >= s.size {
				break
			}
		}
		if greatest == 0 {
			chosen = step{strings.TrimSuffix(unit, "y"), l.base}
		}
		return Measure{l.base / chosen.size, " " + chosen.name + per, false}
	}
	unit = strings.NewReplacer("{", "", "}", "").Replace(unit)
	switch unit {
	case "", "1":
		unit = strings.TrimPrefix(per, "/")
		if unit != "" {
			return Measure{1, " per " + unit, false}
		}
		return Measure{1, "", false}
	case "Cel":
		unit = "°C"
	}
	return Measure{1, " " + unit + per, false}
}

// Text formats a value with its unit.
func (m Measure) Text(v float64) string {
	if m.odds {
		return Odds(v)
	}
	return Number(v*m.factor) + m.unit
}

// Bare formats a value without its unit.
func (m Measure) Bare(v float64) string {
	if m.odds {
		return Odds(v)
	}
	return Number(v * m.factor)
}

// Odds formats the probability of a surprise in nats: "1 in 10¹⁹".
func Odds(nats float64) string {
	switch power := math.Round(nats / math.Ln10); {
	case power < 1:
		return "as usual"
	case power < 4:
		return "1 in " + Number(math.Pow10(int(power)))
	case power > maxPower:
		return "1 in more than 10" + superscript(maxPower)
	default:
		return "1 in 10" + superscript(int(power))
	}
}

// maxPower is the power of ten above which odds are not distinguished.
const maxPower = 300

func superscript(n int) string {
	var b strings.Builder
	for _, digit := range strconv.Itoa(n) {
		b.WriteRune([]rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[digit-'0'])
	}
	return b.String()
}

// negligible is the magnitude below which a number is formatted as 0.
const negligible = 1e-15

// Number formats three significant digits, or an integer if it has more digits before the point.
// Negligible numbers are 0.
func Number(v float64) string {
	abs := math.Abs(v)
	switch {
	case abs < negligible:
		return "0"
	case math.IsNaN(v) || math.IsInf(v, 0) || abs >= 1e15 || (abs < 1e-4 && v != 0):
		return strconv.FormatFloat(v, 'g', 3, 64)
	case abs >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	default:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
}
