// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package receivers holds the receivers of the built collector against the real clients
// of each: what a client has sent and was told is compared with what a real backend has.
package receivers

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// clientTime is how long a client writes before its row is made.
const clientTime = 12 * time.Second

// stopBackend has the backend stopped: then every row must fail.
func stopBackend() bool { return os.Getenv("AUSPEX_E2E_STOP_PROMETHEUS") == "1" }

// receiverRow compares what a client sent with what is found.
type receiverRow struct {
	receiver, client                                                   string
	sent, acknowledged, found, missing, strange, duplicates, histogram int
	note                                                               string
}

// ok tells whether the receiver did what it promises: all was acknowledged, and what was is there.
func (r receiverRow) ok() bool {
	return r.sent > 0 && r.acknowledged == r.sent && r.found >= r.acknowledged && r.missing == 0 && r.strange == 0 && r.duplicates == 0
}

// receiverConfig is a configuration of testdata.
func receiverConfig(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return string(text)
}

// prometheusReceiver is a collector between remote-write clients and a Prometheus.
type prometheusReceiver struct {
	*peertest.Collector
	backend *backend
	tap     *wiretap
}

func startPrometheusReceiver(t *testing.T) *prometheusReceiver {
	t.Helper()
	b := startBackend(t)
	receiver := peertest.FreeAddresses(t, 1)[0]
	c := peertest.StartCollector(t, peertest.CollectorOptions{
		Config: receiverConfig(t, "prometheus.yaml"), Env: []string{"RECEIVER=" + receiver, "REMOTE_WRITE=" + b.front.URL + "/api/v1/write"},
	})
	return &prometheusReceiver{c, b, startWiretap(t, receiver)}
}

// row compares, once what was acknowledged is there.
func (d *prometheusReceiver) row(t *testing.T, client string) receiverRow {
	t.Helper()
	d.tap.mu.Lock()
	sent := maps.Clone(d.tap.sent[client])
	r := receiverRow{receiver: "remote write", client: client, sent: len(sent), note: fmt.Sprintf("answers %v, %d exemplars", d.tap.statuses[client], d.tap.exemplars[client])}
	said := d.tap.said[client]
	d.tap.mu.Unlock()
	var found map[sampleID]float64
	if !stopBackend() {
		var err error
		found, err = d.backend.found(fmt.Sprintf("{client=%q}", client))
		require.NoError(t, err)
	}
	var examples []string
	for id, s := range sent {
		if s.acknowledged {
			r.acknowledged++
		}
		if s.histogram {
			r.histogram++
		}
		v, ok := found[id]
		switch {
		case ok && same(v, s.value):
			r.found++
		case s.acknowledged:
			r.missing++
			examples = append(examples, fmt.Sprintf("%v %v, found %v %v", id, s.value, ok, v))
		}
	}
	for id := range found {
		if _, ok := sent[id]; !ok {
			r.strange++
			examples = append(examples, fmt.Sprintf("never sent: %v", id))
		}
	}
	slices.Sort(examples)
	for _, e := range examples[:min(len(examples), 10)] {
		t.Log(e)
	}
	for text, n := range said {
		t.Logf("%s was told %d times: %s", client, n, text)
	}
	return r
}

// counters are those of the receiver that are not 0 and tell of trouble.
func (d *prometheusReceiver) counters(t *testing.T) string {
	t.Helper()
	res, err := http.Get("http://" + d.Metrics + "/metrics")
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		for _, name := range []string{"requests", "unsorted_series", "fragments", "dropped_exemplars", "refused_points", "errors"} {
			if rest, ok := strings.CutPrefix(line, "otelcol_receiver_prometheus_remote_write_"+name); ok {
				fields := strings.Fields(rest)
				fmt.Fprintf(&b, ", %s %s", name, fields[len(fields)-1])
			}
		}
	}
	return b.String()
}

// remoteWriters are the clients of remote write.
var remoteWriters = []struct {
	name  string
	start func(t *testing.T, o peertest.AgentOptions) *peertest.Agent
	v2    bool
	// native tells whether it sends native histograms.
	native bool
}{
	{"Prometheus agent 1.0", func(t *testing.T, o peertest.AgentOptions) *peertest.Agent {
		t.Helper()
		o.Message = "prometheus.WriteRequest"
		return peertest.StartPrometheusAgent(t, o)
	}, false, true},
	{"Prometheus agent 2.0", func(t *testing.T, o peertest.AgentOptions) *peertest.Agent {
		t.Helper()
		o.Message = "io.prometheus.write.v2.Request"
		return peertest.StartPrometheusAgent(t, o)
	}, true, true},
	{"vmagent", func(t *testing.T, o peertest.AgentOptions) *peertest.Agent {
		t.Helper()
		return peertest.StartVMAgent(t, o)
	}, false, false},
}

// TestRemoteWriteClients has real clients write through the built collector into
// a real Prometheus. What each sent is what it sent on the wire, read with
// Prometheus's own code; what it was told is the status it got.
func TestRemoteWriteClients(t *testing.T) {
	var rows []receiverRow
	for _, c := range remoteWriters {
		if testing.Short() && !c.v2 {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			d := startPrometheusReceiver(t)
			if stopBackend() {
				d.backend.server.Stop()
			}
			agent := c.start(t, peertest.AgentOptions{WriteURL: d.tap.URL + "/" + strings.ReplaceAll(c.name, " ", "%20"), Label: c.name})
			time.Sleep(clientTime)
			agent.Stop() // It writes what it has before it ends.
			r := d.row(t, c.name)
			r.note += d.counters(t)
			rows = append(rows, r)
			assert.True(t, r.ok(), "%+v", r)
			assert.Equal(t, c.native, r.histogram > 0, "native histograms")
			for _, line := range agent.Complaints() {
				t.Logf("%s says: %s", c.name, line)
			}
		})
	}
	showClients(t, rows)
}

// A row whose backend is stopped fails: the rows can fail.
func TestRowFailsWithoutBackend(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 13 seconds")
	}
	d := startPrometheusReceiver(t)
	d.backend.server.Stop()
	agent := peertest.StartPrometheusAgent(t, peertest.AgentOptions{WriteURL: d.tap.URL + "/lonely", Label: "lonely"})
	time.Sleep(clientTime)
	agent.Kill()
	d.backend.start()
	r := d.row(t, "lonely")
	assert.False(t, r.ok())
	assert.Positive(t, r.sent)
	assert.Zero(t, r.acknowledged, "no sample is acknowledged")
}
