// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/eval/score"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/memstorage"
)

// played returns the batches of step i and their time. The result is the same in every run.
type played func(i int) (time.Time, []pmetric.Metrics)

// play observes the steps from one to before another and returns all verdicts.
func play(w watcher, p played, from, to int) (verdicts []engine.Verdict) {
	for i := from; i < to; i++ {
		t, batches := p(i)
		w.Tick(t)
		for _, md := range batches {
			verdicts = append(verdicts, w.ObserveMetrics(md, everything)...)
		}
	}
	return verdicts
}

// resumed counts the verdicts of a run whose engine was replaced halfway by one that was restored from its snapshot.
// It also returns the number that differ from an uninterrupted run.
func (r *report) resumed(start func() played, steps int) (differ, all int, err error) {
	straight := play(r.engine(engine.DefaultConfig()), start(), 0, steps)
	ctx, disk, p := context.Background(), memstorage.Client{}, start()
	first, _ := start()(0)
	before, after := r.engine(engine.DefaultConfig()), r.engine(engine.DefaultConfig())
	if err := before.Load(ctx, disk, first); err != nil {
		return 0, 0, err
	}
	got := play(before, p, 0, steps/2)
	now, _ := start()(max(0, steps/2-1))
	if err := before.Snapshot(ctx, now); err != nil {
		return 0, 0, err
	}
	if err := after.Load(ctx, disk, now); err != nil {
		return 0, 0, err
	}
	got = append(got, play(after, p, steps/2, steps)...)
	return countDiffering(straight, got), len(straight), nil
}

// countDiffering returns the number of verdicts that are missing or not bit-identical.
func countDiffering(a, b []engine.Verdict) int {
	n := max(len(a), len(b)) - min(len(a), len(b))
	for i := range min(len(a), len(b)) {
		if !slices.Equal(bits(a[i]), bits(b[i])) {
			n++
		}
	}
	return n
}

func bits(v engine.Verdict) []uint64 {
	list := []uint64{uint64(v.Resource), uint64(v.Scope), uint64(v.Metric), uint64(v.Point)}
	for _, f := range [...]float64{v.Score, v.Opening, v.Observed, v.Expected, v.Lower, v.Upper} {
		list = append(list, math.Float64bits(f))
	}
	return list
}

// resumeFiles resumes every CSV file of a folder in a separate engine.
func (r *report) resumeFiles(name, dir string) error {
	r.progressf("invariance: %s, resumed\n", name)
	names, err := score.ListCSV(dir)
	if err != nil {
		return err
	}
	differ, all := 0, 0
	for _, file := range names {
		rows, err := score.ReadCSV(filepath.Join(dir, file))
		if err != nil {
			return err
		}
		d, n, err := r.resumed(func() played { return playRows(rows[1:]) }, len(rows)-1)
		if err != nil {
			return err
		}
		differ, all = differ+d, all+n
	}
	r.printSame(name, "resumed half-way", differ, all)
	return nil
}

// playRows plays the rows of a CSV file. A row without a time or a value has no batch.
func playRows(rows [][]string) played {
	one := newSingle()
	return func(i int) (time.Time, []pmetric.Metrics) {
		t, v, err := parseRow(rows[i])
		if err != nil {
			return t, nil
		}
		return t, []pmetric.Metrics{one.set(t, v)}
	}
}

// parseRow parses the time and the value of a row.
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

// single is a reused batch of one data point.
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

// resumeFleet resumes a fleet of all families in one engine, because the snapshot must also contain the state that
// all series share.
func (r *report) resumeFleet() error {
	n, steps := 80, 10*stepsADay
	if r.quick {
		n, steps = 16, 3*stepsADay
	}
	r.progressf("invariance: fleet, resumed\n")
	differ, all, err := r.resumed(func() played {
		f := newFleet("fleet", n, families, 1, 0.5)
		return func(i int) (time.Time, []pmetric.Metrics) {
			t := epoch.Add(time.Duration(i) * cadence)
			f.step(t)
			return t, f.batches
		}
	}, steps)
	if err != nil {
		return err
	}
	r.printSame("fleet", "resumed half-way", differ, all)
	return nil
}
