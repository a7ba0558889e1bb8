// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// profiles of the benchmark: what the scorer calls them, and what people do.
var profiles = [...]struct{ key, name string }{
	{"standard", "standard"}, {"reward_low_FP_rate", "low FP"}, {"reward_low_FN_rate", "low FN"},
}

const (
	nabTarget = 66.0 // standard profile, best threshold
	nabWithin = 3.0  // what score 1 as the threshold may cost
)

// scoring is what the benchmark's scorer answers.
type scoring struct {
	Files    int                       `json:"files"`
	Windows  int                       `json:"windows"`
	Missing  []string                  `json:"missing"`
	Profiles map[string]profileScoring `json:"profiles"`
	PerFile  map[string]fileScoring    `json:"per_file"`
}

type profileScoring struct {
	Score      float64 `json:"score"`
	Threshold  float64 `json:"threshold"`
	WindowsHit int     `json:"windows_hit"`
	FalseRows  int     `json:"fp_rows"`
}

type fileScoring struct {
	Raw       float64 `json:"raw"`
	Windows   int     `json:"windows"`
	Hit       int     `json:"hit"`
	FalseRows int     `json:"fp_rows"`
}

// nabFolder returns the benchmark's folder, or "" where it is absent.
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
		r.printf("NAB: %s is absent: left out.\n", filepath.Join(r.eval, "nab"))
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
	best, err := r.scoreNAB(dir, results)
	if err != nil {
		return err
	}
	atOne, err := r.scoreNAB(dir, results, "--thresholds", "1,1,1")
	if err != nil {
		return err
	}
	r.printNAB(best, atOne)
	return nil
}

// scoreNAB runs the benchmark's scorer where it lies.
func (r *report) scoreNAB(dir, results string, more ...string) (s scoring, err error) {
	args := append([]string{filepath.Join(r.eval, "nab_score.py"), "--nab", dir, "--results", results, "--json", "--per-file"}, more...)
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(context.Background(), "python3", args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return s, fmt.Errorf("nab_score.py: %w: %s", err, bytes.TrimSpace(errs.Bytes()))
	}
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		return s, fmt.Errorf("nab_score.py: %w", err)
	}
	if len(s.Missing) > 0 {
		return s, fmt.Errorf("no verdicts for %q", s.Missing)
	}
	for _, p := range profiles {
		if _, ok := s.Profiles[p.key]; !ok {
			return s, errors.New("nab_score.py: no profile " + p.key)
		}
	}
	return s, nil
}

func (r *report) printNAB(best, atOne scoring) {
	r.printf(`NAB: %d files, %d windows. Targets on the standard profile: at least %.0f at the best threshold, and at
threshold 1 at most %.0f less than that. False rows: rows outside the windows at or above the threshold.

%-9s  %6s %9s %8s %10s   %8s %8s %10s
`, best.Files, best.Windows, nabTarget, nabWithin, "profile", "best", "threshold", "windows", "false rows", "at 1", "windows", "false rows")
	for _, p := range profiles {
		b, o := best.Profiles[p.key], atOne.Profiles[p.key]
		r.printf("%-9s  %6.2f %9.3f %8d %10d   %8.2f %8d %10d", p.name, b.Score, b.Threshold, b.WindowsHit, b.FalseRows, o.Score, o.WindowsHit, o.FalseRows)
		if p.key == "standard" {
			r.printf("  %s, %s", r.verdict(b.Score >= nabTarget), r.verdict(o.Score >= b.Score-nabWithin))
		}
		r.printf("\n")
	}
	if !r.perFile {
		return
	}
	r.printf("\n%-58s %8s %8s %10s   %8s %8s %10s\n", "file, standard profile", "best raw", "hit", "false rows", "at 1 raw", "hit", "false rows")
	for _, name := range slices.Sorted(maps.Keys(best.PerFile)) {
		b, o := best.PerFile[name], atOne.PerFile[name]
		r.printf("%-58s %8.3f %4d/%-3d %10d   %8.3f %4d/%-3d %10d\n", name, b.Raw, b.Hit, b.Windows, b.FalseRows, o.Raw, o.Hit, o.Windows, o.FalseRows)
	}
}
