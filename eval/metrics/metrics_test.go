// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/memstorage"
)

// small returns flags for a short report without evaluation data.
func small(t *testing.T, more ...string) []string {
	t.Helper()
	return append([]string{"-quick", "-eval", t.TempDir()}, more...)
}

func TestQuickReport(t *testing.T) {
	var first, again, errs bytes.Buffer
	args := small(t)
	code := run(args, shipped, &first, &errs)
	assert.Contains(t, []int{0, 1}, code, errs.String())
	run(args, shipped, &again, io.Discard)
	assert.Equal(t, first.String(), again.String(), "two runs print the same report")

	nab := filepath.Join(args[len(args)-1], "nab")
	assert.Contains(t, first.String(), "NAB: "+nab+" does not exist: skipped.\n")
	assert.Contains(t, first.String(), "NAB         skipped: "+nab+" does not exist\n")
	for line := range strings.Lines(first.String()) { // independent of the quality of the product
		if strings.Contains(line, "counts, not scaled") {
			continue // a list without a verdict
		}
		if strings.HasPrefix(line, "generated ") || strings.HasPrefix(line, "fleet ") {
			assert.True(t, strings.HasSuffix(line, "ok\n"), line)
		}
	}
	for _, want := range []string{"False alarms, realized", "40 series, ρ = 0.9", "Clock change", "sustained rise of 8 σ", "New series at once", "targets missed: "} {
		assert.Contains(t, first.String(), want)
	}
	assert.NotContains(t, first.String(), "ns/point")
	assert.NotContains(t, first.String(), "could not be measured")
}

func TestCostSection(t *testing.T) {
	var out, errs bytes.Buffer
	run(small(t, "-cost", "-section", "cost"), shipped, &out, &errs)
	for _, want := range []string{"2000 series on one core, 151 points each before", "shuffled", "strewn", "ns/point", "allocations/point", "bytes/series"} {
		assert.Contains(t, out.String(), want)
	}
	assert.NotContains(t, out.String(), "could not be measured", errs.String())
}

// mute is an engine that reports nothing.
type mute struct{}

func (mute) Tick(time.Time)                                                 {}
func (mute) ObserveMetrics(pmetric.Metrics, engine.Output) []engine.Verdict { return nil }
func (mute) PendingEvents() engine.Events                                   { return engine.Events{} }
func (mute) DeliveredEvents(engine.Events)                                  {}
func (mute) Status() engine.Status                                          { return engine.Status{} }
func (mute) Load(context.Context, storage.Client, time.Time) error          { return nil }
func (mute) Snapshot(context.Context, time.Time) error                      { return nil }

func muteEngine(engine.Config) watcher { return mute{} }

// TestMuteEngineMisses verifies that the report can fail: an engine that reports nothing raises no false alarms and
// has nothing to resume.
func TestMuteEngineMisses(t *testing.T) {
	var out bytes.Buffer
	code := run(small(t, "-section", "invariance,alarms"), product{muteEngine, shipped.backtest}, &out, io.Discard)
	assert.Equal(t, 1, code)
	for _, f := range families {
		assert.Regexp(t, `(?m)^`+regexp.QuoteMeta(f.name)+` .* 0\.00 .*  MISSED$`, out.String())
	}
	assert.Regexp(t, `(?m)^fleet .* resumed .*  MISSED$`, out.String())
}

// forgetful is an engine that does not restore its snapshot.
type forgetful struct{ watcher }

func (f forgetful) Load(_ context.Context, _ storage.Client, now time.Time) error {
	return f.watcher.Load(context.Background(), memstorage.Client{}, now)
}

// counting is an engine whose verdicts depend on the number of batches, which it does not save.
type counting struct {
	watcher
	n int
}

func (c *counting) ObserveMetrics(md pmetric.Metrics, out engine.Output) []engine.Verdict {
	c.n++
	verdicts := c.watcher.ObserveMetrics(md, out)
	for i := range verdicts {
		verdicts[i].Score += float64(c.n % 5)
	}
	return verdicts
}

func TestForgetfulEngineMisses(t *testing.T) {
	for name, fresh := range map[string]func(engine.Config) watcher{
		"restores nothing":     func(c engine.Config) watcher { return forgetful{newEngine(c)} },
		"does not save a part": func(c engine.Config) watcher { return &counting{watcher: newEngine(c)} },
	} {
		r := &report{product: product{engine: fresh}, out: io.Discard, progress: io.Discard, options: options{quick: true}}
		require.NoError(t, r.resumeFleet())
		assert.Equal(t, 1, r.missed, name)
	}
}

func TestCountDiffering(t *testing.T) {
	is := slices.Repeat([]engine.Verdict{{Metric: 1, Score: 2, Opening: 2, Observed: 3, Expected: 4, Lower: 3.5, Upper: 4.5}}, 3)
	other := slices.Clone(is)
	assert.Zero(t, countDiffering(is, other))
	assert.Equal(t, 1, countDiffering(is, other[:2]), "a missing one")
	other[1].Opening = 0
	assert.Equal(t, 1, countDiffering(is, other))
}

// talkative is an engine that reports anomalies that it does not count.
type talkative struct{ watcher }

func (talkative) Status() engine.Status { return engine.Status{} }

func TestMiscountIsAnError(t *testing.T) {
	var out, errs bytes.Buffer
	p := product{engine: func(c engine.Config) watcher { return talkative{newEngine(c)} }}
	assert.Equal(t, 1, run(small(t, "-section", "alarms"), p, &out, &errs))
	assert.Contains(t, errs.String(), "anomalies more than it reported")
}

func TestWrongUse(t *testing.T) {
	for _, args := range [][]string{{"more"}, {"-nosuch"}, {"-seeds", "0"}, {"-series", "7"}, {"-days", "7"}, {"-section", "nab,other"}, {"-section", "cost"}} {
		var errs bytes.Buffer
		assert.Equal(t, 2, run(args, shipped, io.Discard, &errs), args)
		assert.NotEmpty(t, errs.String(), args)
	}
}
