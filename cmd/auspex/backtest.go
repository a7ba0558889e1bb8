// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/backtest/csv"
	"github.com/auspex-otel/auspex/internal/backtest/otlp"
	"github.com/auspex-otel/auspex/internal/engine"
)

const backtestExitCodes = `Exit codes:
  0  success
  1  an input could not be read, an output could not be written, or no row was
     evaluated; all other files were processed
  2  invalid usage`

func newBacktest(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backtest",
		Short: "Evaluate recorded telemetry with the collector's engine",
		Long: `Evaluate recorded telemetry with the collector's engine, and write the anomalies and
incidents that it would have reported. A point is evaluated from earlier points only.

` + backtestExitCodes,
		Example: `  # a folder of CSV files
  auspex backtest csv --in history --out judged

  # the output of a collector's file exporter
  auspex backtest otlp --in telemetry.json --out judged`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newBacktestCSV(env), newBacktestOTLP(env))
	return cmd
}

// engineFlags adds the flags of the engine's configuration and returns the configuration that they set.
func engineFlags(cmd *cobra.Command) *engine.Config {
	cfg := engine.DefaultConfig()
	f := cmd.Flags()
	f.Float64Var(&cfg.FalseAlarms.Count, "false-alarms", cfg.FalseAlarms.Count, "anomalies per day that may open although nothing is wrong")
	f.Float64Var(&cfg.FalseAlarms.MaxAlpha, "max-alpha", cfg.FalseAlarms.MaxAlpha, "maximum probability of a false alarm per decision")
	f.StringVar(&cfg.TimeZone, "zone", "", "IANA name of the time zone of daily and weekly cycles (default UTC)")
	return &cfg
}

func newBacktestCSV(env environment) *cobra.Command {
	o, truth := csv.Options{}, ""
	cmd := &cobra.Command{
		Use:   "csv --in DIR --out DIR",
		Short: "Evaluate CSV files, each series independently",
		Long: `Evaluate every CSV file below a folder, each series independently. A file has a
header with the names of the time and value columns. The default names are timestamp,
time, or date, and value; --time and --value set others. For files with several
series, --series names the columns that identify a series. Fields are separated by
commas, semicolons, tabs, or bars.

Times are dates such as 2006-01-02 15:04:05 or 01/02/2006 3:04 PM, in UTC unless an
offset follows, or Unix seconds, milliseconds, microseconds, or nanoseconds. Values
may have thousands separators, a decimal comma, an exponent, and a unit. A file
whose newest row comes first is evaluated from its end.

Each output file has the same path below the output folder, and one row per input
row, in the same order: timestamp,value,anomaly_score,opening_score,expected,lower,
upper. An anomaly opens where the opening score reaches 1. While the series is
warming up, and for empty, repeated, or out-of-order rows, both scores are 0 and
the other fields are empty. report.html plots the results.

The file of --truth is JSON: {"path.csv": [["start", "end"], ...], ...}.

` + backtestExitCodes,
		Example: `  auspex backtest csv --in history --out judged

  # an export with other column names and several series
  auspex backtest csv --in history --out judged --time When --value Load --series host

  # compare with known faults
  auspex backtest csv --in history --out judged --truth truth.json`,
		Args: noArguments,
	}
	f := cmd.Flags()
	f.StringVar(&o.In, "in", "", "folder with CSV files, including subfolders")
	f.StringVar(&o.Out, "out", "", "output folder, created if it does not exist")
	f.StringVar(&truth, "truth", "", "JSON file with the times of known faults")
	f.StringVar(&o.Columns.Time, "time", "", "name of the time column")
	f.StringVar(&o.Columns.Value, "value", "", "name of the value column")
	f.StringSliceVar(&o.Columns.Series, "series", nil, "names of the columns that identify a series within a file")
	decimal := f.String("decimal", "", "decimal mark of values if a file is ambiguous: point or comma")
	dates := f.String("dates", "", "order of dates such as 01/02/2006 if a file is ambiguous: day-first or month-first")
	cfg := engineFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if o.In == "" || o.Out == "" {
			return errors.New("--in and --out are required")
		}
		if err := cfg.Validate(); err != nil {
			return err
		}
		var err error
		if o.Format, err = csvFormat(*decimal, *dates); err != nil {
			return err
		}
		o.Engine = *cfg
		if truth != "" {
			if o.Truth, err = csv.ReadTruth(truth); err != nil {
				return failure{err}
			}
		}
		o.Progress = backtest.NewProgress(env.errs, cmd.CommandPath(), isTerminal(env))
		return backtestCSV(env, cmd.CommandPath(), o)
	}
	return cmd
}

func newBacktestOTLP(env environment) *cobra.Command {
	o, asks := otlp.Options{}, ""
	cmd := &cobra.Command{
		Use:   "otlp --in PATH [--in PATH ...] --out DIR",
		Short: "Evaluate recorded OTLP, all signals together",
		Long: `Evaluate the output of a collector's file exporter, as JSON or proto, uncompressed
or compressed with gzip or zstd. Metrics, logs, and traces are evaluated together in
event time, in the order in which a collector would have received them: files are
merged by the earliest time of each line. Within a file, time may go back by up to
two minutes.

The output folder receives anomalies.jsonl and incidents.jsonl with the last state
of each, series.csv with one line per series, and report.html with plots.

--ask names a JSON list of times at which faults began. --predictions then receives
one line for each: the suspected services, most suspicious first, from the data until
three minutes after the time, whether or not an incident is open.

--schedule reads the schedule_file of a collector. A part of the collector's data then
gets the scores that it got there, among all of its series. Without it, the budget is
divided among the series of the input, and calibrated by these.

` + backtestExitCodes,
		Example: `  # one file, or every file of a folder
  auspex backtest otlp --in telemetry.json --out judged
  auspex backtest otlp --in /var/lib/otelcol/recorded --out judged

  # with another budget
  auspex backtest otlp --in a.json.gz --in b.json.gz --out judged --false-alarms 1

  # suspects of the faults that began at [{"injected_at": "2026-01-02 15:04:05Z"}]
  auspex backtest otlp --in recorded --out judged --ask asks.json --predictions suspects.jsonl`,
		Args: noArguments,
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.In, "in", nil, "file, or folder of files; may be repeated")
	f.StringVar(&o.Out, "out", "", "output folder, created if it does not exist")
	f.StringVar(&asks, "ask", "", "JSON file with the start times of faults")
	schedule := f.String("schedule", "", "schedule_file of the collector that received the data")
	f.StringVar(&o.Predictions, "predictions", "", "output file for the suspects of each fault in --ask")
	cfg := engineFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if len(o.In) == 0 || o.Out == "" {
			return errors.New("--in and --out are required")
		}
		if err := cfg.Validate(); err != nil {
			return err
		}
		if (asks == "") != (o.Predictions == "") {
			return errors.New("--ask and --predictions require each other: set both or neither")
		}
		if asks != "" {
			var err error
			if o.Asks, err = otlp.ReadAsks(asks); err != nil {
				return failure{err}
			}
		}
		o.Engine = *cfg
		if *schedule != "" {
			var err error
			if o.Engine.Schedule, err = readSchedule(*schedule); err != nil {
				return failure{err}
			}
		}
		o.Progress = backtest.NewProgress(env.errs, cmd.CommandPath(), isTerminal(env))
		return backtestOTLP(env, cmd.CommandPath(), o)
	}
	return cmd
}

func backtestOTLP(env environment, name string, o otlp.Options) error {
	r, err := otlp.Run(o)
	if err != nil {
		return failure{err}
	}
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(env.errs, name+": "+format+"\n", args...) }
	if r.Logs+r.Traces > 0 {
		say("%s of logs and %d of traces", many(r.Logs, "message"), r.Traces)
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Refused)) {
		say("rejected: %s (%s)", many(int(r.Refused[reason]), "data point"), strings.ReplaceAll(reason, "_", " "))
	}
	sum := backtest.Total(r.Series)
	say("%s, %s, %d series evaluated, %s, %s", many(r.Files, "file"), many(r.Points, "data point"), len(r.Series),
		many(sum.Openings, "opening"), many(len(r.Incidents), "incident"))
	say("see %s", filepath.Join(o.Out, "report.html"))
	return failed(name, env, r.Failed)
}

func readSchedule(path string) (*engine.Schedule, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it is only read
	s, err := engine.ReadSchedule(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func isTerminal(env environment) bool {
	f, ok := env.errs.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// csvFormat reads the flags --decimal and --dates.
func csvFormat(decimal, dates string) (csv.Format, error) {
	marks := map[string]byte{"": 0, "point": '.', "comma": ','}
	orders := map[string]csv.Order{"": csv.OrderUnknown, "day-first": csv.DayFirst, "month-first": csv.MonthFirst}
	mark, known := marks[decimal]
	if !known {
		return csv.Format{}, fmt.Errorf("--decimal is %q; must be point or comma", decimal)
	}
	order, known := orders[dates]
	if !known {
		return csv.Format{}, fmt.Errorf("--dates is %q; must be day-first or month-first", dates)
	}
	return csv.Format{Decimal: mark, Order: order}, nil
}

func backtestCSV(env environment, name string, o csv.Options) error {
	r, err := csv.Run(o)
	if err != nil {
		return failure{err}
	}
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(env.errs, name+": "+format+"\n", args...) }
	for i := range r.Series {
		saySeries(say, &r.Series[i], i < mostLines)
	}
	if len(r.Series) > mostLines {
		say("the report has the expected false alarms of all %d series", len(r.Series))
	}
	for _, unknown := range r.Unknown {
		say("--truth names %q, which is not an input file", unknown)
	}
	sum := backtest.Total(r.Series)
	say("%s, %s, %d of them evaluated, %s", many(r.Files, "file"), many(sum.Rows, "row"), sum.Judged, many(sum.Openings, "opening"))
	if sum.NoTime+sum.NoNumber+sum.Late > 0 {
		say("not evaluated: %s without a time, %d without a number, %d repeated or out of order", many(sum.NoTime, "row"), sum.NoNumber, sum.Late)
	}
	say("see %s", filepath.Join(o.Out, "report.html"))
	if len(r.Assessments) > 0 {
		if err := printAssessments(env, r.Assessments); err != nil {
			return err
		}
	}
	if sum.Judged == 0 && len(r.Failed) == 0 {
		return failure{fmt.Errorf("nothing was evaluated: %s", why(r.Series))}
	}
	return failed(name, env, r.Failed)
}

// why returns the reason why no series was evaluated.
func why(list []backtest.Summary) string {
	if len(list) == 0 {
		return "the files have no rows"
	}
	return clean(list[0].Name) + ": " + list[0].WhyNothing()
}

// mostLines bounds the series whose false-alarm rate is printed.
const mostLines = 20

// saySeries prints unreadable rows, the expected false alarms, and other warnings of one series.
func saySeries(say func(string, ...any), s *backtest.Summary, rate bool) {
	name := clean(s.Name)
	if s.FirstNoTime > 0 {
		say("%s: line %d: cannot parse the time", name, s.FirstNoTime)
	}
	if s.FirstNoNumber > 0 {
		say("%s: line %d: cannot parse the value", name, s.FirstNoNumber)
	}
	switch {
	case s.Judged == 0:
		say("%s: nothing was evaluated: %s", name, s.WhyNothing())
	case rate:
		say("%s: without a fault, expect %s false alarms per week", name, strconv.FormatFloat(s.FalseAlarms, 'g', 2, 64))
	}
	if 2*s.Late > s.Points {
		say("%s: most rows are repeated or out of order: set --series to the columns that identify a series", name)
	}
}

// failed prints every error but the last, which it returns.
func failed(name string, env environment, list []error) error {
	if len(list) == 0 {
		return nil
	}
	text := make([]string, len(list))
	for i, err := range list {
		text[i] = clean(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	last := len(text) - 1
	for _, line := range text[:last] {
		_, _ = fmt.Fprintf(env.errs, "%s: %s\n", name, line)
	}
	return failure{errors.New(text[last])}
}

// many returns a count with its noun in the singular or plural.
func many(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func printAssessments(env environment, list []csv.Assessment) error {
	heads := csv.AssessmentHeads()
	for i := range heads[1:] {
		heads[i+1] = ">" + heads[i+1]
	}
	t := newTable(heads...)
	for _, a := range list {
		t.add(a.Cells()...)
	}
	t.add(csv.Overall(list).Cells()...)
	var b bytes.Buffer
	t.print(&b, "")
	return env.write(b.Bytes())
}
