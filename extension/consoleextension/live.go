// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// liveEvery is the interval at which the stream looks for changes.
	liveEvery = 2 * time.Second
	// aliveEvery is the interval at which a stream without changes sends a comment, so that both ends notice a lost connection.
	aliveEvery = 15 * time.Second
	// writeWithin is the time that a client may take to receive an event before it is disconnected.
	writeWithin = 10 * time.Second
)

// live is the stream of server-sent events. It keeps the latest state of each topic
// and no queue: a client that is slow, or that comes back with the id of the last
// event that it saw, gets the latest state of the topics that changed since.
type live struct {
	boot    string        // tells the ids of this run from those of others
	max     int           // clients
	within  time.Duration // that a client may take to receive an event
	done    chan struct{}
	mu      sync.Mutex
	clients int
	last    uint64 // number of the latest event
	topics  map[string]event
	changed chan struct{} // closed at the next change
}

// event is the latest state of a topic.
type event struct {
	topic  string
	number uint64
	data   []byte
}

func newLive(boot time.Time, maxClients int) *live {
	return &live{
		boot: strconv.FormatInt(boot.UnixNano(), 36), max: maxClients, within: writeWithin, done: make(chan struct{}),
		topics: map[string]event{}, changed: make(chan struct{}),
	}
}

// publish sets the state of a topic, and wakes the clients if it changed.
func (l *live) publish(topic string, state any) error {
	data, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("the state of %s cannot be written as JSON: %w", topic, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if bytes.Equal(l.topics[topic].data, data) {
		return nil
	}
	l.last++
	l.topics[topic] = event{topic, l.last, data}
	close(l.changed)
	l.changed = make(chan struct{})
	return nil
}

// since returns the topics that changed after an event, in the order of their changes, and a channel that is closed at the next change.
func (l *live) since(number uint64) ([]event, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []event
	for _, e := range l.topics {
		if e.number > number {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b event) int { return int(a.number) - int(b.number) })
	return list, l.changed
}

// watched reports whether there is a client.
func (l *live) watched() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clients > 0
}

// join admits a client, unless there are too many.
func (l *live) join() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.clients >= l.max {
		return false
	}
	l.clients++
	return true
}

func (l *live) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clients--
}

// stop ends all streams.
func (l *live) stop() { close(l.done) }

// seen returns the number of the last event that a client saw, 0 if that was none of this run.
func (l *live) seen(r *http.Request) uint64 {
	boot, text, _ := strings.Cut(r.Header.Get("Last-Event-ID"), "-")
	n, err := strconv.ParseUint(text, 10, 64)
	if boot != l.boot || err != nil {
		return 0
	}
	return n
}

// serve sends events to one client until it goes, or the console stops.
func (l *live) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	control, number := http.NewResponseController(w), l.seen(r)
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	if l.send(w, control, "retry: 2000\n\n") != nil {
		return
	}
	for {
		events, changed := l.since(number)
		for _, e := range events {
			if l.send(w, control, fmt.Sprintf("id: %s-%d\nevent: %s\ndata: %s\n\n", l.boot, e.number, e.topic, e.data)) != nil {
				return
			}
			number = e.number
		}
		select {
		case <-changed:
		case <-alive.C:
			if l.send(w, control, ": alive\n\n") != nil {
				return
			}
		case <-r.Context().Done():
			return
		case <-l.done:
			return
		}
	}
}

// send writes a text while the client receives it in time.
func (l *live) send(w http.ResponseWriter, control *http.ResponseController, text string) error {
	if err := control.SetWriteDeadline(time.Now().Add(l.within)); err != nil {
		return err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return err
	}
	return control.Flush()
}
