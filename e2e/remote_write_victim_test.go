// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// victim is a collector that may be killed at any time, including during its start.
type victim struct {
	t            *testing.T
	otlp, health string
	state        string
	program      peertest.Program
	process      *peertest.Process // of the last start
}

// newVictim prepares a collector with configurations from testdata. Later ones override earlier ones.
func newVictim(t *testing.T, remoteWrite string, configs ...string) *victim {
	t.Helper()
	dir, a := t.TempDir(), peertest.FreeAddresses(t, 2)
	v := &victim{t: t, otlp: a[0], health: a[1], state: filepath.Join(dir, "state")}
	require.NoError(t, os.Mkdir(v.state, 0o700))
	v.program = peertest.Program{
		Name: "the collector", Path: peertest.CollectorProgram(t), Log: filepath.Join(dir, "collector.log"),
		Env: []string{"E2E_OTLP=" + v.otlp, "E2E_HEALTH=" + v.health, "E2E_STATE=" + v.state, "REMOTE_WRITE=" + remoteWrite},
	}
	for _, name := range configs {
		v.program.Args = append(v.program.Args, "--config="+filepath.Join("testdata", name))
	}
	return v
}

// start launches the collector without waiting for it.
func (v *victim) start() {
	v.t.Helper()
	v.process = v.program.Start(v.t)
}

func (v *victim) waitHealthy() {
	v.t.Helper()
	v.process.WaitReady("http://" + v.health + "/")
}

// kill sends SIGKILL and waits until the process has exited.
func (v *victim) kill() { v.process.Kill() }

func (v *victim) text() string { return v.process.Log() }

// queuePutsBack is the log message of the core's queue when it starts to re-enqueue the requests that were in flight.
const queuePutsBack = "Fetching items left for dispatch"
