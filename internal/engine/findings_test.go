// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/incident"
)

func TestEventsWaitUntilDelivered(t *testing.T) {
	w := newWorld(newEngine(), "cart", "payment")
	w.run(history)
	assert.Equal(t, Events{Anomalies: []*incident.Anomaly{}, Incidents: []*incident.Incident{}}, w.engine.PendingEvents())
	w.run(1, "cart", "payment")
	pending := w.engine.PendingEvents()
	require.Len(t, pending.Anomalies, 2)
	require.Len(t, pending.Incidents, 2)
	assert.Less(t, pending.Anomalies[0].ID, pending.Anomalies[1].ID)
	assert.Equal(t, pending, w.engine.PendingEvents(), "asking takes nothing away")
	assert.Equal(t, 4, w.engine.Status().PendingFindings)
	w.engine.DeliveredEvents(pending)
	assert.Zero(t, w.engine.Status().PendingFindings)
}

// What changes while its older form is on its way is delivered again.
func TestNewerEventReplacesOlder(t *testing.T) {
	w := newWorld(newEngine(), "cart")
	w.run(history)
	w.run(1, "cart")
	sent := w.engine.PendingEvents()
	w.calm(t, w.services)
	w.run(2) // it closes
	assert.Equal(t, incident.StateOpen, sent.Anomalies[0].State, "what is on its way does not change")
	pending := w.engine.PendingEvents()
	require.Len(t, pending.Anomalies, 1)
	assert.Equal(t, sent.Anomalies[0].ID, pending.Anomalies[0].ID)
	assert.Equal(t, incident.StateClosed, pending.Anomalies[0].State)

	w.engine.DeliveredEvents(sent)
	assert.Equal(t, pending, w.engine.PendingEvents(), "the newer one was not delivered")
	w.engine.DeliveredEvents(pending)
	assert.Zero(t, w.engine.Status().PendingFindings)
}

func TestGaugesOfAService(t *testing.T) {
	w := newWorld(newEngine(), "b", "a")
	w.run(history)
	g := w.engine.PendingGauges()
	require.Len(t, g.Services, 2)
	assert.Equal(t, "a", g.Services[0].Service)
	assert.Equal(t, stamp((history-1)*cadence), g.Services[0].Time)
	assert.Zero(t, g.Services[0].Open)
	assert.Zero(t, g.Services[0].Rate)
	assert.Less(t, g.Services[0].MaxScore, 1.0)
	assert.Equal(t, g, w.engine.PendingGauges())
	w.engine.DeliveredGauges(g)
	assert.Empty(t, w.engine.PendingGauges().Services, "nothing new")

	w.run(1, "a")
	w.services = []string{"b"}
	w.run(1) // one with new data, one with a fault in the point before
	g = w.engine.PendingGauges()
	require.Len(t, g.Services, 2)
	a, b := g.Services[0], g.Services[1]
	assert.Equal(t, stamp(history*cadence), a.Time, "each at its own watermark")
	assert.Equal(t, stamp((history+1)*cadence), b.Time)
	assert.Equal(t, int64(1), a.Open)
	assert.InDelta(t, 1.0/statistics, a.Rate, 1e-12)
	assert.Greater(t, a.MaxScore, 1.0)
	assert.Zero(t, b.Open)
	w.engine.DeliveredGauges(g)

	w.services = []string{"b", "a"}
	w.calm(t, w.services)
	w.engine.DeliveredGauges(w.engine.PendingGauges())
	w.run(1) // the second quiet one
	g = w.engine.PendingGauges()
	assert.Less(t, g.Services[0].MaxScore, 1.0, "the greatest since the last delivery")
	assert.Zero(t, g.Services[0].Rate)
	assert.Equal(t, int64(1), g.Services[0].Open)
}

// What happens while gauges are on their way is in the next ones.
func TestScoreBetweenSendingAndDeliveryIsNotLost(t *testing.T) {
	w := newWorld(newEngine(), "cart")
	w.run(history)
	sent := w.engine.PendingGauges()
	w.run(1, "cart")
	w.engine.DeliveredGauges(sent)
	w.run(1)
	g := w.engine.PendingGauges().Services
	require.Len(t, g, 1)
	assert.Greater(t, g[0].MaxScore, 1.0)
}

// Refused gauges are asked for again: nothing of them is lost.
func TestUndeliveredGaugesKeepTheirGreatestScore(t *testing.T) {
	w := newWorld(newEngine(), "cart")
	w.run(history)
	w.run(1, "cart")
	top := w.engine.PendingGauges().Services[0].MaxScore
	w.run(3)
	g := w.engine.PendingGauges().Services[0]
	assert.InDelta(t, top, g.MaxScore, 0)
	assert.Equal(t, stamp((history+3)*cadence), g.Time)
}

func TestDeliveryOfWhatIsGone(t *testing.T) {
	w := newWorld(newEngine(func(c *Config) { c.MaxSeries = statistics }), "cart")
	w.run(2)
	g := w.engine.PendingGauges()
	w.services = []string{"?"}
	w.run(1)
	require.NotPanics(t, func() { w.engine.DeliveredGauges(g) })
	assert.Len(t, w.engine.PendingGauges().Services, 1)
}

func TestClaim(t *testing.T) {
	e := newEngine()
	release, err := e.Claim("metrics")
	require.NoError(t, err)
	_, err = e.Claim("metrics")
	require.ErrorIs(t, err, errClaimed)
	assert.ErrorContains(t, err, "use one findings receiver")
	_, err = e.Claim("logs")
	require.NoError(t, err, "each signal is claimed by itself")
	release()
	_, err = e.Claim("metrics")
	require.NoError(t, err)
}
