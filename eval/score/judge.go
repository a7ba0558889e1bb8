// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package score

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/auspex-otel/auspex/internal/detect"
)

// A Judge scores the points of one series. Greater is more anomalous. t is in nanoseconds since the Unix epoch.
type Judge interface {
	Observe(t int64, v float64) (point, opening float64)
}

// cooldown is the cooldown of a bare model in rows.
const cooldown = 90

// ModelJudge returns a Judge that runs a bare model, without the engine's calibration and budget. The point score is
// the surprise. The opening score is the point score if it exceeds those of the 90 preceding rows, otherwise 0.
func ModelJudge(m detect.Model) Judge { return &modelJudge{model: m} }

type modelJudge struct {
	model detect.Model
	rows  int
	at    int // row of the peak
	peak  float64
}

func (j *modelJudge) Observe(t int64, v float64) (point, opening float64) {
	point = j.model.Observe(t, v).Surprise
	j.rows++
	if j.rows-j.at > cooldown {
		j.peak = 0
	}
	if point > j.peak {
		j.at, j.peak, opening = j.rows, point, point
	}
	return point, opening
}

// CloudOf scores the cloud telemetry below the folder eval with one new Judge per file. The figures are by column.
func CloudOf(eval string, fresh func() Judge) (figures [2]CloudFigures, err error) {
	dir := filepath.Join(eval, "cloud")
	err = judged(filepath.Join(dir, "data"), fresh, func(results string) error {
		for c := range figures {
			cloud, err := LoadCloud(dir, ResultsIn(results, Column(c)))
			if err != nil {
				return err
			}
			figures[c] = cloud.Figures()
		}
		return nil
	})
	return figures, err
}

// NABOf scores the benchmark below the folder eval with one new Judge per file.
func NABOf(eval string, fresh func() Judge) (s NAB, err error) {
	err = judged(filepath.Join(eval, "nab", "data"), fresh, func(results string) error {
		if s, err = EvaluateNAB(eval, results); err != nil {
			return err
		}
		s.Delay, err = NABDelay(eval, results, s.Profiles[Standard].Threshold)
		return err
	})
	return s, err
}

// judged writes the scores of every CSV file in a folder to a temporary folder and passes it to use.
func judged(in string, fresh func() Judge, use func(results string) error) error {
	names, err := ListCSV(in)
	if err != nil {
		return err
	}
	out, err := os.MkdirTemp("", "auspex-judged-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)
	errs, next := make([]error, len(names)), make(chan int)
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for i := range next {
				errs[i] = judgeFile(filepath.Join(in, names[i]), filepath.Join(out, names[i]), fresh())
			}
		})
	}
	for i := range names {
		next <- i
	}
	close(next)
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return use(out)
}

// judgeFile writes one row of scores per row. A row without a finite value scores 0.
func judgeFile(in, out string, j Judge) error {
	rows, err := ReadCSV(in)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s,%s\n", ScoreColumn, OpeningColumn)
	for i, row := range rows[1:] {
		t, err := parseTime(row[0])
		if err != nil {
			return fmt.Errorf("%s, row %d: %w", in, i+1, err)
		}
		point, opening := 0.0, 0.0
		if v, err := strconv.ParseFloat(row[1], 64); err == nil && v-v == 0 {
			point, opening = j.Observe(t.UnixNano(), v)
		}
		fmt.Fprintf(&b, "%g,%g\n", point, opening)
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o750); err != nil {
		return err
	}
	return os.WriteFile(out, []byte(b.String()), 0o600)
}
