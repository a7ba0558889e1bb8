// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// direct takes the queue out of auspex:logstash-replacement: an acknowledgement means "in Elasticsearch".
const direct = "yaml:exporters::elasticsearch::sending_queue::enabled: false"

// needPeers skips a test where Elasticsearch and the clients may not be installed.
func needPeers(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a real Elasticsearch: make e2e-elastic installs and runs it")
	}
}

// newRun returns this run's random id.
func newRun() string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// number reads a number from the environment.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "%s", name)
	return n
}

// collector is the built one with auspex:logstash-replacement. Unlike that of
// peertest it can be killed while it is still starting.
type collector struct {
	t     *testing.T
	cmd   *exec.Cmd
	args  []string
	env   []string
	logs  []string // a file for each start
	beats string   // where it takes Lumberjack
	state string
	ready string
	ended chan struct{}
}

// newCollector prepares a collector that writes to es; more are configurations that are laid over the shipped one.
func newCollector(t *testing.T, es *peertest.Elasticsearch, more ...string) *collector {
	t.Helper()
	a := peertest.FreeAddresses(t, 4)
	_, metrics, err := net.SplitHostPort(a[3])
	require.NoError(t, err)
	c := &collector{t: t, beats: a[0], ready: "http://" + a[1] + "/", state: t.TempDir(), args: []string{"--config=auspex:logstash-replacement"}}
	for _, m := range more {
		c.args = append(c.args, "--config="+m)
	}
	c.env = append(os.Environ(), "AUSPEX_ELASTICSEARCH="+es.URL, "AUSPEX_BEATS="+a[0], "AUSPEX_HEALTH="+a[1],
		"AUSPEX_CONSOLE="+a[2], "AUSPEX_METRICS="+metrics, "AUSPEX_STATE_DIR="+c.state)
	t.Cleanup(c.kill)
	return c
}

// launch starts the collector and does not wait for it.
func (c *collector) launch() {
	c.t.Helper()
	c.logs = append(c.logs, filepath.Join(c.state, fmt.Sprintf("collector-%d.log", len(c.logs)+1)))
	log, err := os.Create(c.logs[len(c.logs)-1])
	require.NoError(c.t, err)
	defer log.Close()
	c.cmd = exec.Command(peertest.CollectorProgram(c.t), c.args...)
	c.cmd.Env, c.cmd.Stdout, c.cmd.Stderr = c.env, log, log
	require.NoError(c.t, c.cmd.Start())
	ended, cmd := make(chan struct{}), c.cmd
	c.ended = ended
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
}

// start starts the collector and waits until it is healthy.
func (c *collector) start() {
	c.t.Helper()
	c.launch()
	peertest.Eventually(c.t, time.Minute, "the collector to be ready", func() error {
		select {
		case <-c.ended:
			c.t.Fatalf("the collector ended by itself:\n%s", c.log(len(c.logs)-1))
		default:
		}
		res, err := http.Get(c.ready)
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

// kill ends the collector with SIGKILL. It may be called again.
func (c *collector) kill() {
	if c.cmd != nil && c.cmd.Process != nil {
		_ = c.cmd.Process.Kill()
		<-c.ended
	}
}

// log returns what the collector wrote after a start.
func (c *collector) log(start int) string {
	text, err := os.ReadFile(c.logs[start])
	require.NoError(c.t, err)
	return string(text)
}
