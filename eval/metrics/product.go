// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/backtest/csv"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/incident"
)

// watcher is the part of the engine that the report uses.
type watcher interface {
	Tick(now time.Time)
	ObserveMetrics(md pmetric.Metrics, out engine.Output) []engine.Verdict
	PendingEvents() engine.Events
	DeliveredEvents(ev engine.Events)
	Status() engine.Status
	Load(ctx context.Context, client storage.Client, now time.Time) error
	Snapshot(ctx context.Context, now time.Time) error
}

// product is the subject of the report: an engine, and the backtest of a folder of CSV files, which writes the same
// files with verdicts to another folder.
type product struct {
	engine   func(engine.Config) watcher
	backtest func(in, out string) error
}

var shipped = product{engine: newEngine, backtest: backtestCSV}

func newEngine(cfg engine.Config) watcher { return engine.New(cfg, zap.NewNop()) }

// backtestCSV returns an error if any file fails, because figures on the others would be misleading.
func backtestCSV(in, out string) error {
	r, err := csv.Run(csv.Options{In: in, Out: out, Engine: engine.DefaultConfig()})
	if err != nil {
		return err
	}
	return errors.Join(r.Failed...)
}

// Outputs that the report requests.
var (
	everything = engine.Output{Select: engine.SelectAll}
	nothing    = engine.Output{Select: engine.SelectNone}
	byDefault  = engine.Output{Select: engine.SelectAnomalous, MaxSeries: 1000}
)

// observer counts each anomaly of one engine once.
type observer struct {
	watcher
	seen map[string]bool
}

func watch(w watcher) *observer { return &observer{watcher: w, seen: map[string]bool{}} }

// step advances event time by one step. It returns the anomalies that opened in it, which are valid until the next
// step.
func (o *observer) step(now time.Time, batches []pmetric.Metrics) []*incident.Anomaly {
	o.Tick(now)
	for _, md := range batches {
		o.ObserveMetrics(md, nothing)
	}
	return o.opened()
}

// opened reads the engine's findings and returns the new anomalies.
func (o *observer) opened() []*incident.Anomaly {
	ev := o.PendingEvents()
	var fresh []*incident.Anomaly
	for _, a := range ev.Anomalies {
		if !o.seen[a.ID] {
			o.seen[a.ID] = true
			fresh = append(fresh, a)
		}
	}
	o.DeliveredEvents(ev)
	return fresh
}
