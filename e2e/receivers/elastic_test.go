// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// elasticReceivers is a collector with the receivers lumberjack and elasticsearch_bulk, and its Elasticsearch.
type elasticReceivers struct {
	*peertest.Collector
	t                  *testing.T
	es                 *peertest.Elasticsearch
	lumberjack, bulk   string // addresses
	otlp, otlpHTTP     string
	run, folder, peers string
}

func startElasticReceivers(t *testing.T) *elasticReceivers {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a real Elasticsearch and clients: make e2e-doors installs and runs them")
	}
	text, err := os.ReadFile("testdata/elastic.yaml")
	require.NoError(t, err)
	es := peertest.StartElasticsearch(t, 8)
	free := peertest.FreeAddresses(t, 2)
	d := &elasticReceivers{
		t: t, es: es, otlp: free[0], otlpHTTP: free[1], run: elasticRun(), folder: t.TempDir(), peers: peertest.CacheFolder(t),
		Collector: peertest.StartCollector(t, peertest.CollectorOptions{Config: string(text), Env: []string{
			"E2E_ELASTICSEARCH=" + es.URL, "OTLP_GRPC=" + free[0], "OTLP_HTTP=" + free[1],
		}}),
	}
	d.lumberjack, d.bulk = d.OTLP, d.OTLP2
	return d
}

func elasticRun() string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// elasticCount returns the number of events of each client.
func elasticCount(t *testing.T) int {
	t.Helper()
	text := os.Getenv("AUSPEX_E2E_EVENTS")
	if text == "" {
		return 20_000
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "AUSPEX_E2E_EVENTS")
	return n
}

// elasticLists holds a client's own lists of sent and acknowledged events.
type elasticLists struct{ sent, acknowledged map[int]bool }

func readElasticLists(t *testing.T, folder, name string) elasticLists {
	t.Helper()
	read := func(list string) map[int]bool {
		text, err := os.ReadFile(filepath.Join(folder, name+"."+list))
		require.NoError(t, err)
		numbers := map[int]bool{}
		for line := range strings.Lines(string(text)) {
			if whole, ok := strings.CutSuffix(line, "\n"); ok {
				n, err := strconv.Atoi(whole)
				require.NoError(t, err)
				numbers[n] = true
			}
		}
		return numbers
	}
	return elasticLists{read("sent"), read("acknowledged")}
}

// elasticRow compares a client's lists with the content of Elasticsearch.
type elasticRow struct {
	client, receiver                               string
	sent, acknowledged, found, missing, duplicates int
	took                                           time.Duration
}

func (d *elasticReceivers) row(t *testing.T, client, receiver string, l elasticLists) elasticRow {
	t.Helper()
	r := elasticRow{client: client, receiver: receiver, sent: len(l.sent), acknowledged: len(l.acknowledged)}
	found := map[int]int{}
	hits, err := d.es.Search(t.Context(), "*", fmt.Sprintf(`{"bool":{"filter":[{"match":{"run":%q}},{"match_phrase":{"sender":%q}}]}}`, d.run, client))
	require.NoError(t, err)
	for _, h := range hits {
		if h.Source["sender"] != client {
			continue // the query matches only whole words
		}
		n, ok := h.Source["n"].(float64)
		require.True(t, ok, "%v", h.Source)
		require.True(t, l.sent[int(n)], "%s did not send event %v", client, n)
		found[int(n)]++
	}
	r.found = len(found)
	for n := range l.acknowledged {
		if found[n] == 0 {
			r.missing++
		}
	}
	for _, n := range found {
		r.duplicates += n - 1
	}
	return r
}

// asClient converts the row to the form that all receivers share.
func (r elasticRow) asClient() receiverRow {
	return receiverRow{
		receiver: r.receiver, client: r.client, sent: r.sent, acknowledged: r.acknowledged, found: r.found, missing: r.missing, duplicates: r.duplicates,
		note: fmt.Sprintf("took %.0f s", r.took.Seconds()),
	}
}

// TestElasticClients sends with every available client of Elastic's protocols through the collector into
// Elasticsearch. It compares the clients' own lists with the documents. AUSPEX_E2E_EVENTS sets the number of events
// of each client. AUSPEX_E2E_STOP_ELASTICSEARCH=1 stops Elasticsearch during the test, which must then fail.
func TestElasticClients(t *testing.T) {
	d := startElasticReceivers(t)
	count := elasticCount(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute+time.Duration(count)*5*time.Millisecond)
	defer cancel()
	clients := []struct {
		name, receiver string
		send           func(ctx context.Context, name string, count int) error
	}{
		{"filebeat-bulk", "elasticsearch_bulk", d.sendWithFilebeat("output.elasticsearch: {hosts: ['http://" + d.bulk + "'], compression_level: 1}")},
		{"filebeat-logstash", "lumberjack", d.sendWithFilebeat("output.logstash: {hosts: ['" + d.lumberjack + "']}")},
		{"go-elasticsearch", "elasticsearch_bulk", d.sendWithGoElasticsearch},
		{"python-elasticsearch", "elasticsearch_bulk", d.sendWithScript("http://"+d.bulk, filepath.Join(d.peers, "lumberjack-clients", "python", "bin", "python"), "../clients/elasticsearch_bulk_sender.py")},
		{"rsyslog", "elasticsearch_bulk", d.sendWithRsyslog},
		{"go-lumber", "lumberjack", d.sendWithGoLumber},
		{"pylogbeat", "lumberjack", d.sendWithScript(d.lumberjack, filepath.Join(d.peers, "lumberjack-clients", "python", "bin", "python"), "../clients/pylogbeat_sender.py")},
		{"lumberjack-client", "lumberjack", d.sendWithScript(d.lumberjack, "node", "../clients/lumberjack_client_sender.js")},
	}
	took, errs := make([]time.Duration, len(clients)), make([]error, len(clients))
	var all sync.WaitGroup
	began := time.Now()
	for i, c := range clients {
		all.Go(func() {
			errs[i] = c.send(ctx, c.name, count)
			took[i] = time.Since(began)
		})
	}
	stop := os.Getenv("AUSPEX_E2E_STOP_ELASTICSEARCH") == "1"
	if stop {
		time.Sleep(2 * time.Second)
		d.es.Stop()
		time.Sleep(20 * time.Second)
		cancel()
	}
	all.Wait()
	if stop {
		d.Kill() // so that it delivers no more data
		d.es.Start()
	}
	var rows []receiverRow
	for i, c := range clients {
		if errs[i] != nil {
			t.Errorf("%s: %v", c.name, errs[i])
			if !stop {
				continue
			}
		}
		r := d.row(t, c.name, c.receiver, readElasticLists(t, d.folder, c.name))
		r.took = took[i]
		rows = append(rows, r.asClient())
	}
	t.Logf("run %s, %d events from each client, acknowledged means written to Elasticsearch", d.run, count)
	showClients(t, rows)
	for _, r := range rows {
		assert.Equal(t, count, r.sent, "%s: sent", r.client)
		assert.Equal(t, count, r.acknowledged, "%s: acknowledged", r.client)
		assert.Zero(t, r.missing, "%s: acknowledged, but not in Elasticsearch", r.client)
	}
}
