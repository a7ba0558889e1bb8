// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"cmp"
	"fmt"
	"time"
)

// Summary holds the figures of one series.
type Summary struct {
	// Name is the path of the file, or a description of the series.
	Name string
	// Rows is the number of read rows. NoTime have no readable time, NoNumber no readable value, and Points have
	// both. Of the points, Late are at or before the latest time, and Judged have a verdict. The rest occurred during
	// warm-up.
	Rows, NoTime, NoNumber, Points, Late, Judged int
	// Openings is the number of points with an opening score of 1 or more.
	Openings int
	// Worst is the greatest score, at WorstAt. First and Last are the first and last time.
	Worst                float64
	WorstAt, First, Last time.Time
	// FirstNoTime is the line of the first row with an unreadable time, or 0. FirstNoNumber is that of the first
	// unreadable value.
	FirstNoTime, FirstNoNumber int
	// FalseAlarms is the expected number of openings per week without a fault, 0 if unknown.
	FalseAlarms float64
}

// See extends First and Last to a time.
func (s *Summary) See(t time.Time) {
	if s.First.IsZero() || t.Before(s.First) {
		s.First = t
	}
	if t.After(s.Last) {
		s.Last = t
	}
}

// Count counts the scores of a point at a time.
func (s *Summary) Count(t time.Time, score, opening float64) {
	s.Judged++
	if opening >= 1 {
		s.Openings++
	}
	if score > s.Worst || s.WorstAt.IsZero() {
		s.Worst, s.WorstAt = score, t
	}
}

// WhyNothing returns the reason why a series has no verdict.
func (s *Summary) WhyNothing() string {
	switch points := s.Points - s.Late; {
	case s.Rows == 0:
		return "the file has no rows"
	case s.Points == 0:
		return fmt.Sprintf("of %d rows, %d have no readable time and %d no readable number", s.Rows, s.NoTime, s.NoNumber)
	case s.Late > 0:
		return fmt.Sprintf("too few points for the warm-up: %d, and %d more that repeat a time or are out of order", points, s.Late)
	default:
		return fmt.Sprintf("too few points for the warm-up: %d", points)
	}
}

// Total adds up the numbers of several series.
func Total(list []Summary) Summary {
	var sum Summary
	for _, s := range list {
		sum.Rows, sum.NoTime, sum.NoNumber, sum.Late = sum.Rows+s.Rows, sum.NoTime+s.NoTime, sum.NoNumber+s.NoNumber, sum.Late+s.Late
		sum.Points, sum.Judged, sum.Openings = sum.Points+s.Points, sum.Judged+s.Judged, sum.Openings+s.Openings
		sum.FalseAlarms += s.FalseAlarms
		if s.Worst > sum.Worst || sum.WorstAt.IsZero() {
			sum.Worst, sum.WorstAt = s.Worst, s.WorstAt
		}
		if !s.First.IsZero() {
			sum.See(s.First)
			sum.See(s.Last)
		}
	}
	return sum
}

// Worse orders summaries by the greatest score, and equal ones by name.
func Worse(a, b Summary) int {
	return cmp.Or(cmp.Compare(b.Worst, a.Worst), cmp.Compare(a.Name, b.Name))
}
