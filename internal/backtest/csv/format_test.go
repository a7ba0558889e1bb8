// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/engine"
)

// written is a value with its time, in the form of an exporting program.
type written struct {
	at time.Time
	v  float64
}

func history(n int) []written {
	list := make([]written, n)
	for i, line := range course(9, n) {
		_, v, _ := strings.Cut(line, ",")
		f, _ := strconv.ParseFloat(v, 64)
		list[i] = written{start.Add(11*24*time.Hour + time.Duration(i)*5*time.Minute), 1000 + f} // from the 13th: month and day differ
	}
	return list
}

// TestExports writes one history in the formats of several programs. Each file must get the same verdicts as the
// plain one in every row.
func TestExports(t *testing.T) {
	point := func(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }
	comma := func(v float64) string { return strings.ReplaceAll(point(v), ".", ",") }
	grouped := func(v float64, group string) string { return point(v)[:1] + group + point(v)[1:] }
	in := func(layout string) func(time.Time) string {
		return func(t time.Time) string { return t.Format(layout) }
	}
	unix := func(per int64) func(time.Time) string {
		return func(t time.Time) string { return strconv.FormatInt(t.Unix()*per, 10) }
	}
	plainTime := in(time.DateTime)
	for name, tt := range map[string]struct {
		head, row string // of the time and the value
		at        func(time.Time) string
		v         func(float64) string
	}{
		"plain":                 {"timestamp,value", "%s,%s", plainTime, point},
		"byte order mark, CRLF": {"\ufefftimestamp,value\r", "%s,%s\r", plainTime, point},
		"Grafana":               {`"Time","cpu usage"`, `"%s","%s"`, plainTime, point},
		"Grafana, old":          {"Series;Time;Value", "cpu;%s;%s", in("2006-01-02T15:04:05.000Z07:00"), point},
		"Excel in Europe":       {"Datum;Date;Value;Wert", "x;%s;%s;7", in("02.01.2006 15:04"), comma},
		"Excel, sep":            {"sep=;\ntimestamp;value", "%s;%s", plainTime, point},
		"Excel in America":      {"Date,Value", `%s,"%s"`, in("1/2/2006 3:04:05 PM"), func(v float64) string { return grouped(v, ",") }},
		"day first":             {"Date\tValue", "%s\t%s", in("02/01/06 15:04"), func(v float64) string { return grouped(v, " ") }},
		"thousands and commas":  {"time;value", "%s;%s", plainTime, func(v float64) string { return grouped(strconvRound(v), ".")[:5] + comma(v)[4:] }},
		"Swiss":                 {"time;value", "%s;%s", plainTime, func(v float64) string { return grouped(v, "’") }},
		"units":                 {"time,value", "%s,%s", plainTime, func(v float64) string { return point(v) + " ms" }},
		"exponents":             {"time,value", "%s,%s", unix(1), func(v float64) string { return strconv.FormatFloat(v, 'E', 7, 64) }},
		"milliseconds":          {"ts|value", "%s|%s", unix(1e3), point},
		"microseconds":          {"_time,_value", "%s,%s", unix(1e6), point},
		"nanoseconds":           {"#group,false\n\n_time,_value", "%s,%s", unix(1e9), point},
		"zone":                  {"time,value", "%s,%s", func(t time.Time) string { return t.In(time.FixedZone("", 7200)).Format(time.RFC3339) }, point},
		"month by name":         {"time,value", `"%s",%s`, in("Jan 2, 2006, 3:04 PM"), point},
		"serial date":           {"time,value", `%s,%s`, func(t time.Time) string { return strconv.FormatFloat(float64(t.Unix())/86400+25569, 'f', 8, 64) }, point},
	} {
		for order, points := range map[string][]written{"oldest first": history(400), "newest first": reversed(history(400))} {
			t.Run(name+", "+order, func(t *testing.T) {
				lines, plain := []string{tt.head}, []string{"timestamp,value"}
				for _, p := range points {
					lines = append(lines, fmt.Sprintf(tt.row, tt.at(p.at), tt.v(p.v)))
					plain = append(plain, plainTime(p.at)+","+point(p.v))
				}
				r, out := runFiles(t, map[string]string{"a.csv": strings.Join(lines, "\n") + "\n", "plain.csv": strings.Join(plain, "\n") + "\n"}, nil)
				require.Empty(t, r.Failed)
				got, want := verdicts(out["a.csv"]), verdicts(out["plain.csv"])
				require.Len(t, got, 401)
				assert.Equal(t, want, got)
				assert.Equal(t, 300, r.Series[0].Judged)
			})
		}
	}
}

func strconvRound(v float64) float64 { return float64(int64(v)) }

func reversed(list []written) []written {
	slices.Reverse(list)
	return list
}

// verdicts returns the verdict columns of an output, including the header.
func verdicts(out string) []string {
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	for i, line := range lines {
		fields := strings.Split(strings.TrimSuffix(strings.TrimSuffix(line, ",cpu"), ",series"), ",")
		lines[i] = strings.Join(fields[len(fields)-5:], ",")
	}
	return lines
}

// TestSeries verifies that several series in one file, each with its own unit, get the same verdicts as in separate
// files.
func TestSeries(t *testing.T) {
	a, b := course(11, 500), course(12, 500)
	var mixed []string
	for i := range a {
		at, v, _ := strings.Cut(a[i], ",")
		mixed = append(mixed, `web,`+at+`,eu,`+v+" ms")
		at, v, _ = strings.Cut(b[i], ",")
		mixed = append(mixed, `"db ""1""",`+at+`,us,`+v+" MB")
	}
	for order := range 2 {
		if order == 1 {
			slices.Reverse(mixed)
			slices.Reverse(a)
			slices.Reverse(b)
		}
		text := "host,when,zone,load,more\n" + strings.Join(mixed, "\n") + "\n"
		r, out := runFilesWith(t, Options{Columns: Columns{Time: "When", Value: "LOAD", Series: []string{"host", "zone"}}, Truth: Truth{"m.csv: web, eu": nil, "m.csv: db": nil}},
			map[string]string{"m.csv": text})
		require.Empty(t, r.Failed)
		_, alone := runFiles(t, map[string]string{"a.csv": textOf(a), "b.csv": textOf(b)}, nil)
		rows := strings.Split(strings.TrimSpace(out["m.csv"]), "\n")
		require.Len(t, rows, 1001)
		assert.True(t, strings.HasSuffix(rows[0], ",upper,series"))
		split := map[string][]string{}
		for _, row := range rows[1:] {
			verdict, series, _ := strings.Cut(row, `,"`)
			split[series] = append(split[series], verdict)
		}
		for series, want := range map[string]string{`web, eu"`: alone["a.csv"], `db ""1"", us"`: alone["b.csv"]} {
			got := "timestamp,value,anomaly_score,opening_score,expected,lower,upper\n" + strings.Join(split[series], "\n") + "\n"
			assert.Equal(t, verdicts(want), verdicts(got), series)
		}
		require.Len(t, r.Series, 2)
		assert.ElementsMatch(t, []string{"m.csv: web, eu", `m.csv: db "1", us`}, []string{r.Series[0].Name, r.Series[1].Name})
		require.Len(t, r.Assessments, 1)
		assert.Equal(t, []string{"m.csv: db"}, r.Unknown)
	}
}

// TestFormatErrors verifies that ambiguous files are rejected, and that the error names the line.
func TestFormatErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		options    Options
		text, want string
	}{
		"two marks":         {Options{}, "time;value\n1;1,5\n2;2.5\n", "line 2: the decimal mark is a comma here and a point in line 3"},
		"group or fraction": {Options{}, "time;value\n1;1.234\n2;987\n", "line 2: the mark in the value is a decimal mark or separates thousands: state --decimal"},
		"two orders":        {Options{}, "time,value\n13/01/2026,1\n01/14/2026,1\n", "line 3: the month comes first here and the day in line 2: state the order with --dates"},
		"no order":          {Options{}, "time,value\n05/01/2026,1\n", "line 2: the date can have the day or the month first: state the order with --dates"},
		"units":             {Options{}, "time,value\n1,5 ms\n2,5 MB\n", `line 3: cannot convert the value "5 MB": its unit is "MB", but the unit of an earlier value is "ms"`},
		"no value column":   {Options{}, "time,a,b\n1,2,3\n", `line 1: the header has no known name for the column of the value; it has "time", "a", "b"; choose one with --value`},
		"no time column":    {Options{}, "a;b\n1;2\n", `line 1: the header has no known name for the column of the time; it has "a", "b"; choose one with --time`},
		"wrong column":      {Options{Columns: Columns{Value: "load"}}, "time,a\n1,2\n", `line 1: the header has no column "load", which --value sets; it has "time", "a"`},
		"wrong series":      {Options{Columns: Columns{Series: []string{"host"}}}, "time,value\n1,2\n", `line 1: the header has no column "host", which --series sets`},
		"no numbers":        {Options{}, "time,value\n1,up\n2,down\n", "line 2: the value is not a finite number"},
		"UTF-16":            {Options{}, "\xff\xfet\x00i\x00m\x00e\x00", "line 1: the file is UTF-16: save it as UTF-8"},
		"many series":       {Options{}, "series,time,value\n" + manySeries(), "line 10002: the file has more than 10000 series"},
	} {
		t.Run(name, func(t *testing.T) {
			r, out := runFilesWith(t, tt.options, map[string]string{"a.csv": tt.text})
			require.Len(t, r.Failed, 1)
			assert.ErrorContains(t, r.Failed[0], "a.csv: "+tt.want)
			assert.NotContains(t, out, "a.csv")
		})
	}
}

func manySeries() string {
	var b strings.Builder
	for i := range maxSeries + 1 {
		fmt.Fprintf(&b, "%d,1,1\n", i)
	}
	return b.String()
}

// TestFormatAsked verifies that the options decide ambiguous formats.
func TestFormatAsked(t *testing.T) {
	const text = "time;value\n05/01/2026 10:00;1.234\n06/01/2026 10:00;987\n"
	for _, tt := range []struct {
		format Format
		first  string
		v      float64
	}{
		{Format{'.', DayFirst}, "2026-01-05", 1.234},
		{Format{',', MonthFirst}, "2026-05-01", 1234},
	} {
		f, err := takeFormat(strings.NewReader(text), Columns{}, tt.format)
		require.NoError(t, err)
		rows, err := newRowReader(strings.NewReader(text), Columns{})
		require.NoError(t, err)
		r, err := rows.next()
		require.NoError(t, err)
		at, _, err := f.times.parse(plain(r.timestamp))
		require.NoError(t, err)
		assert.Equal(t, tt.first, at.Format(time.DateOnly))
		v, err := (&track{}).value(r, f)
		require.NoError(t, err)
		assert.InDelta(t, tt.v, v, 0)
	}
}

// TestFalseAlarms verifies the expected rate of false alarms with white noise.
func TestFalseAlarms(t *testing.T) {
	files := map[string]string{}
	for i := range 12 {
		files[fmt.Sprintf("%d.csv", i)] = textOf(noise(uint64(i), 10_000))
	}
	for _, alpha := range []float64{1e-3, 5e-3} {
		cfg := engine.DefaultConfig()
		cfg.FalseAlarms.MaxAlpha, cfg.FalseAlarms.Count = alpha, 1e3
		r, _ := runFilesWith(t, Options{Engine: cfg}, files)
		openings, expected := 0, 0.0
		for _, s := range r.Series {
			openings += s.Openings
			expected += s.FalseAlarms * float64(s.Judged) / (7 * 288)
		}
		t.Logf("α %v: %d openings, %.1f expected", alpha, openings, expected)
		assert.InDelta(t, 1, float64(openings)/expected, .6)
	}
}
