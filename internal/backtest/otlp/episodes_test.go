// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/incident"
)

func TestEpisodes(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 5, 4, 12, minute, 0, 0, time.UTC) }
	var e episodes
	for _, told := range []struct {
		id     string
		state  incident.State
		minute int
	}{
		{"a", incident.StateOpen, 1},
		{"b", incident.StateOpen, 2},
		{"a", incident.StateOpen, 3},
		{"a", incident.StateClosed, 4},
		{"b", incident.StateClosed, 5},
		{"a", incident.StateOpen, 9},
		{"a", incident.StateClosed, 10},
		{"a", incident.StateClosed, 11},
		{"c", incident.StateOpen, 20},
	} {
		e.tell(&incident.Incident{ID: told.id, State: told.state}, at(told.minute))
	}
	assert.Equal(t, []backtest.Window{{Start: at(1), End: at(5)}, {Start: at(9), End: at(10)}, {Start: at(20), End: at(30)}}, e.until(at(30)),
		"together while they overlap, again where one opens again, and to the end what stays open")
}
