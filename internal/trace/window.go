// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

// Window holds the values of one operation in ten seconds for its derived series. Self includes only spans that do
// not call other services.
type Window struct {
	Operation
	Start          int64
	Count          uint64
	Duration, Self Sketch
}

// EdgeWindow is the time between client and server in ten seconds.
type EdgeWindow struct {
	Caller, Callee Operation
	Start          int64
	Network        Sketch
}

// WindowLength is the length of a window, in nanoseconds of event time.
const WindowLength = slotLength

// maxClosed bounds the closed windows that have not been drained.
const maxClosed = 1 << 14

func (t *Tracker) count(o *operation, p *pending, self int64) {
	start := slotOf(p.start) * slotLength
	w := &o.current
	if w.Count > 0 && start > w.Start {
		t.closeWindow(w)
	}
	if w.Count == 0 {
		w.Start = start
	}
	w.Count++
	w.Duration.add(p.end - p.start)
	if self != notMeasured {
		w.Self.add(self)
	}
}

func (t *Tracker) countEdge(e *edge, at, net int64) {
	start := slotOf(at) * slotLength
	w := &e.current
	if w.Network.n > 0 && start > w.Start {
		t.closeEdge(e)
	}
	if w.Network.n == 0 {
		w.Caller, w.Callee, w.Start = t.operations[e.caller].Operation, t.operations[e.callee].Operation, start
	}
	w.Network.add(net)
}

func (t *Tracker) closeWindow(w *Window) {
	if len(t.windows) < maxClosed {
		t.windows = append(t.windows, *w)
	}
	*w = Window{Operation: w.Operation}
}

func (t *Tracker) closeEdge(e *edge) {
	if len(t.edgeWins) < maxClosed {
		t.edgeWins = append(t.edgeWins, e.current)
	}
	e.current = EdgeWindow{}
}

// closeWindows closes the windows that ended before a time.
func (t *Tracker) closeWindows(before int64) {
	for _, o := range t.operations {
		if o != nil && o.current.Count > 0 && o.current.Start+slotLength <= before {
			t.closeWindow(&o.current)
		}
	}
	for _, e := range t.edgeOrder {
		if e.current.Network.n > 0 && e.current.Start+slotLength <= before {
			t.closeEdge(e)
		}
	}
}

// Drain yields the windows that have ended, each once. The arguments of the callbacks are valid until they return.
func (t *Tracker) Drain(operation func(*Window), edge func(*EdgeWindow)) {
	for i := range t.windows {
		operation(&t.windows[i])
	}
	for i := range t.edgeWins {
		edge(&t.edgeWins[i])
	}
	t.windows, t.edgeWins = t.windows[:0], t.edgeWins[:0]
}
