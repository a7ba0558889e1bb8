// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"time"

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/incident"
)

// episodes holds the periods with an open incident. An incident may be open several times, because it reopens when an
// anomaly joins it.
type episodes struct {
	list []backtest.Window
	open map[string]bool // by incident id
}

// tell processes an update of an incident at a time.
func (e *episodes) tell(i *incident.Incident, now time.Time) {
	if e.open == nil {
		e.open = map[string]bool{}
	}
	was := len(e.open) > 0
	if i.State == incident.StateOpen {
		e.open[i.ID] = true
	} else {
		delete(e.open, i.ID)
	}
	switch is := len(e.open) > 0; {
	case is && !was:
		e.list = append(e.list, backtest.Window{Start: now})
	case was && !is:
		e.list[len(e.list)-1].End = now
	}
}

// until returns all episodes. An incident that is still open ends now.
func (e *episodes) until(now time.Time) []backtest.Window {
	if len(e.open) > 0 {
		e.list[len(e.list)-1].End = now
	}
	return e.list
}
