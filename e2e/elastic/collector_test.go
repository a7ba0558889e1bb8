// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// direct disables the queue of auspex:logstash-replacement. An acknowledgement then means that the document is in
// Elasticsearch.
const direct = "yaml:exporters::elasticsearch::sending_queue::enabled: false"

// needPeers skips a test unless Elasticsearch and the clients are installed.
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

// number returns an integer from the environment.
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

// collector is the built collector with auspex:logstash-replacement. Unlike that of peertest, it can be killed while
// it starts.
type collector struct {
	t      *testing.T
	args   []string
	env    []string
	starts []*peertest.Process
	beats  string // address of the Lumberjack receiver
	state  string
	ready  string
}

// newCollector prepares a collector that writes to es. The configurations in more override the shipped one.
func newCollector(t *testing.T, es *peertest.Elasticsearch, more ...string) *collector {
	t.Helper()
	a := peertest.FreeAddresses(t, 4)
	_, metrics, err := net.SplitHostPort(a[3])
	require.NoError(t, err)
	c := &collector{t: t, beats: a[0], ready: "http://" + a[1] + "/", state: t.TempDir(), args: []string{"--config=auspex:logstash-replacement"}}
	for _, m := range more {
		c.args = append(c.args, "--config="+m)
	}
	c.env = []string{
		"AUSPEX_ELASTICSEARCH=" + es.URL, "AUSPEX_BEATS=" + a[0], "AUSPEX_HEALTH=" + a[1],
		"AUSPEX_CONSOLE=" + a[2], "AUSPEX_METRICS=" + metrics, "AUSPEX_STATE_DIR=" + c.state,
	}
	return c
}

// launch starts the collector without waiting for it.
func (c *collector) launch() {
	c.t.Helper()
	log := filepath.Join(c.state, fmt.Sprintf("collector-%d.log", len(c.starts)+1))
	c.starts = append(c.starts, peertest.Program{
		Name: "the collector", Path: peertest.CollectorProgram(c.t), Args: c.args, Env: c.env, Log: log,
	}.Start(c.t))
}

// start starts the collector and waits until it is healthy.
func (c *collector) start() {
	c.t.Helper()
	c.launch()
	c.process().WaitReady(c.ready)
}

// process returns the process of the last start.
func (c *collector) process() *peertest.Process { return c.starts[len(c.starts)-1] }

// kill ends the collector with SIGKILL. It may be called repeatedly.
func (c *collector) kill() { c.process().Kill() }
