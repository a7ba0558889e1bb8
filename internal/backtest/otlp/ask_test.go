// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/peertest"
	"github.com/auspex-otel/auspex/internal/replay"
)

// askStart is the start of the recording in testdata. Its service pay has a fault from the 20th to the 23rd minute.
var askStart = time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)

// minutesOf returns a copy of the recording in testdata that ends after the given time.
func minutesOf(t *testing.T, until time.Duration) string {
	t.Helper()
	dir, files := t.TempDir(), peertest.TestData(t, "otlp", "recording")
	entries, err := os.ReadDir(files)
	require.NoError(t, err)
	require.Len(t, entries, 3)
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(files, e.Name()))
		require.NoError(t, err)
		var kept []byte
		for line := range bytes.Lines(text) {
			m, err := replay.Decode(line)
			require.NoError(t, err)
			if m.Earliest < askStart.Add(until).UnixNano() {
				kept = append(kept, line...)
			}
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, e.Name()), kept, 0o600))
	}
	return dir
}

func ask(d time.Duration) Ask { return Ask{InjectedAt: askStart.Add(d).Format(askLayout)} }

func TestAsks(t *testing.T) {
	dir := minutesOf(t, 30*time.Minute)
	asks := []Ask{ask(40 * time.Minute), ask(20 * time.Minute), ask(10 * time.Minute), ask(-time.Hour)} // in any order
	assert.Equal(t, []string{
		`{"injected_at":"2026-05-04 00:40:00Z","suspects":[]}`,
		`{"injected_at":"2026-05-04 00:20:00Z","suspects":["pay"]}`,
		`{"injected_at":"2026-05-04 00:10:00Z","suspects":[]}`,
		`{"injected_at":"2026-05-03 23:00:00Z","suspects":[]}`,
	}, predictions(t, dir, asks))
}

// TestAsksDoNotLookAhead verifies that an answer does not depend on data later than three minutes after the ask.
func TestAsksDoNotLookAhead(t *testing.T) {
	asks := []Ask{ask(19 * time.Minute)}
	whole := predictions(t, minutesOf(t, 30*time.Minute), asks)
	assert.Equal(t, predictions(t, minutesOf(t, 22*time.Minute), asks), whole)
	assert.Equal(t, []string{`{"injected_at":"2026-05-04 00:19:00Z","suspects":["pay"]}`}, whole)
}

// TestAsksChangeNothing verifies that asks do not change incidents.
func TestAsksChangeNothing(t *testing.T) {
	dir, out := minutesOf(t, 30*time.Minute), t.TempDir()
	var incidents [2][]byte
	for i, asks := range [][]Ask{nil, {ask(5 * time.Minute), ask(17 * time.Minute), ask(18 * time.Minute)}} {
		_, err := Run(Options{In: []string{dir}, Out: out, Engine: engine.DefaultConfig(), Asks: asks, Predictions: filepath.Join(t.TempDir(), "p.jsonl")})
		require.NoError(t, err)
		incidents[i], err = os.ReadFile(filepath.Join(out, "incidents.jsonl"))
		require.NoError(t, err)
	}
	assert.NotEmpty(t, incidents[0])
	assert.Equal(t, string(incidents[0]), string(incidents[1]))
}

// predictions returns the answers of a backtest of a folder as lines.
func predictions(t *testing.T, dir string, asks []Ask) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "p.jsonl")
	r, err := Run(Options{In: []string{dir}, Out: filepath.Join(t.TempDir(), "out"), Engine: engine.DefaultConfig(), Asks: asks, Predictions: file})
	require.NoError(t, err)
	require.Empty(t, r.Failed)
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

func TestReadAsks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "asks.json")
	for text, want := range map[string]string{
		`{`: "unexpected end",
		`[{"injected_at": "2026-05-04T12:00:00Z"}]`: "cannot parse",
	} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := ReadAsks(file)
		assert.ErrorContains(t, err, want)
	}
	_, err := ReadAsks(file + "x")
	assert.ErrorIs(t, err, os.ErrNotExist)
}
