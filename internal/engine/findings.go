// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import "github.com/auspex-otel/auspex/internal/engine/outlet"

// Claim reserves the findings of one signal for one receiver, until release is
// called. It returns an error if another receiver has them.
func (e *Engine) Claim(signal string) (release func(), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.claimed[signal] {
		return nil, errClaimed
	}
	e.claimed[signal] = true
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.claimed, signal)
	}, nil
}

// Outlet returns the gate that every delivery of findings passes.
func (e *Engine) Outlet() *outlet.Gate { return &e.outlet }

// PendingEvents returns the events that wait, in the order of their ids. They wait until DeliveredEvents.
func (e *Engine) PendingEvents() Events {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.judge.PendingEvents()
}

// DeliveredEvents forgets the events that were delivered, except those that have changed since.
func (e *Engine) DeliveredEvents(ev Events) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.judge.DeliveredEvents(ev)
}

// PendingGauges returns the gauges of every service that saw data since the last
// delivery, in the order of their names, and the companions of series that have no batch.
func (e *Engine) PendingGauges() Gauges {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.judge.PendingGauges()
}

// DeliveredGauges marks gauges as delivered.
func (e *Engine) DeliveredGauges(g Gauges) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.judge.DeliveredGauges(g)
}

// AddFeedback takes the feedback of a user, closes the open anomalies of its target,
// and returns it with its id and time.
func (e *Engine) AddFeedback(f Feedback) (Feedback, error) {
	e.selfTick()
	defer e.lockAll()()
	return e.judge.AddFeedback(f)
}

// RemoveFeedback ends a feedback.
func (e *Engine) RemoveFeedback(id, who string) (Feedback, error) {
	e.selfTick()
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.judge.RemoveFeedback(id, who)
}

// Feedback returns the feedback in force and the log of its changes.
func (e *Engine) Feedback() FeedbackView {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.judge.Feedback()
}
