// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/auspex-otel/auspex/eval/score"
)

// profiles lists the benchmark's profiles with the scorer's keys and the usual names.
var profiles = [...]struct{ key, name string }{
	{score.Standard, "standard"}, {"reward_low_FP_rate", "low FP"}, {"reward_low_FN_rate", "low FN"},
}

const (
	nabTarget = 64.0 // standard profile, best threshold
	nabWithin = 3.0  // maximum loss of score with a threshold of 1
)

// nabFolder returns the benchmark's folder, or "" if it does not exist.
func (r *report) nabFolder() string {
	dir := filepath.Join(r.eval, "nab")
	if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
		return ""
	}
	return dir
}

// nab prints the benchmark's scores.
func (r *report) nab() error {
	dir := r.nabFolder()
	if dir == "" {
		r.printf("NAB: %s does not exist: skipped.\n", filepath.Join(r.eval, "nab"))
		return nil
	}
	results, err := os.MkdirTemp("", "auspex-nab-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(results)
	r.progressf("nab: backtest\n")
	if err := r.backtest(filepath.Join(dir, "data"), results); err != nil {
		return err
	}
	r.progressf("nab: scoring\n")
	best, err := score.EvaluateNAB(r.eval, results)
	if err != nil {
		return err
	}
	atOne, err := score.EvaluateNAB(r.eval, results, "1", "1", "1")
	if err != nil {
		return err
	}
	var delays [2]float64
	for i, threshold := range [...]float64{best.Profiles[score.Standard].Threshold, 1} {
		if delays[i], err = score.NABDelay(r.eval, results, threshold); err != nil {
			return err
		}
	}
	r.printNAB(best, atOne, delays)
	return nil
}

// printNAB prints the scores at the best threshold and at 1. delays holds the median delays, in minutes, at these
// thresholds.
func (r *report) printNAB(best, atOne score.NAB, delays [2]float64) {
	r.printf(`NAB: %d files, %d windows. Targets on the standard profile: at least %.0f at the best threshold, and at
threshold 1 at most %.0f less than that. False rows: rows outside the windows at or above the threshold.

%-9s  %6s %9s %8s %10s   %8s %8s %10s
`, best.Files, best.Windows, nabTarget, nabWithin, "profile", "best", "threshold", "windows", "false rows", "at 1", "windows", "false rows")
	for _, p := range profiles {
		b, o := best.Profiles[p.key], atOne.Profiles[p.key]
		r.printf("%-9s  %6.2f %9.3f %8d %10d   %8.2f %8d %10d", p.name, b.Score, b.Threshold, b.WindowsHit, b.FalseRows, o.Score, o.WindowsHit, o.FalseRows)
		if p.key == score.Standard {
			r.printf("  %s, %s", r.verdict(b.Score >= nabTarget), r.verdict(o.Score >= b.Score-nabWithin))
		}
		r.printf("\n")
	}
	r.printf("\nStandard profile: the standard error of the score, over files, is %.2f at the best threshold and %.2f at 1; the median\ndelay from the start of a window is %.4g and %.4g minutes, windows found alone.\n",
		best.StandardError(), atOne.StandardError(), delays[0], delays[1])
	if !r.perFile {
		return
	}
	r.printf("\n%-58s %8s %8s %10s   %8s %8s %10s\n", "file, standard profile", "best raw", "hit", "false rows", "at 1 raw", "hit", "false rows")
	for _, name := range slices.Sorted(maps.Keys(best.PerFile)) {
		b, o := best.PerFile[name], atOne.PerFile[name]
		r.printf("%-58s %8.3f %4d/%-3d %10d   %8.3f %4d/%-3d %10d\n", name, b.Raw, b.Hit, b.Windows, b.FalseRows, o.Raw, o.Hit, o.Windows, o.FalseRows)
	}
}
