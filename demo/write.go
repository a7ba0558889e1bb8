// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/auspex-otel/auspex/demo/shop"
	"github.com/auspex-otel/auspex/demo/telemetry"
)

// faultFor is the duration of the fault in the output files.
const faultFor = 3 * time.Minute

// written is the truth that is written with the telemetry.
type written struct {
	Seed  uint64    `json:"seed"`
	Fault shop.Kind `json:"fault"`
	// Culprits are the correct answers, best first. Empty without a fault.
	Culprits []string `json:"culprits"`
	What     string   `json:"what"`
	// Start and End bound the output. From is the start of the fault.
	Start time.Time  `json:"start"`
	From  *time.Time `json:"from,omitempty"`
	End   time.Time  `json:"end"`
}

// write writes the telemetry to files. Event time starts on a fixed day, at an hour that depends on the seed, so that
// the same seed writes the same bytes.
func (d *demo) write(ctx context.Context) (err error) {
	if d.sink, err = telemetry.Files(filepath.Join(d.set.write, "otlp")); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.sink.Close()) }()
	start := time.Date(2026, 5, 4, int(d.set.seed%24), 0, 0, 0, time.UTC)
	d.build(start)
	o, end := outcome{kind: shop.None, what: "nothing is broken"}, start.Add(d.set.before)
	for broken := false; ; {
		if !d.end.Before(end) {
			if broken || d.set.kind == shop.None {
				break
			}
			broken, o, end = true, d.breakOne(), end.Add(faultFor)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		d.record.Add(d.next())
		if err := d.sink.Send(ctx, d.fleet.Take()); err != nil {
			return err
		}
	}
	w := written{Seed: d.set.seed, Fault: o.kind, Culprits: o.culprits, What: o.what, Start: start, End: d.end}
	if len(o.culprits) > 0 {
		w.From = &o.from
	}
	text, err := json.MarshalIndent(w, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(d.set.write, "truth.json"), append(text, '\n'), 0o600)
}
