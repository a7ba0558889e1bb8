// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// collectorScript starts the collector as the demo wants it, with a state folder that outlives the demo.
const collectorScript = `#!/bin/sh
export AUSPEX_STATE_DIR='%s' AUSPEX_LOG_FILES='%[1]s/*.log'
exec '%s' "$@"
`

// setup holds the addresses of the demo. The environment changes them for machines on which the default ports are taken.
type setup struct{ demo, collector, page, otlp, modules, out string }

func newSetup(t *testing.T) setup {
	t.Helper()
	bin, err := filepath.Abs("../../bin")
	require.NoError(t, err)
	out, err := filepath.Abs("../out/console")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(out, 0o755))
	modules, err := filepath.Abs("../../extension/consoleextension/web/node_modules")
	require.NoError(t, err)
	s := setup{
		demo:      cmp.Or(os.Getenv("AUSPEX_E2E_DEMO"), filepath.Join(bin, "auspex-demo")),
		collector: cmp.Or(os.Getenv("AUSPEX_E2E_COLLECTOR"), filepath.Join(bin, "otelcol-auspex")),
		page:      cmp.Or(os.Getenv("AUSPEX_E2E_PAGE"), "http://127.0.0.1:8899"),
		otlp:      cmp.Or(os.Getenv("AUSPEX_E2E_OTLP"), "http://127.0.0.1:4318"),
		modules:   modules, out: out,
	}
	for _, file := range []string{s.demo, s.collector, s.modules} {
		if _, err := os.Stat(file); err != nil {
			t.Skipf("%v: run make e2e-console, which builds and installs what it needs", err)
		}
	}
	return s
}

// TestPage drives the page through a fault of the demo, and after a restart of the collector.
func TestPage(t *testing.T) {
	s := newSetup(t)
	state := t.TempDir()
	script := filepath.Join(t.TempDir(), "collector")
	require.NoError(t, os.WriteFile(script, fmt.Appendf(nil, collectorScript, state, s.collector), 0o700))

	demo := exec.Command(s.demo, "-stay", "-collector", script)
	demo.Env = append(os.Environ(), "SEED="+cmp.Or(os.Getenv("AUSPEX_E2E_SEED"), "5"), "FAULT=database")
	answer := start(t, demo, func(line string) bool { return strings.HasPrefix(line, `{"seed":`) })
	var found struct {
		Broken string
		Found  struct{ Incident, Service string }
	}
	require.NoError(t, json.Unmarshal([]byte(answer), &found), answer)
	t.Logf("broken: %s, found: %s", found.Broken, found.Found.Service)
	s.drive(t, "demo", found.Broken, found.Found.Service, found.Found.Incident)
	end(t, demo)

	reports := backtest(t, filepath.Join(filepath.Dir(s.collector), "auspex"))
	collector := exec.Command(script, "--config=auspex:default", "--set=extensions.anomaly_console.backtests.directory="+reports)
	start(t, collector, func(string) bool { return s.answers() })
	s.drive(t, "restart", found.Broken, found.Found.Service, found.Found.Incident)
	end(t, collector)
}

// backtest writes a report of a day of points with two spikes into a folder of its own, and returns the folder above it.
func backtest(t *testing.T, auspex string) string {
	t.Helper()
	in, reports := t.TempDir(), t.TempDir()
	rows := strings.Builder{}
	rows.WriteString("timestamp,value\n")
	at, random := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC), rand.New(rand.NewPCG(1, 2))
	for i := range 24 * 60 {
		v := 100 + 20*math.Sin(float64(i)/230) + 2*random.NormFloat64()
		if i == 700 || i == 1100 {
			v += 60
		}
		fmt.Fprintf(&rows, "%s,%.2f\n", at.Add(time.Duration(i)*time.Minute).Format(time.DateTime), v)
	}
	require.NoError(t, os.WriteFile(filepath.Join(in, "requests.csv"), []byte(rows.String()), 0o600))
	output, err := exec.Command(auspex, "backtest", "csv", "--in", in, "--out", filepath.Join(reports, "history")).CombinedOutput()
	require.NoError(t, err, "%s", output)
	return reports
}

// drive runs one part of drive.mjs.
func (s *setup) drive(t *testing.T, part, broken, suspect, incident string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "drive.mjs", part)
	node.Env = append(os.Environ(), "MODULES="+s.modules, "PAGE="+s.page, "OTLP="+s.otlp, "OUT="+s.out, "BROKEN="+broken, "SUSPECT="+suspect, "INCIDENT="+incident)
	output, err := node.CombinedOutput()
	t.Logf("%s", output)
	require.NoError(t, err, "drive.mjs %s", part)
}

func (s *setup) answers() bool {
	resp, err := http.Get(s.page + "/api/v1/status")
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}

// start starts a program and waits until a line of its output is as wanted.
func start(t *testing.T, cmd *exec.Cmd, wanted func(line string) bool) string {
	t.Helper()
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = cmd.Stdout
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { end(t, cmd) })
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(pipe); scanner.Scan(); {
			select {
			case lines <- scanner.Text():
			default: // no reader waits
			}
		}
	}()
	var said []string
	for deadline := time.After(5 * time.Minute); ; {
		select {
		case line, ok := <-lines:
			said = append(said, line)
			require.True(t, ok, "%s has ended:\n%s", cmd.Path, strings.Join(said, "\n"))
			if wanted(line) {
				return line
			}
		case <-deadline:
			require.Fail(t, "waited for 5 minutes", strings.Join(said, "\n"))
		}
	}
}

// end interrupts a program, which ends what it has started, and waits until it has ended.
func end(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if cmd.ProcessState != nil {
		return // it was ended before
	}
	_ = cmd.Process.Signal(os.Interrupt) // it may have ended by itself
	ended := time.AfterFunc(30*time.Second, func() {
		t.Errorf("%s does not end", cmd.Path)
		_ = cmd.Process.Kill()
	})
	_ = cmd.Wait()
	ended.Stop()
}
