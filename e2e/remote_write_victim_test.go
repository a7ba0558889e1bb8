// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// victim is a collector that may be killed at any time, also while it starts.
type victim struct {
	t            *testing.T
	otlp, health string
	state, log   string
	args, env    []string
	cmd          *exec.Cmd
	ended        chan struct{}
}

// newVictim prepares a collector with configurations of testdata, the later ones laid over the first.
func newVictim(t *testing.T, remoteWrite string, configs ...string) *victim {
	t.Helper()
	dir, a := t.TempDir(), peertest.FreeAddresses(t, 2)
	v := &victim{t: t, otlp: a[0], health: a[1], state: filepath.Join(dir, "state"), log: filepath.Join(dir, "collector.log")}
	require.NoError(t, os.Mkdir(v.state, 0o700))
	for _, name := range configs {
		v.args = append(v.args, "--config="+filepath.Join("testdata", name))
	}
	v.env = append(os.Environ(), "E2E_OTLP="+v.otlp, "E2E_HEALTH="+v.health, "E2E_STATE="+v.state, "REMOTE_WRITE="+remoteWrite)
	t.Cleanup(v.kill)
	return v
}

// start runs it and does not wait.
func (v *victim) start() {
	v.t.Helper()
	out, err := os.OpenFile(v.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(v.t, err)
	defer out.Close()
	cmd := exec.CommandContext(v.t.Context(), peertest.CollectorProgram(v.t), v.args...)
	cmd.Stdout, cmd.Stderr, cmd.Env = out, out, v.env
	require.NoError(v.t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	v.cmd, v.ended = cmd, ended
}

func (v *victim) waitHealthy() {
	v.t.Helper()
	peertest.Eventually(v.t, 30*time.Second, "the collector to be healthy, "+v.log, func() error {
		res, err := http.Get("http://" + v.health + "/")
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("it answers %s", res.Status)
		}
		return nil
	})
}

// kill ends it with SIGKILL and waits for the end.
func (v *victim) kill() {
	if v.cmd != nil {
		_ = v.cmd.Process.Kill()
		<-v.ended
	}
}

func (v *victim) text() string {
	text, err := os.ReadFile(v.log)
	require.NoError(v.t, err)
	return string(text)
}

// queuePutsBack is what the queue of the collector's core says when it begins to put back what was in flight.
const queuePutsBack = "Fetching items left for dispatch"
