// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// TestGuide runs the commands of docs/guide/backtest.md that use the shared test data.
func TestGuide(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(peertest.Root(t), "docs", "guide", "backtest.md"))
	require.NoError(t, err)
	judged, outputs := t.TempDir(), map[string]string{}
	for line := range strings.Lines(string(text)) {
		command, ok := strings.CutPrefix(line, "auspex ")
		if !ok || !strings.Contains(command, "testdata/") {
			continue
		}
		args := strings.Fields(command)
		for i, arg := range args {
			if below, ok := strings.CutPrefix(arg, "testdata/"); ok {
				args[i] = peertest.TestData(t, below)
			}
			if below, ok := strings.CutPrefix(arg, "judged/"); ok {
				args[i] = filepath.Join(judged, below)
			}
		}
		code, out, errs := auspex(args...)
		require.Equal(t, exitOK, code, "%s%s", command, errs)
		outputs[args[1]] = out
	}
	assert.Contains(t, outputs, "otlp")
	assert.Regexp(t, `checkout_latency\.csv +1 +1 +1\.000`, outputs["csv"], "the fault is found")
	suspects, err := os.ReadFile(filepath.Join(judged, "suspects.jsonl"))
	require.NoError(t, err)
	before, at, _ := strings.Cut(string(suspects), "\n")
	assert.JSONEq(t, `{"injected_at":"2026-05-04 00:10:00Z","suspects":[]}`, before)
	assert.JSONEq(t, `{"injected_at":"2026-05-04 00:20:00Z","suspects":["pay"]}`, at)
}

// TestTemplatesOfTheSharedLog verifies that the lines in testdata produce their templates.
func TestTemplatesOfTheSharedLog(t *testing.T) {
	code, out, errs := auspex("templates", peertest.TestData(t, "logs", "shop.log"))
	require.Equal(t, exitOK, code, errs)
	assert.Contains(t, out, "400 lines, 5 templates")
}
