// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package score

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
	"strings"
	"time"
)

// Standard is the key of the benchmark's standard profile. A found window adds up to 1, and a missed window subtracts
// 1.
const Standard = "standard"

// NABProfiles lists the keys of all profiles.
var NABProfiles = [...]string{Standard, "reward_low_FP_rate", "reward_low_FN_rate"}

// NAB holds the result of the benchmark's scorer.
type NAB struct {
	Files    int                   `json:"files"`
	Windows  int                   `json:"windows"`
	Missing  []string              `json:"missing"`
	Profiles map[string]NABProfile `json:"profiles"`
	PerFile  map[string]NABFile    `json:"per_file"` // standard profile

	// Delay is the median delay of the found windows at the standard profile's threshold, in minutes (see NABDelay).
	Delay float64 `json:"-"`
}

// NABProfile is the score of one profile, normalized to 100.
type NABProfile struct {
	Score      float64 `json:"score"`
	Threshold  float64 `json:"threshold"`
	WindowsHit int     `json:"windows_hit"`
	FalseRows  int     `json:"fp_rows"`
}

// NABFile is the score of one file, not normalized.
type NABFile struct {
	Raw       float64 `json:"raw"`
	Windows   int     `json:"windows"`
	Hit       int     `json:"hit"`
	FalseRows int     `json:"fp_rows"`
}

// EvaluateNAB runs nab_score.py, which is in the folder eval next to the data set nab, on the results of a backtest.
// thresholds sets the threshold of every profile. Without it each profile uses its best.
func EvaluateNAB(eval, results string, thresholds ...string) (s NAB, err error) {
	args := []string{filepath.Join(eval, "nab_score.py"), "--nab", filepath.Join(eval, "nab"), "--results", results, "--json", "--per-file"}
	if len(thresholds) > 0 {
		args = append(args, "--thresholds", strings.Join(thresholds, ","))
	}
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
	for _, key := range NABProfiles {
		if _, ok := s.Profiles[key]; !ok {
			return s, errors.New("nab_score.py: no profile " + key)
		}
	}
	return s, nil
}

// StandardError returns the bootstrap standard error of Samples.
func (s *NAB) StandardError() float64 { return Spread(s.Samples()) }

// Samples returns bootstrap samples of the standard profile's score at its threshold, by Resample over files:
//
//	score = 100·(Σ raw + windows) / (2·windows)
//
// All samples use the threshold of the whole data set. They therefore do not include the uncertainty of choosing the
// threshold.
func (s *NAB) Samples() []float64 {
	names := slices.Sorted(maps.Keys(s.PerFile))
	return Resample(len(names), func(units []int) float64 {
		raw, windows := 0.0, 0.0
		for _, i := range units {
			f := s.PerFile[names[i]]
			raw, windows = raw+f.Raw, windows+float64(f.Windows)
		}
		return 100 * (raw + windows) / (2 * windows)
	})
}

// NABDelay returns the median delay, in minutes, from the start of a window to the first opening score at or above
// the threshold in it. Windows that are not found do not count.
func NABDelay(eval, results string, threshold float64) (float64, error) {
	path := filepath.Join(eval, "nab", "labels", "combined_windows.json")
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	var labels map[string][][2]string
	if err := json.Unmarshal(b, &labels); err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	var delays []float64
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		rows, err := ReadCSV(filepath.Join(eval, "nab", "data", filepath.FromSlash(name)))
		if err != nil {
			return 0, err
		}
		scores, err := ReadScores(filepath.Join(results, filepath.FromSlash(name)), Opening)
		if err != nil {
			return 0, err
		}
		stamps := timestamps(rows)
		if len(stamps) != len(scores) {
			return 0, fmt.Errorf("%s: %d scores for %d rows", name, len(scores), len(stamps))
		}
		found, err := nabDelays(stamps, scores, labels[name], threshold)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		delays = append(delays, found...)
	}
	return Median(delays), nil
}

// The benchmark does not score the first rows of a file.
const (
	nabWarm     = 0.15
	nabMostWarm = 750
)

// nabDelays returns the delay of each found window of a file.
func nabDelays(stamps []string, scores []float64, windows [][2]string, threshold float64) (delays []float64, err error) {
	at := make([]time.Time, len(stamps))
	for i, s := range stamps {
		if at[i], err = parseTime(s); err != nil {
			return nil, err
		}
	}
	warm := min(int(nabWarm*float64(len(stamps))), nabMostWarm)
	for _, w := range windows {
		var ends [2]time.Time
		for k := range ends {
			if ends[k], err = parseTime(w[k]); err != nil {
				return nil, err
			}
		}
		for i := warm; i < len(at); i++ {
			if scores[i] >= threshold && !at[i].Before(ends[0]) && !at[i].After(ends[1]) {
				delays = append(delays, at[i].Sub(ends[0]).Minutes())
				break
			}
		}
	}
	return delays, nil
}
