// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// row compares a client's own lists with the documents in Elasticsearch.
type row struct {
	client                                         string
	sent, acknowledged, found, missing, duplicates int
	repeated                                       int // duplicates of events that have an id
	took                                           time.Duration
}

func compare(t *testing.T, es *peertest.Elasticsearch, run string, l ledger, givesID func(n int) bool) row {
	t.Helper()
	sent, acknowledged := l.read(t, "sent"), l.read(t, "acknowledged")
	found := searched(t, es, run, l.name, sent)
	r := row{client: l.name, sent: len(sent), acknowledged: len(acknowledged), found: len(found)}
	for n := range acknowledged {
		if found[n] == 0 {
			r.missing++
		}
	}
	for n, documents := range found {
		assert.True(t, sent[n], "%s did not send event %d", l.name, n)
		r.duplicates += documents - 1
		if givesID(n) {
			r.repeated += documents - 1
		}
	}
	return r
}

// table prints rows.
func table(t *testing.T, title string, rows []row) {
	t.Helper()
	var b strings.Builder
	const form = "| %-18s | %7v | %12v | %7v | %23v | %10v | %8v |\n"
	fmt.Fprintf(&b, form, "client", "sent", "acknowledged", "found", "missing of acknowledged", "duplicates", "took")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(&b, form, r.client, r.sent, r.acknowledged, r.found, r.missing, r.duplicates, r.took.Round(100*time.Millisecond))
	}
	t.Logf("%s\n%s", title, b.String())
}

// mixed reports whether a client sets an id for event n.
func mixed(n int) bool { return n%3 != 2 }

// TestClients sends events from three third-party clients through the collector into Elasticsearch. It compares the
// clients' own lists of sent and acknowledged events with the documents.
//
// AUSPEX_E2E_EVENTS sets the number of events of each client. AUSPEX_E2E_STOP_ELASTICSEARCH=1 stops Elasticsearch
// during the test. The test must then fail.
func TestClients(t *testing.T) {
	needPeers(t)
	count, stop := number(t, "AUSPEX_E2E_EVENTS", 100_000), os.Getenv("AUSPEX_E2E_STOP_ELASTICSEARCH") == "1"
	es := peertest.StartElasticsearch(t, 8)
	c := newCollector(t, es, direct)
	c.start()
	run, folder := newRun(), t.TempDir()
	programs := filepath.Join(peertest.CacheFolder(t), "lumberjack-clients")

	// program runs a client as a separate process.
	program := func(name string, command ...string) func(context.Context) error {
		return func(ctx context.Context) error {
			command := append(slices.Clone(command), c.beats, run, name, strconv.Itoa(count), folder)
			output, err := peertest.Run(ctx, t, []string{"NODE_PATH=" + filepath.Join(programs, "node", "node_modules")}, command...)
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", name, err, output)
			}
			return nil
		}
	}
	clients := []struct {
		name string
		send func(context.Context) error
	}{
		{"go-lumber", func(ctx context.Context) error {
			s := &sender{address: c.beats, run: run, name: "go-lumber", window: 500, started: time.Now(), lists: ledger{folder, "go-lumber"}}
			return s.send(ctx, count, nil)
		}},
		{"pylogbeat", program("pylogbeat", filepath.Join(programs, "python", "bin", "python"), "../clients/pylogbeat_sender.py")},
		{"lumberjack-client", program("lumberjack-client", "node", "../clients/lumberjack_client_sender.js")},
	}
	// The timeout is long enough for slow machines, and short if Elasticsearch is stopped.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute+time.Duration(count)*3*time.Millisecond)
	defer cancel()
	took, errs := make([]time.Duration, len(clients)), make([]error, len(clients))
	var all sync.WaitGroup
	began := time.Now()
	for i, client := range clients {
		all.Go(func() {
			errs[i] = client.send(ctx)
			took[i] = time.Since(began)
		})
	}
	if stop {
		peertest.Eventually(t, time.Minute, "a quarter of the events to be acknowledged", func() error {
			text, _ := os.ReadFile(ledger{folder, "go-lumber"}.path("acknowledged"))
			if strings.Count(string(text), "\n") < count/4 {
				return errors.New("not yet")
			}
			return nil
		})
		es.Stop()
		t.Log("Elasticsearch is stopped")
		time.Sleep(20 * time.Second)
		cancel()
	}
	all.Wait()
	if stop {
		c.kill() // so that it delivers no more data
		es.Start()
	}

	var rows []row
	for i, client := range clients {
		r := compare(t, es, run, ledger{folder, client.name}, mixed)
		r.took = took[i]
		rows = append(rows, r)
	}
	table(t, fmt.Sprintf("run %s, %d events from each client, acknowledged means written to Elasticsearch", run, count), rows)
	for i, r := range rows {
		if errs[i] != nil && !errors.Is(errs[i], context.Canceled) {
			t.Logf("%s: %v", r.client, errs[i])
		}
		assert.Equal(t, count, r.sent, "%s: sent", r.client)
		assert.Equal(t, count, r.acknowledged, "%s: acknowledged", r.client)
		assert.NotZero(t, r.found, "%s: found", r.client)
		assert.Zero(t, r.missing, "%s: acknowledged, but not in Elasticsearch", r.client)
		assert.Zero(t, r.repeated, "%s: duplicates of events that have an id", r.client)
	}
	require.False(t, t.Failed(), "see the table")
}
