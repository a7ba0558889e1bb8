// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/auspex-otel/auspex/internal/backtest"
)

func TestFoundItself(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	x := fault{Service: "pay"}
	for _, c := range []struct {
		name string
		findings
		want foundItself
	}{
		{"nothing", findings{}, foundItself{}},
		{"two incidents", findings{incidents: []time.Time{at, at.Add(faultLasts)}}, foundItself{2, true}},
		{"before and after", findings{incidents: []time.Time{at.Add(-1), at.Add(faultLasts + 1)}}, foundItself{}},
		{"an older incident takes in the culprit", findings{anomalies: []anomaly{{"i", "pay", at.Add(time.Minute)}}}, foundItself{0, true}},
		{"it had it already", findings{anomalies: []anomaly{{"i", "pay", at.Add(time.Minute)}, {"i", "pay", at.Add(-time.Hour)}}}, foundItself{}},
		{"it takes in another", findings{anomalies: []anomaly{{"i", "cart", at.Add(time.Minute)}}}, foundItself{}},
	} {
		assert.Equal(t, c.want, c.of(x, at), c.name)
	}
	f := findings{open: []backtest.Window{{Start: at.Add(30 * time.Second), End: at.Add(time.Minute)}}}
	assert.True(t, f.openIn(at))
	assert.False(t, f.openIn(at.Add(time.Minute)), "it ended as this minute began")
}
