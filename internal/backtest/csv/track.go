// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/backtest/report"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/replay"
)

// track is the run of one series.
type track struct {
	summary  backtest.Summary
	assessor *assessor // nil without truth for the series
	windows  []backtest.Window
	plot     *report.Plot
	series   *replay.Series
	unit     unit
}

func newTrack(name string, cfg engine.Config, windows []backtest.Window, known bool) *track {
	t := &track{summary: backtest.Summary{Name: name}, plot: &report.Plot{}, series: replay.NewSeries(cfg)}
	if known {
		t.assessor, t.windows = newAssessor(name, windows), windows
	}
	return t
}

func (t *track) picture() report.Picture {
	return report.Picture{Summary: t.summary, Windows: t.windows, Plot: t.plot}
}

// end frees the memory that only the run needs.
func (t *track) end() {
	t.summary.FalseAlarms = t.series.FalseAlarms()
	t.plot, t.series = nil, nil
}

// observe returns the verdict on a row, or nil. It returns an error for a value in an incompatible unit.
func (t *track) observe(r row, f format) (*report.Verdict, error) {
	t.summary.Rows++
	at, _, err := f.times.parse(plain(r.timestamp))
	if err != nil {
		t.summary.NoTime++
		if plain(r.timestamp) != "" {
			keepFirst(&t.summary.FirstNoTime, r.line)
		}
		return nil, nil
	}
	t.summary.See(at)
	value, err := t.value(r, f)
	switch {
	case errors.Is(err, errNumber):
		t.summary.NoNumber++
		if text := plain(r.value); !isNothing(text) {
			keepFirst(&t.summary.FirstNoNumber, r.line)
		}
		return nil, nil
	case err != nil:
		return nil, err
	}
	t.summary.Points++
	return t.judge(at, value), nil
}

// value returns the value of a row in the unit of the series.
func (t *track) value(r row, f format) (float64, error) {
	text := plain(r.value)
	n, ok := cutNumber(text)
	if !ok {
		return 0, errNumber
	}
	v, err := n.value(f.decimal)
	if err != nil {
		return 0, err
	}
	if v, err = t.unit.scale(v, n.unit); err != nil {
		return 0, fmt.Errorf("cannot convert the value %q: %w", text, err)
	}
	return v, nil
}

func (t *track) judge(at time.Time, value float64) *report.Verdict {
	said, outcome := t.series.Observe(at.UnixNano(), value)
	if outcome == replay.Late || outcome == replay.Duplicate {
		t.summary.Late++
		return nil
	}
	var v *report.Verdict
	opens := 0.0
	if outcome == replay.Evaluated {
		opens = said.Opening
		v = &report.Verdict{Score: said.Score, Opening: opens, Expected: said.Expected, Lower: said.Lower, Upper: said.Upper}
		t.summary.Count(at, v.Score, opens)
	}
	t.plot.Add(at, value, v)
	if t.assessor != nil {
		t.assessor.observe(at, opens)
	}
	return v
}

// isNothing reports whether a text is a common mark for a missing value.
func isNothing(text string) bool {
	switch strings.ToLower(text) {
	case "", "-", "nan", "null", "nil", "none", "undefined", "n/a", "na", "#n/a", "no data", "inf", "+inf", "-inf":
		return true
	}
	return false
}
