// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 1: "1", -1: "-1", 0.5: "0.5", 12.345: "12.3", 99.96: "100", 123.4: "123", -1234.6: "-1235", 0.00012345: "0.000123",
		0.0000123: "1.23e-05", 1e15: "1e+15", 123456789: "123456789", math.Inf(-1): "-Inf",
	} {
		assert.Equal(t, want, vocabulary.Number(v))
	}
	assert.Equal(t, "NaN", vocabulary.Number(math.NaN()))
}

func TestMeasure(t *testing.T) {
	for _, tt := range []struct {
		unit               string
		observed, expected float64
		want               string
	}{
		{"s", 2.31, 0.31, "2.31 s instead of 0.31 s"},
		{"s", 0.0042, 0.0011, "4.2 ms instead of 1.1 ms"},
		{"ms", 3500, 200, "3.5 s instead of 0.2 s"},
		{"us", 0.5, 0.25, "500 ns instead of 250 ns"},
		{"ns", 0.5, 0.25, "0.5 ns instead of 0.25 ns"},
		{"min", 90, 1, "1.5 h instead of 0.0167 h"},
		{"s", 0, 0, "0 s instead of 0 s"},
		{"s", -2, -1, "-2 s instead of -1 s"},
		{"s", math.NaN(), 1, "NaN s instead of 1 s"},
		{"s/s", 0.95, 0.02, "950 ms/s instead of 20 ms/s"},
		{"By", 1536, 100, "1.5 KiB instead of 0.0977 KiB"},
		{"By", 0, 0, "0 B instead of 0 B"},
		{"KiBy", 0.5, 0.25, "512 B instead of 256 B"},
		{"By/s", 3 << 20, 1 << 20, "3 MiB/s instead of 1 MiB/s"},
		{"", 4, 2, "4 instead of 2"},
		{"1", 0.9, 0.1, "0.9 instead of 0.1"},
		{"1/s", 3, 12, "3 per s instead of 12 per s"},
		{"{request}", 7, 2, "7 request instead of 2 request"},
		{"{request}/s", 7, 2, "7 request/s instead of 2 request/s"},
		{"%", 99, 20, "99 % instead of 20 %"},
		{"Cel", 81, 40, "81 °C instead of 40 °C"},
		{"W", 81, 40, "81 W instead of 40 W"},
	} {
		a := incident.Anomaly{Subject: incident.Subject{Unit: tt.unit}, Observed: tt.observed, Expected: tt.expected}
		assert.Equal(t, tt.want, vocabulary.MeasureOf(&a).Text(tt.observed)+" instead of "+vocabulary.MeasureOf(&a).Text(tt.expected), tt.unit)
	}
}

func TestSubject(t *testing.T) {
	for statistic, want := range map[string]string{"value": "m", "": "m", "p95": "p95 of m", "error_ratio": "error ratio of m"} {
		assert.Equal(t, want, subject(incident.Subject{Metric: "m", Statistic: statistic}))
	}
}
