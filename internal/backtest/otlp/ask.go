// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/engine"
)

// askLayout is the time format of asks and predictions.
const askLayout = "2006-01-02 15:04:05Z"

// askHorizon is the time after an ask in which evidence is considered.
const askHorizon = 3 * time.Minute

// Ask is the start time of a fault, in UTC.
type Ask struct {
	InjectedAt string `json:"injected_at"`
}

// Prediction lists the suspected services of an ask, most suspicious first.
type Prediction struct {
	InjectedAt string   `json:"injected_at"`
	Suspects   []string `json:"suspects"`
}

// maxSuspects bounds the suspects of a prediction.
const maxSuspects = 10

// ReadAsks reads a file of asks, a JSON list.
func ReadAsks(path string) ([]Ask, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []Ask
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, a := range list {
		if _, err := a.time(); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return list, nil
}

func (a Ask) time() (time.Time, error) { return time.Parse(askLayout, a.InjectedAt) }

// asking answers asks in event time.
type asking struct {
	engine  *engine.Engine
	times   []time.Time // of the asks, in the order of the file
	order   []int       // indexes of the unanswered asks, by time
	answers []Prediction
}

func newAsking(e *engine.Engine, asks []Ask) (*asking, error) {
	a := &asking{engine: e, times: make([]time.Time, len(asks)), order: make([]int, len(asks)), answers: make([]Prediction, len(asks))}
	for i, ask := range asks {
		t, err := ask.time()
		if err != nil {
			return nil, err
		}
		a.times[i], a.order[i], a.answers[i] = t, i, Prediction{InjectedAt: ask.InjectedAt, Suspects: []string{}}
	}
	slices.SortStableFunc(a.order, func(i, j int) int { return a.times[i].Compare(a.times[j]) })
	return a, nil
}

// pass answers the asks whose horizon ends before now, in nanoseconds of event time.
func (a *asking) pass(now int64) {
	for len(a.order) > 0 {
		i := a.order[0]
		until := a.times[i].Add(askHorizon)
		if until.UnixNano() >= now {
			return
		}
		a.order = a.order[1:]
		suspects := a.engine.Suspects(a.times[i], until)
		for _, s := range suspects[:min(len(suspects), maxSuspects)] {
			a.answers[i].Suspects = append(a.answers[i].Suspects, s.Service)
		}
	}
}

// writePredictions writes one line per ask, in the order of the asks.
func writePredictions(path string, list []Prediction) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, p := range list {
		if err := e.Encode(p); err != nil {
			return err
		}
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}
