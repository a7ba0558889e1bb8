// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"math"
	"time"
	_ "time/tzdata" // the zones are the same on every machine
)

// A season is the daily shape of a series, in the hours of its zone:
//
//	s(t) = A · w(day) · (½ - ½·cos 2πx)^q    x = (hour of day - trough) / 24, in [0, 1)
//
// It is 0 at the trough and A at the peak twelve hours later. q above 1 makes the peak narrow. A day lasts from
// trough to trough. Its weight w, which is below 1 at weekends with a weekly season, therefore changes where s is 0.
type season struct {
	zone      *time.Location
	amplitude float64
	trough    float64 // hour of day
	power     float64
	weekend   float64 // w of Saturday and Sunday
}

// phase returns x and w of a time.
func (s *season) phase(t int64) (x, w float64) {
	local := time.Unix(0, t).In(s.zone)
	hour, minute, second := local.Clock()
	x = (float64(hour)+float64(minute)/60+float64(second)/3600-s.trough)/24 + float64(local.Nanosecond())/86400e9
	day := local.Weekday()
	if x < 0 {
		x++
		day = (day + 6) % 7
	}
	if day == time.Saturday || day == time.Sunday {
		return x, s.weekend
	}
	return x, 1
}

func (s *season) at(t int64) float64 {
	x, w := s.phase(t)
	return s.amplitude * w * hump(x, s.power)
}

// twoPeaks returns a changed season with peaks at 6 and 18 hours after the trough.
func (s *season) twoPeaks(t int64) float64 {
	x, w := s.phase(t)
	return s.amplitude * w * hump(2*x, s.power)
}

func hump(x, power float64) float64 {
	return math.Pow(0.5-0.5*math.Cos(2*math.Pi*x), power)
}

// A job runs for a while in every period, by the clock of its zone:
//
//	s(t) = H where (time of day - offset) mod period < length, else 0
type job struct {
	zone                   *time.Location
	height                 float64
	period, offset, length float64 // hours
}

func (j *job) at(t int64) float64 {
	hour, minute, second := time.Unix(0, t).In(j.zone).Clock()
	h := float64(hour) + float64(minute)/60 + float64(second)/3600 - j.offset
	if h -= j.period * math.Floor(h/j.period); h < j.length {
		return j.height
	}
	return 0
}
