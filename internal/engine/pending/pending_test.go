// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package pending

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/state"
)

func TestFindingsAreBounded(t *testing.T) {
	f := New()
	for i := range most + 5 {
		f.AddCompanions(&view.Companions{Series: series.ID(i)})
	}
	assert.Equal(t, most, f.Waiting())
	assert.Equal(t, uint64(5), f.Dropped())
	newer := &view.Companions{Series: 7}
	f.AddCompanions(newer)
	assert.Same(t, newer, f.Companions()[7], "a known one is replaced, even if there is no room")
	assert.Equal(t, uint64(5), f.Dropped())
}

func TestWhatChangedSinceIsNotForgotten(t *testing.T) {
	f := New()
	f.Add([]incident.Anomaly{{ID: "b"}, {ID: "a"}}, []incident.Incident{{ID: "i"}})
	f.AddCompanions(&view.Companions{Series: 1})
	sent, companions := f.Events(), f.Companions()
	assert.Equal(t, "a", sent.Anomalies[0].ID, "in order")
	f.Add([]incident.Anomaly{{ID: "a", Kind: "newer"}}, nil)
	f.AddCompanions(&view.Companions{Series: 1, Metric: "newer"})
	f.DeliveredEvents(sent)
	f.DeliveredCompanions(companions)
	left := f.Events()
	require.Len(t, left.Anomalies, 1)
	assert.Equal(t, "newer", left.Anomalies[0].Kind)
	assert.Empty(t, left.Incidents)
	assert.Len(t, f.Companions(), 1)
}

func TestEventsAreRestored(t *testing.T) {
	f := New()
	for i := range 3 {
		f.Add([]incident.Anomaly{{ID: fmt.Sprint("a", i)}}, []incident.Incident{{ID: fmt.Sprint("i", i)}})
	}
	w := state.Writer(nil)
	f.PersistEvents(w)
	again := New()
	again.Add([]incident.Anomaly{{ID: "other"}}, nil)
	c := state.Reader(w.Bytes())
	again.PersistEvents(c)
	require.NoError(t, c.End())
	assert.Equal(t, 7, again.Waiting())
}
