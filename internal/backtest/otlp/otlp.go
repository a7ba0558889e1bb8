// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/backtest/report"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/replay"
)

// Options holds the inputs of Run.
type Options struct {
	// In lists files and folders that a file exporter wrote. Out is the output folder.
	In       []string
	Out      string
	Engine   engine.Config
	Progress *backtest.Progress
	// Asks lists the start times of faults. The suspects of each are written to the file Predictions, if it is set.
	Asks        []Ask
	Predictions string
}

// Result holds the results of Run.
type Result struct {
	Files int
	// Metrics, Logs, and Traces count messages. Points counts data points.
	Metrics, Logs, Traces, Points int
	// Series holds the series with verdicts, worst first.
	Series []backtest.Summary
	// Anomalies and Incidents are in their last state, in order of opening.
	Anomalies []*incident.Anomaly
	Incidents []*incident.Incident
	// Open lists the disjoint periods with an open incident, in order.
	Open []backtest.Window
	// Refused counts data points that the engine rejected, by reason.
	Refused map[string]uint64
	// Failed holds an error for every file that could not be read completely, and one for a schedule that is incomplete.
	Failed []error
}

// Run runs recorded OTLP through one engine, all files together in event time, and writes anomalies.jsonl,
// incidents.jsonl, series.csv, and a report. It merges files by the earliest time of each batch, which is a line of
// JSON or a proto message, and reads each file in its own order. A file that fails is listed in Result.Failed. Run
// returns an error only if the whole run fails.
func Run(o Options) (*Result, error) {
	cursors, total, err := listFiles(o.In)
	if err != nil {
		return nil, err
	}
	for _, in := range o.In {
		if info, err := os.Stat(in); err == nil && info.IsDir() {
			if err := backtest.SeparateFolders(in, o.Out); err != nil {
				return nil, err
			}
		}
	}
	if err := os.MkdirAll(o.Out, 0o750); err != nil {
		return nil, err
	}
	spill, err := newSpill(o.Out)
	if err != nil {
		return nil, err
	}
	defer spill.remove()
	j, err := newJudge(o.Engine, spill, o.Asks)
	if err != nil {
		return nil, err
	}
	o.Progress.Start(total)
	r := &Result{Files: len(cursors)}
	r.Failed, err = merge(cursors, o.Progress, j.batch)
	o.Progress.End()
	if err != nil {
		return nil, err
	}
	if err := j.shard.End(); err != nil {
		return nil, err
	}
	if err := o.Engine.Schedule.Err(); err != nil {
		r.Failed = append(r.Failed, err)
	}
	for _, c := range cursors {
		r.Metrics, r.Logs, r.Traces = r.Metrics+c.messages[replay.SignalMetrics], r.Logs+c.messages[replay.SignalLogs], r.Traces+c.messages[replay.SignalTraces]
	}
	if o.Predictions != "" {
		if err := writePredictions(o.Predictions, j.asking.answers); err != nil {
			return nil, err
		}
	}
	j.result(r)
	pictures, err := spill.pictures(j.worst())
	if err != nil {
		return nil, err
	}
	return r, errors.Join(writeFindings(o.Out, r), writeSeries(o.Out, j.ranked()), page(r, pictures).Write(o.Out))
}

// listFiles lists the files, those of a folder in the order of their paths. It lists each file once.
func listFiles(in []string) (cursors []*cursor, total int64, err error) {
	known := map[string]bool{}
	for _, root := range in {
		if root, err = filepath.EvalSymlinks(root); err != nil {
			return nil, 0, err
		}
		err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case path != root && strings.HasPrefix(entry.Name(), ".") && entry.IsDir():
				return fs.SkipDir
			case path != root && strings.HasPrefix(entry.Name(), "."):
				return nil
			}
			info, err := os.Stat(path)
			if err != nil || !info.Mode().IsRegular() || known[filepath.Clean(path)] {
				return err
			}
			known[filepath.Clean(path)] = true
			cursors = append(cursors, &cursor{path: path, place: len(cursors), size: info.Size()})
			total += info.Size()
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	if len(cursors) == 0 {
		return nil, 0, fmt.Errorf("no files in %s", strings.Join(in, ", "))
	}
	return cursors, total, nil
}

// result adds the findings of the judge to r.
func (j *judge) result(r *Result) {
	for _, s := range j.ranked() {
		r.Series = append(r.Series, s.Summary)
	}
	for _, id := range slices.Sorted(maps.Keys(j.anomalies)) {
		r.Anomalies = append(r.Anomalies, j.anomalies[id])
	}
	for _, id := range slices.Sorted(maps.Keys(j.incidents)) {
		r.Incidents = append(r.Incidents, j.incidents[id])
	}
	slices.SortStableFunc(r.Anomalies, func(a, b *incident.Anomaly) int { return a.Opened.Compare(b.Opened) })
	slices.SortStableFunc(r.Incidents, func(a, b *incident.Incident) int { return a.Opened.Compare(b.Opened) })
	r.Open = j.open.until(j.shard.Now())
	r.Points, r.Refused = j.shard.Points(), j.shard.Engine().Status().Refused
}

// ranked returns all series, worst first.
func (j *judge) ranked() []*judged {
	list := make([]*judged, 0, len(j.series))
	for _, s := range j.series {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *judged) int {
		return cmp.Or(backtest.Worse(a.Summary, b.Summary), cmp.Compare(a.number, b.number))
	})
	return list
}

func (j *judge) worst() []*judged {
	list := j.ranked()
	return list[:min(len(list), report.MaxPictures)]
}

func writeFindings(dir string, r *Result) error {
	var anomalies, incidents bytes.Buffer
	var errs []error
	encode := func(b *bytes.Buffer, v any) {
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		errs = append(errs, e.Encode(v))
	}
	for _, a := range r.Anomalies {
		encode(&anomalies, a)
	}
	for _, i := range r.Incidents {
		encode(&incidents, i)
	}
	errs = append(errs, os.WriteFile(filepath.Join(dir, "anomalies.jsonl"), anomalies.Bytes(), 0o600),
		os.WriteFile(filepath.Join(dir, "incidents.jsonl"), incidents.Bytes(), 0o600))
	return errors.Join(errs...)
}

// writeSeries writes one line per series.
func writeSeries(dir string, list []*judged) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{{"service", "metric", "statistic", "unit", "attributes", "points", "openings", "worst_score", "worst_at", "first", "last"}}
	for _, s := range list {
		rows = append(rows, []string{
			s.service, s.metric, s.statistic, s.unit, s.attributes, strconv.Itoa(s.Judged), strconv.Itoa(s.Openings),
			strconv.FormatFloat(s.Worst, 'g', -1, 64), s.WorstAt.Format(time.RFC3339Nano), s.First.Format(time.RFC3339Nano), s.Last.Format(time.RFC3339Nano),
		})
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "series.csv"), b.Bytes(), 0o600)
}
