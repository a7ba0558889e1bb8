// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/auspex-otel/auspex/internal/backtest/otlp"
	"github.com/auspex-otel/auspex/internal/engine"
)

// predict runs the product on folders and returns its answers for a list of times.
type predict func(in []string, out string, times []string) (answer, error)

// answer holds the predictions for the given times, and the findings without a given time.
type answer struct {
	predictions []prediction
	findings
}

// shipped runs the backtest like `auspex backtest otlp --ask` with a file of times.
func shipped(in []string, out string, times []string) (a answer, err error) {
	type ask struct {
		InjectedAt string `json:"injected_at"`
	}
	list := make([]ask, len(times))
	for i, t := range times {
		list[i].InjectedAt = t
	}
	b, err := json.Marshal(list)
	if err != nil {
		return a, err
	}
	if err := os.MkdirAll(out, 0o750); err != nil {
		return a, err
	}
	file := filepath.Join(out, "asks.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		return a, err
	}
	asks, err := otlp.ReadAsks(file)
	if err != nil {
		return a, err
	}
	predictions := filepath.Join(out, "predictions.jsonl")
	r, err := otlp.Run(otlp.Options{In: in, Out: filepath.Join(out, "judged"), Engine: engine.DefaultConfig(), Asks: asks, Predictions: predictions})
	if err != nil {
		return a, err
	}
	if err := errors.Join(r.Failed...); err != nil {
		return a, err
	}
	for _, x := range r.Anomalies {
		a.anomalies = append(a.anomalies, anomaly{x.Incident, x.Service, x.Opened})
	}
	for _, x := range r.Incidents {
		a.incidents = append(a.incidents, x.Opened)
	}
	a.open = r.Open
	a.predictions, err = readPredictions(predictions)
	return a, err
}
