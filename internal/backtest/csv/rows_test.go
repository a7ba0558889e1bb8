// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/engine"
)

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2015-09-01 13:45:00":            "2015-09-01T13:45:00Z",
		" 2015-09-01 13:45:00 ":          "2015-09-01T13:45:00Z",
		"2015-09-01T13:45:00":            "2015-09-01T13:45:00Z",
		"2015-09-01t13:45:00z":           "2015-09-01T13:45:00Z",
		"2015-09-01 13:45:00.25":         "2015-09-01T13:45:00.25Z",
		"2015-09-01 13:45:00,25":         "2015-09-01T13:45:00.25Z",
		"2015-09-01T13:45:00.000000001Z": "2015-09-01T13:45:00.000000001Z",
		"2015-09-01T13:45:00+02:00":      "2015-09-01T11:45:00Z",
		"2015-09-01 13:45:00.5-0130":     "2015-09-01T15:15:00.5Z",
		"2015-09-01 13:45:00 +02":        "2015-09-01T11:45:00Z",
		"2015-09-01 13:45:00 UTC":        "2015-09-01T13:45:00Z",
		"1441115100":                     "2015-09-01T13:45:00Z",
		"1441115100.5":                   "2015-09-01T13:45:00.5Z",
		"1.4411151e9":                    "2015-09-01T13:45:00Z",
		"1441115100250":                  "2015-09-01T13:45:00.25Z",
		"1441115100250.0":                "2015-09-01T13:45:00.25Z",
		"1441115100250001":               "2015-09-01T13:45:00.250001Z",
		"1441115100250000001":            "2015-09-01T13:45:00.250000001Z",
		"2015-09-01":                     "2015-09-01T00:00:00Z",
		"2015-09-01 13:45":               "2015-09-01T13:45:00Z",
		"2015/09/01 13:45:00.5":          "2015-09-01T13:45:00.5Z",
		"2015-09-01T13:45+02:00":         "2015-09-01T11:45:00Z",
		"1.9.2015 13:45":                 "2015-09-01T13:45:00Z",
		"21/09/2015 13:45:00":            "2015-09-21T13:45:00Z",
		"9/21/15 1:45 PM":                "2015-09-21T13:45:00Z",
		"9/9/2015 12:00:01 am":           "2015-09-09T00:00:01Z",
		"1 Sep 2015 13:45:00 GMT":        "2015-09-01T13:45:00Z",
		"Tue, 01 Sep 2015 13:45:00 GMT":  "2015-09-01T13:45:00Z",
		"Sep 1, 2015, 1:45:00 PM":        "2015-09-01T13:45:00Z",
		"01/Sep/2015:13:45:00 +0200":     "2015-09-01T11:45:00Z",
		"1-Sep-15":                       "2015-09-01T00:00:00Z",
		"0":                              "1970-01-01T00:00:00Z",
		"2262-04-11 23:47:16.854775807":  "2262-04-11T23:47:16.854775807Z",
	} {
		got, err := ParseTime(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got.UTC().Format(time.RFC3339Nano), text)
	}
	for _, text := range []string{
		"", "-", "noon", "2015-9", "2015-13-01 00:00:00", "2015-02-30 00:00:00", "2015-09-01 24:00:00", "2015-09-01 1345", "2015-09-01 13:45:00 CET", "31.4.2015", "31/02/2015", "Sep 31, 2015", "1/2", "13:45", "2015-09-01 13:45 XM", "01/13/2015 25:00",
		"2015-09-01_13:45:00", "2015-09-01 13:45:00.5.5", "01/09/2015 13:45:00", "1969-12-31 23:59:59", "-1", "2262-04-11 23:47:17", "NaN", "Inf", "1e30",
	} {
		_, err := ParseTime(text)
		assert.ErrorIs(t, err, errTime, text)
	}
}

func TestRows(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"plain":              {"timestamp,value\nT,1\nU,2\n", "2 T|1; 3 U|2; "},
		"no newline at end":  {"timestamp,value\nT,1\nU,2", "2 T|1; 3 U|2; "},
		"CRLF":               {"timestamp,value\r\nT,1\r\nU,2\r\n", "2 T|1; 3 U|2; "},
		"BOM":                {"\ufefftimestamp,value\nT,1\n", "2 T|1; "},
		"header alone":       {"timestamp,value", ""},
		"columns turned":     {"value,timestamp\n1,T\n", "2 T|1; "},
		"further columns":    {"host,timestamp,label,value,x\na,T,b,1,c\n", "2 T|1; "},
		"header in capitals": {`"Timestamp", VALUE` + "\nT,1\n", "2 T|1; "},
		"column named twice": {"timestamp,value,value\nT,1,2\n", "2 T|1; "},
		"empty rows":         {"timestamp,value\n\nT,1\n,\n\n", "2 |; 3 T|1; 4 |; 5 |; "},
		"short rows":         {"timestamp,value\nT\n", "2 T|; "},
		"long rows":          {"timestamp,value\nT,1,2,3\n", "2 T|1; "},
		"spaces stay":        {"timestamp,value\n T , 1\n", "2  T | 1; "},
		"quotes stay":        {"timestamp,value\n" + `"T","1,5"` + "\n", `2 "T"|"1,5"; `},
		"quote in a field":   {"timestamp,value\nT,1\"5\n", `2 T|1"5; `},
		"doubled quotes":     {"a,timestamp,value\n" + `"x "",y",T,1` + "\n", "2 T|1; "},
		"quoted line end":    {"a,timestamp,value\n\"x\r\ny\",T,1\nz,U,2\n", "2 T|1; 4 U|2; "},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readAll(tt.in)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestRowErrors(t *testing.T) {
	long := strings.Repeat("x", maxRow+1)
	for in, want := range map[string]string{
		"":                                      errNoHeader.Error(),
		"2015-09-01 13:45:00,1\n":               `line 1: the header has no known name for the column of the time; it has "2015-09-01 13:45:00", "1"; choose one with --time`,
		"timestamp\n":                           `line 1: the header has no known name for the column of the value; it has "timestamp"; choose one with --value`,
		"timestamp,value\nT,1\n\"U,2\nV,3\n":    "line 3: " + errQuote.Error(),
		"timestamp,value\nT," + long + "\n":     "line 2: " + errRowLong.Error(),
		"timestamp,value\nT,\"\n" + long + "\"": "line 2: " + errRowLong.Error(),
	} {
		_, err := readAll(in)
		assert.EqualError(t, err, want)
	}
}

func readAll(in string) (string, error) {
	r, err := newRowReader(strings.NewReader(in), Columns{})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for {
		row, err := r.next()
		if errors.Is(err, io.EOF) {
			return b.String(), nil
		}
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%d %s|%s; ", row.line, row.timestamp, row.value)
	}
}

// FuzzRows verifies that the reader ends, that line numbers increase, and that it returns the same fields as
// encoding/csv if that reads the file strictly.
func FuzzRows(f *testing.F) {
	for _, seed := range []string{
		"timestamp,value\n2015-09-01 13:45:00,1\n", "\ufefftimestamp,value\r\n1441115100,\r\n\r\n", "value,timestamp\n\"1\n2\",T\n", "timestamp,value\n\"", "\"timestamp\",\"value\"\nT,\"a\"\"b\"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := newRowReader(bytes.NewReader(in), Columns{})
		if err != nil {
			return
		}
		var fields [][2]string
		line := 1
		for {
			row, err := r.next()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					return
				}
				break
			}
			if row.line <= line {
				t.Fatalf("line %d after line %d", row.line, line)
			}
			line = row.line
			_, _, _ = timeFormat{}.parse(plain(row.timestamp))
			if n, ok := cutNumber(plain(row.value)); ok {
				mark, either := n.decimal()
				_, _ = n.value(max(mark, either, '.'))
			}
			if len(r.record) == 0 {
				continue // encoding/csv skips empty lines
			}
			fields = append(fields, [2]string{unquote(row.timestamp), unquote(row.value)})
		}
		compareStrictly(t, in, r, fields)
	})
}

// unquote returns the value of a raw field in encoding/csv.
func unquote(field []byte) string {
	s := string(field)
	if len(s) >= 2 && s[0] == '"' {
		s = strings.ReplaceAll(s[1:len(s)-1], `""`, `"`)
	}
	return strings.ReplaceAll(s, "\r\n", "\n")
}

func compareStrictly(t *testing.T, in []byte, r *rowReader, fields [][2]string) {
	t.Helper()
	strict := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(in, []byte("\ufeff"))))
	strict.FieldsPerRecord, strict.Comma = -1, rune(r.separator)
	records, err := strict.ReadAll()
	if err != nil || len(records) == 0 || bytes.ContainsAny(in, " \t") {
		return // encoding/csv does not accept quotes after a space
	}
	if len(records)-1 != len(fields) {
		t.Fatalf("%d rows, but encoding/csv sees %d", len(fields), len(records)-1)
	}
	for i, record := range records[1:] {
		for k, column := range [...]int{r.columns.time, r.columns.value} {
			want := ""
			if column < len(record) {
				want = record[column]
			}
			if fields[i][k] != want {
				t.Fatalf("row %d: %q, but encoding/csv sees %q", i+1, fields[i][k], want)
			}
		}
	}
}

// FuzzFiles verifies that a file gets an output with one row per row, or an error.
func FuzzFiles(f *testing.F) {
	for _, seed := range []string{
		"sep=;\nseries;time;value\na;13.01.2026 10:00;1.234,5 ms\nb;14.01.2026 10:00;1,5 s\n", "Date,Value\n1/14/2026 1:05 PM,\"$1,020\"\n1/14/2026 1:00 PM,(7)\n",
		"#x\n\n_time|_value\n46027.5|1e3\n", "time\tx\n1e9\t−1’000\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		o := &Options{Engine: engine.DefaultConfig()}
		file := newFile("a.csv")
		var err error
		if file.format, err = takeFormat(strings.NewReader(in), o.Columns, o.Format); err != nil {
			return
		}
		var out bytes.Buffer
		if err := file.judge(o, backtest.NewMeter(strings.NewReader(in), nil, 0), &out); err != nil {
			return
		}
		rows, err := newRowReader(strings.NewReader(in), o.Columns)
		require.NoError(t, err)
		n, inside := 1, 0 // the header; line endings within fields
		for {
			r, err := rows.next()
			if err != nil {
				break
			}
			n++
			inside += bytes.Count(r.timestamp, []byte("\n")) + bytes.Count(r.value, []byte("\n")) + bytes.Count(r.series, []byte("\n"))
		}
		if got := strings.Count(out.String(), "\n"); got != n+inside {
			t.Fatalf("%d lines of output, not %d, for %q", got, n+inside, in)
		}
	})
}
