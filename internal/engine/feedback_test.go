// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/engine/feedback"
	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/topology"
)

// The bounds of internal/engine/feedback.
const maxFeedback, maxAudit, maxFeedbackText = 1000, 1000, 512

// said is a feedback that is good as it is.
func said(kind feedback.Kind, target Target, hours float64) Feedback {
	return Feedback{Kind: kind, Target: target, Who: "ann", Why: "load test", Expires: at(3600 * hours)}
}

func add(t testing.TB, e *Engine, f Feedback) Feedback {
	t.Helper()
	f, err := e.AddFeedback(f)
	require.NoError(t, err)
	return f
}

// now moves the engine's ticks to the time of the world.
func (w *world) now() { w.engine.Tick(at(float64(w.step * cadence))) }

// The fault of newPolicedWorld lifts one series of cart.
func faultyID(t testing.TB) string {
	t.Helper()
	w := newPolicedWorld(t)
	w.run(2, "cart")
	list := w.engine.PendingEvents().Anomalies
	require.Len(t, list, 1)
	return list[0].Series
}

func TestSilenceHoldsWhatItNames(t *testing.T) {
	id := faultyID(t)
	for name, c := range map[string]struct {
		target Target
		held   bool
	}{
		"the series":                  {Target{Series: id}, true},
		"the service":                 {Target{Service: "cart"}, true},
		"both":                        {Target{Service: "cart", Series: id}, true},
		"another series":              {Target{Series: "0123456789abcdef"}, false},
		"another service":             {Target{Service: "mail"}, false},
		"the series in another":       {Target{Service: "mail", Series: id}, false},
		"a template, which it is not": {Target{Service: "cart", Template: "0123456789abcdef"}, false},
		"an operation, likewise":      {Target{Service: "cart", Operation: "GET /"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPolicedWorld(t)
			add(t, w.engine, said(FeedbackSilence, c.target, 24))
			w.run(2, "cart")
			w.calm(t, w.services)
			s := w.engine.Status()
			if c.held {
				assert.Zero(t, s.AnomaliesOpened)
				assert.Equal(t, map[string]uint64{HeldSilenced: 1}, s.Held)
			} else {
				assert.Equal(t, uint64(1), s.AnomaliesOpened)
				assert.Empty(t, s.Held)
			}
		})
	}
}

// A point is silenced by its own time; the list is cleaned by ticks.
func TestSilenceExpires(t *testing.T) {
	w := newPolicedWorld(t)
	end := float64((w.step + 5) * cadence)
	add(t, w.engine, said(FeedbackSilence, Target{Service: "cart"}, end/3600))
	w.run(2, "cart")
	require.Equal(t, map[string]uint64{HeldSilenced: 1}, w.engine.Status().Held)
	w.engine.Look(func(rows view.Rows, _ *topology.Graph) {
		for row := range rows {
			assert.Equal(t, row.Service == "cart", row.Silenced())
		}
	})
	w.run(100)
	w.run(2, "cart")
	assert.Equal(t, uint64(1), w.engine.Status().AnomaliesOpened)

	v := w.engine.Feedback()
	assert.Empty(t, v.Silences)
	require.Len(t, v.Audit, 2)
	assert.Equal(t, []string{"expire", "add"}, []string{v.Audit[0].Action, v.Audit[1].Action})
	assert.Equal(t, "otelcol-auspex", v.Audit[0].Who)
	assert.Equal(t, at(end), v.Audit[0].Time)
}

func TestSilenceClosesWhatIsOpen(t *testing.T) {
	w := newPolicedWorld(t)
	w.run(2, "cart")
	w.engine.DeliveredEvents(w.engine.PendingEvents())
	require.Equal(t, 1, w.engine.Status().OpenAnomalies)
	add(t, w.engine, said(FeedbackSilence, Target{Service: "cart"}, 24))
	assert.Zero(t, w.engine.Status().OpenAnomalies)
	events := w.engine.PendingEvents()
	require.Len(t, events.Anomalies, 1)
	assert.Equal(t, incident.StateClosed, events.Anomalies[0].State)
	require.Len(t, events.Incidents, 1)
	assert.Equal(t, incident.StateClosed, events.Incidents[0].State)
	w.run(20, "cart")
	assert.Equal(t, uint64(1), w.engine.Status().AnomaliesOpened)
}

// What is normal is learned from the next point on, and then guarded again.
func TestNormalStartsLearningOver(t *testing.T) {
	w := newPolicedWorld(t)
	w.run(2, "cart")
	require.Equal(t, 1, w.engine.Status().OpenAnomalies)
	warm := w.engine.Status().Warming
	f := add(t, w.engine, said(FeedbackNormal, Target{Service: "cart"}, 1000))
	assert.Zero(t, w.engine.Status().OpenAnomalies)
	assert.Equal(t, warm+1, w.engine.Status().Warming, "what was not anomalous keeps what it knows")
	_, err := w.engine.RemoveFeedback(f.ID, "ann")
	require.NoError(t, err)

	w.run(600, "cart")
	assert.Equal(t, warm, w.engine.Status().Warming)
	assert.Equal(t, uint64(1), w.engine.Status().AnomaliesOpened, "the new level is the normal one")
	w.run(2)
	assert.Equal(t, uint64(2), w.engine.Status().AnomaliesOpened, "and the old one is not")
}

func TestFeedbackOutlivesARestart(t *testing.T) {
	w := newPolicedWorld(t)
	w.now()
	f := add(t, w.engine, said(FeedbackSilence, Target{Service: "cart"}, 24))
	g := add(t, w.engine, said(FeedbackSilence, Target{Service: "mail"}, 24))
	_, err := w.engine.RemoveFeedback(g.ID, "bob")
	require.NoError(t, err)
	want := w.engine.Feedback()
	store := newMemory()
	w.engine.disk.client = store
	require.NoError(t, w.engine.Snapshot(t.Context(), start))
	again, _ := restored(t, store, float64(w.step*cadence))
	assert.Equal(t, want, again.Feedback())
	assert.Equal(t, []Feedback{f}, again.Feedback().Silences)
	w.engine = again
	w.run(2, "cart")
	assert.Equal(t, map[string]uint64{HeldSilenced: 1}, again.Status().Held)
}

func TestWrongFeedback(t *testing.T) {
	good := said(FeedbackSilence, Target{Service: "cart"}, 1)
	for name, change := range map[string]func(*Feedback){
		"kind is":             func(f *Feedback) { f.Kind = "x" },
		"the target is empty": func(f *Feedback) { f.Target = Target{} },
		"identities":          func(f *Feedback) { f.Series = "cart" },
		"16 hexadecimal":      func(f *Feedback) { f.Template = "XYZ" },
		"who and why":         func(f *Feedback) { f.Who = " " },
		"why must not be":     func(f *Feedback) { f.Why = "" },
		"too long":            func(f *Feedback) { f.Operation = strings.Repeat("x", maxFeedbackText+1) },
		"be in the future":    func(f *Feedback) { f.Expires = start },
		"expires is 0001-01-": func(f *Feedback) { f.Expires = time.Time{} },
	} {
		t.Run(name, func(t *testing.T) {
			e, f := newEngine(func(c *Config) { c.FalseAlarms.MaxAlpha = 1e-5 }), good
			change(&f)
			_, err := e.AddFeedback(f)
			require.ErrorContains(t, err, name)
			assert.Empty(t, e.Feedback().Audit)
		})
	}
	e := newEngine(func(c *Config) { c.FalseAlarms.MaxAlpha = 1e-5 })
	_, err := e.RemoveFeedback("0123456789abcdef", "ann")
	require.ErrorIs(t, err, ErrNoFeedback)
	_, err = e.RemoveFeedback("0123456789abcdef", "")
	require.ErrorContains(t, err, "who must not be empty")
}

func TestFeedbackIsBounded(t *testing.T) {
	e := newEngine(func(c *Config) { c.FalseAlarms.MaxAlpha = 1e-5 })
	for i := range maxFeedback {
		add(t, e, said(FeedbackSilence, Target{Service: strconv.Itoa(i)}, 1))
	}
	_, err := e.AddFeedback(said(FeedbackSilence, Target{Service: "more"}, 1))
	require.ErrorContains(t, err, "which is the maximum")
	first := add(t, e, said(FeedbackSilence, Target{Service: "0"}, 1))
	assert.Equal(t, e.Feedback().Silences[0], first, "the same sent twice is one")
	for i := range 5 {
		_, err := e.RemoveFeedback(e.Feedback().Silences[0].ID, fmt.Sprint("bob", i))
		require.NoError(t, err)
	}
	v := e.Feedback()
	assert.Len(t, v.Silences, maxFeedback-5)
	require.Len(t, v.Audit, maxAudit)
	assert.Equal(t, "bob4", v.Audit[0].Who)
	assert.NoError(t, e.Snapshot(context.Background(), start))
}
