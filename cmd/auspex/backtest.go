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
  0  it worked
  1  an input could not be read, an output could not be written, or nothing was
     evaluated; everything else was done
  2  wrong usage`

func newBacktest(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backtest",
		Short: "Try the collector's judgment on your own history",
		Long: `Run recorded telemetry through the very code that the collector runs, and see what
it would have said at the time. No point is judged by what came after it.

` + backtestExitCodes,
		Example: `  # a folder of CSV files
  auspex backtest csv --in history --out judged

  # what a collector's file exporter wrote
  auspex backtest otlp --in telemetry.json --out judged`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newBacktestCSV(env), newBacktestOTLP(env))
	return cmd
}

// engineFlags are the settings of the engine that a backtest may change.
func engineFlags(cmd *cobra.Command) *engine.Config {
	cfg := engine.DefaultConfig()
	f := cmd.Flags()
	f.Float64Var(&cfg.FalseAlarms.Count, "false-alarms", cfg.FalseAlarms.Count, "anomalies per day that may open although nothing is wrong")
	f.Float64Var(&cfg.FalseAlarms.MaxAlpha, "max-alpha", cfg.FalseAlarms.MaxAlpha, "bound of the chance of a false alarm per decision")
	f.StringVar(&cfg.TimeZone, "zone", "", "IANA name of the time zone that days and weeks follow (default UTC)")
	return &cfg
}

func newBacktestCSV(env environment) *cobra.Command {
	o, truth := csv.Options{}, ""
	cmd := &cobra.Command{
		Use:   "csv --in DIR --out DIR",
		Short: "Judge CSV files, each series by itself",
		Long: `Evaluate every CSV file below a folder as if a collector watched it and nothing else.
A file has a header that names the columns of the time and the value. The names
timestamp, time, and date, and the name value, are found; --time and --value name
others. A file with several series names theirs with --series. Fields are separated
by commas, semicolons, tabs, or bars.

Times are dates such as 2006-01-02 15:04:05 or 01/02/2006 3:04 PM, in UTC unless an
offset follows, or Unix seconds, milliseconds, microseconds, or nanoseconds. Values
may have thousands separators, a decimal comma, an exponent, and a unit. A file
whose newest row comes first is evaluated from its end.

The output has the same path below the other folder, one row per row, in the
same order: timestamp,value,anomaly_score,opening_score,expected,lower,upper. An
anomaly opens where the opening score reaches 1. Both scores are 0, and the rest
is empty, while the series is warming up and for a row that is empty, repeated or
out of order. report.html shows it in plots.

The truth is JSON: {"path.csv": [["start", "end"], ...], ...}.

` + backtestExitCodes,
		Example: `  auspex backtest csv --in history --out judged

  # an export with other column names and several series
  auspex backtest csv --in history --out judged --time When --value Load --series host

  # compare with what was wrong
  auspex backtest csv --in history --out judged --truth truth.json`,
		Args: noArguments,
	}
	f := cmd.Flags()
	f.StringVar(&o.In, "in", "", "folder with CSV files, also in folders below")
	f.StringVar(&o.Out, "out", "", "folder to write to, made if need be")
	f.StringVar(&truth, "truth", "", "JSON file of the times in which something was wrong")
	f.StringVar(&o.Columns.Time, "time", "", "name of the column of the time")
	f.StringVar(&o.Columns.Value, "value", "", "name of the column of the value")
	f.StringSliceVar(&o.Columns.Series, "series", nil, "names of the columns that tell the series of a file apart")
	decimal := f.String("decimal", "", "decimal mark of values, point or comma, where a file does not show it")
	dates := f.String("dates", "", "order of dates such as 01/02/2006, day-first or month-first, where a file does not show it")
	cfg := engineFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if o.In == "" || o.Out == "" {
			return errors.New("needs --in and --out")
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
		Short: "Judge recorded OTLP, all of it together",
		Long: `Judge what a collector's file exporter wrote, as JSON or proto, plain or packed by
gzip or zstd. Metrics, logs and traces are judged together in event time, as a
collector would have had them: files are merged by the earliest time of each line,
and within a file time may go back by up to two minutes.

The output folder gets anomalies.jsonl and incidents.jsonl with the last state of
each, series.csv with a line for each series, and report.html with plots.

With --ask, a JSON list of times at which something began, --predictions gets a
line for each of them: the services that are suspected of it, the most suspicious
first, from what happened until three minutes after, be an incident open or not.

` + backtestExitCodes,
		Example: `  # one file, or every file of a folder
  auspex backtest otlp --in telemetry.json --out judged
  auspex backtest otlp --in /var/lib/otelcol/recorded --out judged

  # with another budget
  auspex backtest otlp --in a.json.gz --in b.json.gz --out judged --false-alarms 1

  # who caused what began at [{"injected_at": "2026-01-02 15:04:05Z"}]?
  auspex backtest otlp --in recorded --out judged --ask asks.json --predictions suspects.jsonl`,
		Args: noArguments,
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.In, "in", nil, "file, or folder of files; may be given more than once")
	f.StringVar(&o.Out, "out", "", "folder to write to, made if need be")
	f.StringVar(&asks, "ask", "", "JSON file of times at which something began")
	f.StringVar(&o.Predictions, "predictions", "", "file for the suspects of each of them")
	cfg := engineFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if len(o.In) == 0 || o.Out == "" {
			return errors.New("needs --in and --out")
		}
		if err := cfg.Validate(); err != nil {
			return err
		}
		if (asks == "") != (o.Predictions == "") {
			return errors.New("needs --ask and --predictions together")
		}
		if asks != "" {
			var err error
			if o.Asks, err = otlp.ReadAsks(asks); err != nil {
				return failure{err}
			}
		}
		o.Engine = *cfg
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
		say("not observed: %s (%s)", many(int(r.Refused[reason]), "data point"), strings.ReplaceAll(reason, "_", " "))
	}
	sum := backtest.Total(r.Series)
	say("%s, %s, %d series with verdicts, %s, %s", many(r.Files, "file"), many(r.Points, "data point"), len(r.Series),
		many(sum.Openings, "opening"), many(len(r.Incidents), "incident"))
	say("see %s", filepath.Join(o.Out, "report.html"))
	return failed(name, env, r.Failed)
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
		return csv.Format{}, fmt.Errorf("--decimal is %q, it must be point or comma", decimal)
	}
	order, known := orders[dates]
	if !known {
		return csv.Format{}, fmt.Errorf("--dates is %q, it must be day-first or month-first", dates)
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
		say("the truth names %q, which is not among the inputs", unknown)
	}
	sum := backtest.Total(r.Series)
	say("%s, %s, %d of them judged, %s", many(r.Files, "file"), many(sum.Rows, "row"), sum.Judged, many(sum.Openings, "opening"))
	if sum.NoTime+sum.NoNumber+sum.Late > 0 {
		say("not judged: %s without a time, %d without a number, %d repeated or out of order", many(sum.NoTime, "row"), sum.NoNumber, sum.Late)
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

// why says why none of the series was evaluated.
func why(list []backtest.Summary) string {
	if len(list) == 0 {
		return "there are no rows"
	}
	return clean(list[0].Name) + ": " + list[0].WhyNothing()
}

// mostLines bounds the series whose false-alarm rate is printed.
const mostLines = 20

// saySeries prints what a user must know to trust the result of one series.
func saySeries(say func(string, ...any), s *backtest.Summary, rate bool) {
	name := clean(s.Name)
	if s.FirstNoTime > 0 {
		say("%s: line %d: the time can't be read", name, s.FirstNoTime)
	}
	if s.FirstNoNumber > 0 {
		say("%s: line %d: the value can't be read", name, s.FirstNoNumber)
	}
	switch {
	case s.Judged == 0:
		say("%s: nothing was evaluated: %s", name, s.WhyNothing())
	case rate:
		say("%s: without a fault, expect %s false alarms a week", name, strconv.FormatFloat(s.FalseAlarms, 'g', 2, 64))
	}
	if 2*s.Late > s.Points {
		say("%s: most rows repeat a time or go back: name the columns that tell series apart with --series", name)
	}
}

// failed names every error but the last, which it returns.
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

// many counts things.
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
