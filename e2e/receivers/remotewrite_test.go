// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package receivers tests the receivers of the built collector with real clients. It compares what each client sent,
// and the responses that it received, with the content of a real backend.
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

// clientTime is the time that a client writes before its results are evaluated.
const clientTime = 12 * time.Second

// stopBackend reports whether the test must stop the backend. Every row must then fail.
func stopBackend() bool { return os.Getenv("AUSPEX_E2E_STOP_PROMETHEUS") == "1" }

// receiverRow compares the sent samples of a client with those found.
type receiverRow struct {
	receiver, client                                                   string
	sent, acknowledged, found, missing, strange, duplicates, histogram int
	note                                                               string
}

// ok reports whether all samples were acknowledged, and all acknowledged ones were found.
func (r receiverRow) ok() bool {
	return r.sent > 0 && r.acknowledged == r.sent && r.found >= r.acknowledged && r.missing == 0 && r.strange == 0 && r.duplicates == 0
}

// receiverConfig returns a configuration from testdata.
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

// row compares the samples of a client after the acknowledged ones have arrived.
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
			examples = append(examples, fmt.Sprintf("not sent: %v", id))
		}
	}
	slices.Sort(examples)
	for _, e := range examples[:min(len(examples), 10)] {
		t.Log(e)
	}
	for text, n := range said {
		t.Logf("%s received %d times: %s", client, n, text)
	}
	return r
}

// counters returns the receiver's nonzero counters of errors and losses.
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

// remoteWriters lists the remote-write clients.
var remoteWriters = []struct {
	name  string
	start func(t *testing.T, o peertest.AgentOptions) *peertest.Agent
	v2    bool
	// native reports whether the client sends native histograms.
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

// TestRemoteWriteClients makes real clients write through the built collector into a real Prometheus. The sent
// samples are decoded from the wire with Prometheus's own code. The responses are their HTTP statuses.
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
			agent.Stop() // It writes the remaining samples before it exits.
			r := d.row(t, c.name)
			r.note += d.counters(t)
			rows = append(rows, r)
			assert.True(t, r.ok(), "%+v", r)
			assert.Equal(t, c.native, r.histogram > 0, "native histograms")
			for _, line := range agent.Complaints() {
				t.Logf("log of %s: %s", c.name, line)
			}
		})
	}
	showClients(t, rows)
}

// TestRowFailsWithoutBackend verifies that a row fails if its backend is stopped.
func TestRowFailsWithoutBackend(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 13 seconds")
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
	assert.Zero(t, r.acknowledged, "number of acknowledged samples")
}
