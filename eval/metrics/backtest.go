// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine"
)

// backtestWith returns a backtest that runs every CSV file of a folder through
// an engine of its own and writes the same files with verdicts.
func backtestWith(fresh func(engine.Config) watcher) func(ctx context.Context, in, out string) error {
	return func(ctx context.Context, in, out string) error {
		names, err := listCSV(in)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := ctx.Err(); err != nil {
				return err
			}
			rows, err := readCSV(filepath.Join(in, name))
			if err != nil {
				return err
			}
			if err := writeVerdicts(filepath.Join(out, name), fresh(engine.DefaultConfig()), rows[1:]); err != nil {
				return err
			}
		}
		return nil
	}
}

func writeVerdicts(path string, w watcher, rows [][]string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	out := csv.NewWriter(file)
	lines := [][]string{{"timestamp", "value", scoreColumn, pointColumn, "expected", "lower", "upper"}}
	one := newSingle()
	for _, row := range rows {
		line := []string{row[0], row[1], "0", "0", "", "", ""}
		if t, v, err := parseRow(row); err == nil {
			w.Tick(t)
			for _, d := range w.ObserveMetrics(one.set(t, v), everything) {
				line = append(line[:2], text(d.Score), text(d.Score), text(d.Expected), text(d.Lower), text(d.Upper))
			}
		}
		lines = append(lines, line)
	}
	if err := out.WriteAll(lines); err != nil {
		return errors.Join(err, file.Close())
	}
	return file.Close()
}

func text(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// parseRow reads the time and the value of a row.
func parseRow(row []string) (time.Time, float64, error) {
	t, err := time.Parse(time.DateTime, row[0])
	if err != nil {
		return t, 0, err
	}
	v, err := strconv.ParseFloat(row[1], 64)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = fmt.Errorf("%q is not finite", row[1])
	}
	return t, v, err
}

// single is a batch of one data point, made once.
type single struct {
	md pmetric.Metrics
	dp pmetric.NumberDataPoint
}

func newSingle() *single {
	s := &single{md: pmetric.NewMetrics()}
	m := s.md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("value")
	s.dp = m.SetEmptyGauge().DataPoints().AppendEmpty()
	return s
}

func (s *single) set(t time.Time, v float64) pmetric.Metrics {
	s.dp.SetTimestamp(pcommon.NewTimestampFromTime(t))
	s.dp.SetDoubleValue(v)
	return s.md
}
