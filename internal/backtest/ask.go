// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/causes"
	"github.com/auspex-otel/auspex/internal/template"
)

// askLayout is how asks and predictions write a time.
const askLayout = "2006-01-02 15:04:05Z"

// askHorizon is until when after a time what happened is considered.
const askHorizon = 3 * time.Minute

// disorder is how far back in time a file may go from one batch to the next.
const disorder = 2 * time.Minute

// Ask is a time at which something began, as the file of asks writes it.
type Ask struct {
	InjectedAt string `json:"injected_at"`
}

// Prediction is who is suspected of it, the most suspicious first.
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

// asking answers asks while records pass in event time.
type asking struct {
	accumulator *causes.Accumulator
	miner       *template.Miner
	records     items
	asks        []Ask
	order       []int // of asks, by time
	times       []int64
	answers     []Prediction
	advanced    int64
}

// suspects runs all files through an accumulator of evidence and answers the asks,
// each with what happened until three minutes after it.
func suspects(in []string, asks []Ask, progress *Progress) (answers []Prediction, failed []error, err error) {
	cursors, total, err := listOTLP(in)
	if err != nil {
		return nil, nil, err
	}
	a := &asking{
		accumulator: causes.New(causes.DefaultConfig()), miner: template.New(template.DefaultConfig()),
		asks: asks, answers: make([]Prediction, len(asks)), times: make([]int64, len(asks)), advanced: math.MinInt64,
	}
	for i, ask := range asks {
		t, err := ask.time()
		if err != nil {
			return nil, nil, err
		}
		a.times[i] = t.UnixNano()
		a.order = append(a.order, i)
	}
	slices.SortStableFunc(a.order, func(i, j int) int { return cmp.Compare(a.times[i], a.times[j]) })
	progress.start(total)
	failed, err = merge(cursors, progress, func(c *cursor) error {
		a.records.until(c.time-int64(disorder), a.take)
		a.records.add(c.message)
		return nil
	})
	progress.end()
	a.records.until(math.MaxInt64, a.take)
	a.answer(math.MaxInt64)
	return a.answers, failed, err
}

// take has the next record observed, after what is asked about until then was answered.
func (a *asking) take(r *item) {
	a.answer(r.time)
	if r.time >= a.advanced+int64(time.Second) {
		a.advanced = r.time
		a.accumulator.Advance(r.time)
	}
	observe(a.accumulator, a.miner, r)
}

// answer answers what can be answered before a time.
func (a *asking) answer(now int64) {
	for len(a.order) > 0 {
		i := a.order[0]
		until := a.times[i] + int64(askHorizon)
		if until >= now {
			return
		}
		a.order = a.order[1:]
		p := Prediction{InjectedAt: a.asks[i].InjectedAt, Suspects: []string{}}
		for _, s := range a.accumulator.Suspects(a.times[i], until) {
			if p.Suspects = append(p.Suspects, s.Service); len(p.Suspects) == maxSuspects {
				break
			}
		}
		a.answers[i] = p
	}
}

// writePredictions writes a line for each ask, in the order of the asks.
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
