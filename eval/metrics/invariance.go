// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/eval/score"
)

// flipTarget is the maximum share of rows whose verdict at score 1 may differ after a change of scale, level, and
// time of year.
const flipTarget = 1e-3

// invariance prints the effect of irrelevant changes on the verdicts.
func (r *report) invariance() error {
	dir, err := os.MkdirTemp("", "auspex-invariance-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	generated := filepath.Join(dir, "generated")
	if err := r.generateCSV(generated); err != nil {
		return err
	}
	r.printf(`
Invariance: verdicts of the same rows with changes that mean nothing, and cut or resumed in the middle. Rows differ if
not equal to the bit (a cut: the line, to the byte); a verdict differs if a score is at or above 1 in one output only.
A scaled count is no count: files of whole numbers, not negative and below %d in the mean, are not scaled.
Targets: no row differs; with another level, zone of the year and line ending at most %.1f %% of the verdicts.

`, fewCounts, 100*flipTarget)
	if nab := r.nabFolder(); nab == "" {
		r.printf("%-11s skipped: %s does not exist\n", "NAB", filepath.Join(r.eval, "nab"))
	} else if err := r.invarianceOf("NAB", filepath.Join(nab, "data"), filepath.Join(dir, "nab")); err != nil {
		return err
	}
	if err := r.invarianceOf("generated", generated, filepath.Join(dir, "out")); err != nil {
		return err
	}
	return r.resumeFleet()
}

// generateCSV writes series of every family, each with a spike and a level shift, so that there are verdicts above 1.
func (r *report) generateCSV(dir string) error {
	days := 14
	if r.quick {
		days = 3
	}
	for k, fam := range families {
		for n := range 2 {
			random := rand.New(rand.NewPCG(uint64(k), uint64(n)))
			next := fam.start(random)
			rows := [][]string{{"timestamp", "value"}}
			points := days * stepsADay
			for i := range points {
				t := epoch.Add(time.Duration(i) * cadence)
				z := random.NormFloat64()
				if i == points*6/10 || i >= points*9/10 {
					z += 8
				}
				rows = append(rows, []string{t.Format(time.DateTime), text(next(t.Unix(), z))})
			}
			if err := writeRows(filepath.Join(dir, fmt.Sprintf("%s-%d.csv", fam.metric, n)), rows, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// invarianceOf prints the rows for one folder of CSV files. scratch is a folder for its copies.
func (r *report) invarianceOf(name, in, scratch string) error {
	plain := filepath.Join(scratch, "plain")
	r.progressf("invariance: %s\n", name)
	if err := r.backtest(in, plain); err != nil {
		return err
	}
	moved, err := r.changed(plain, in, filepath.Join(scratch, "moved"), change{rename: true, weeks: 4, scale: 1024})
	if err != nil {
		return err
	}
	r.printSame(name, "renamed, + 4 weeks, × 1024", moved.differ, moved.rows)
	whole, err := countFiles(in)
	if err != nil {
		return err
	}
	lifted, err := r.changed(plain, in, filepath.Join(scratch, "lifted"), change{weeks: 53, scale: 1024, offset: 4096, crlf: true})
	if err != nil {
		return err
	}
	r.printFlips(name, "× 1024 + 4096, + 53 weeks, CRLF", lifted)
	if len(whole) > 0 {
		r.printf("%-11s counts, not scaled and not in × 1024 + 4096: %s\n", name, strings.Join(whole, ", "))
	}
	for _, percent := range [...]int{50, 80} {
		label := fmt.Sprintf("cut at %d %%", percent)
		input, output := filepath.Join(scratch, label), filepath.Join(scratch, label+" out")
		if err := cutFolder(in, input, float64(percent)/100); err != nil {
			return err
		}
		if err := r.backtest(input, output); err != nil {
			return err
		}
		cut, err := comparePrefix(plain, output, input)
		if err != nil {
			return err
		}
		r.printSame(name, label, cut.differ, cut.rows)
	}
	return r.resumeFiles(name, in)
}

// changed runs the backtest on a changed copy of a folder and compares it with plain, the output of the original.
func (r *report) changed(plain, in, scratch string, c change) (comparison, error) {
	input, output := filepath.Join(scratch, "in"), filepath.Join(scratch, "out")
	names, err := c.copyFolder(in, input)
	if err != nil {
		return comparison{}, err
	}
	if err := r.backtest(input, output); err != nil {
		return comparison{}, err
	}
	return compareScores(plain, output, names)
}

func (r *report) printSame(name, label string, differ, rows int) {
	r.printf("%-11s %-32s %7d of %d rows differ  %s\n", name, label, differ, rows, r.verdict(differ == 0 && rows > 0))
}

func (r *report) printFlips(name, label string, c comparison) {
	for k, column := range [...]score.Column{score.Point, score.Opening} {
		share := float64(c.flips[k]) / float64(max(c.rows, 1))
		r.printf("%-11s %-32s %7d of %d verdicts by %s scores differ (%.4f %%; %d are at or above 1)  %s\n",
			name, label, c.flips[k], c.rows, column, 100*share, c.above[k], r.verdict(share <= flipTarget && c.rows > 0))
	}
}
