// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
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

// What the queue of the collector's core says when it starts.
var queueLoaded = regexp.MustCompile(`Loaded queue metadata\t.*"writeIndex": (\d+).*"dispatchedItems": (\d+)`)

const (
	queuePutsBack = "Fetching items left for dispatch"
	queueGone     = "Failed retrieving item\t"
)

// queueStart is one start of a queue on disk.
type queueStart struct {
	written, dispatched, gone int
	line                      string
}

// lostByCore tells how many requests the core lost while it put those that were
// in flight back into its queue. It first deletes them and then writes them at the
// end: a kill in between leaves them nowhere. The next start shows it beyond
// doubt: it does not find them, and the end of the queue has not moved.
func lostByCore(log string) (requests int, proof []string) {
	var starts []queueStart
	for line := range strings.SplitSeq(log, "\n") {
		if m := queueLoaded.FindStringSubmatch(line); m != nil {
			written, _ := strconv.Atoi(m[1])
			dispatched, _ := strconv.Atoi(m[2])
			starts = append(starts, queueStart{written: written, dispatched: dispatched, line: line})
		} else if strings.Contains(line, queueGone) && len(starts) > 0 {
			starts[len(starts)-1].gone++
		}
	}
	for i := 1; i < len(starts); i++ {
		before, now := starts[i-1], starts[i]
		if lost := min(now.gone, before.dispatched-(now.written-before.written)); lost > 0 {
			requests += lost
			proof = append(proof, before.line, now.line)
		}
	}
	return requests, proof
}

func TestLossOfTheCoreIsTold(t *testing.T) {
	start := func(written, dispatched int) string {
		return fmt.Sprintf("2026-11-22T10:00:00Z\tinfo\tqueue\tLoaded queue metadata\t{\"readIndex\": 7, \"writeIndex\": %d, \"itemsSize\": 0, \"bytesSize\": 0, \"dispatchedItems\": %d}\n", written, dispatched)
	}
	gone := "2026-11-22T10:00:00Z\twarn\tqueue\tFailed retrieving item\t{\"key\": \"6\"}\n"
	for name, test := range map[string]struct {
		log  string
		want int
	}{
		"nothing in flight":           {start(9, 0) + start(20, 1), 0},
		"killed before the deletion":  {start(9, 1) + start(9, 1) + start(10, 0), 0},
		"killed after the deletion":   {start(9, 1) + start(9, 1) + gone + start(9, 0), 1},
		"killed once it is written":   {start(9, 1) + start(10, 1) + gone + start(30, 1), 0},
		"killed between two of three": {start(9, 3) + start(11, 3) + gone + gone + gone, 1},
	} {
		got, proof := lostByCore(test.log)
		if got != test.want || len(proof) != 2*test.want {
			t.Errorf("%s: %d requests lost, want %d: %v", name, got, test.want, proof)
		}
	}
}
